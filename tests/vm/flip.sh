#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The configuration changes as a whole while traffic flows: fifty flips lose
# nothing and reset nobody; roll-back; refusal when somebody else was faster.
. "$(dirname "$0")/lib.sh"

active() { smplbctl -j generation | json "d['active']"; }
weights() { smplbctl -j backend list "tcp:$VIP:80" | json "[b['weight'] for b in d]"; }
is() { [[ $("${@:2}") == "$1" ]]; }

load
world
for n in 1 2 3; do
	web "b$n" 80
	helper "b$n" udp serve "10.2.0.1$n" 7 "b$n" &
done

config() { # W1 W2 W3 PORT SCHEDULER
	cat <<-TOML
		[[service]]
		address = "tcp:$VIP:80"
		scheduler = "$5"
		backend = [
		  { address = "10.2.0.11", weight = $1 },
		  { address = "10.2.0.12", weight = $2 },
		  { address = "10.2.0.13", weight = $3 },
		]
		[[service]]
		address = "udp:$VIP:7"
		backend = [{ address = "10.2.0.11", weight = $1 }, { address = "10.2.0.12" }]
		[[service]]
		address = "tcp:192.0.2.99:$4"
		backend = [{ address = "10.2.0.13" }]
	TOML
}
config 1 1 1 1000 wrr >/tmp/one.toml
config 7 0 5 2000 lc >/tmp/two.toml

echo "==> fifty flips under load"
expect "apply" smplbctl apply /tmp/one.toml
ok() { in_ns client curl -sS -o /dev/null --max-time 5 "http://$VIP/"; }
answers() { [[ $(helper client udp ask "$VIP" 7 1) == b* ]]; }
expect "HTTP" eventually 10 ok
expect "UDP" eventually 15 answers
first=$(active)
touch /tmp/go
# Requests one after the other, and files that live through several flips.
in_ns client bash -c "while [[ -e /tmp/go ]]; do
	curl -sS --max-time 20 -H 'Connection: close' 'http://$VIP/[1-20]' || exit 1
done" >/tmp/served 2>/tmp/curl.err &
curl=$!
in_ns client bash -c "while [[ -e /tmp/go ]]; do
	curl -sS --max-time 30 --limit-rate 1M 'http://$VIP/blob' | wc -c || exit 1
done" >/tmp/blobs 2>>/tmp/curl.err &
blobs=$!
helper client udp stream "$VIP" 7 14 100 >/tmp/stream 2>&1 &
stream=$!
for ((n = 0; n < 25; n++)); do
	expect "flip" smplbctl apply /tmp/two.toml >/dev/null
	expect "flip" smplbctl apply /tmp/one.toml >/dev/null
done
rm /tmp/go
wait $stream || die "UDP: $(</tmp/stream)"
wait $curl || die "HTTP: $(</tmp/curl.err)"
wait $blobs || die "large files: $(</tmp/curl.err)"
[[ ! -s /tmp/curl.err ]] || die "curl: $(</tmp/curl.err)"
grep -vx 2097152 /tmp/blobs && die "a file is not whole"
grep -vE '^b[123]$' /tmp/served && die "an answer is not one"
echo "$(wc -l </tmp/served) requests, $(wc -l </tmp/blobs) files, UDP $(</tmp/stream)"
(($(active) == first + 50)) || die "generation $(active) after 50 flips from $first"
for reason in no-connection backend-gone no-service no-backend; do
	(($(drops $reason) == 0)) || die "$(drops $reason) packets dropped: $reason"
done

echo "==> roll-back"
expect "apply" smplbctl apply /tmp/two.toml
expect "two is active" is "[7, 0, 5]" weights
expect "roll back" smplbctl generation rollback
expect "one is active" is "[1, 1, 1]" weights
expect "roll forward" smplbctl generation rollback
expect "two is active" is "[7, 0, 5]" weights
expect "single changes go on from there" smplbctl backend set "tcp:$VIP:80" 10.2.0.12 --weight 9
expect "changed" is "[7, 9, 5]" weights

echo "==> somebody else was faster"
now=$(active)
refuse "another generation" "another generation is active" \
	smplbctl apply /tmp/one.toml --expect-generation $((now - 1))
expect "nothing changed" is "$now" active
expect "and can still be rolled back" smplbctl generation rollback >/dev/null
expect "and forward" smplbctl generation rollback >/dev/null
expect "nothing changed" is "$now" active
expect "the right one" smplbctl apply /tmp/one.toml --expect-generation "$now"
expect "nothing moves when nothing changes" grep -q 'slots moved: 0' <(smplbctl apply /tmp/one.toml)
