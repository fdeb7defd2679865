#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Whole configurations from files: applied, shown again, only tried, and refused
# with file, line, column and key, in which case nothing changes.
. "$(dirname "$0")/lib.sh"

load
active() { smplbctl -j generation | json "d['active']"; }

cat >/tmp/good.toml <<'TOML'
[[service]]
address = "tcp:192.0.2.1:80"
scheduler = "lc"
timeout = 77

[[service.backend]]
address = "10.2.0.11:8080"
weight = 5

[[service.backend]]
address = "10.2.0.12"

[[service]]
address = "udp:192.0.2.1:53"
mode = "dr"
announce = false

[[service.backend]]
address = "10.2.0.13"
weight = 65535
TOML

echo "==> only tried"
before=$(active)
expect "dry run" grep -q "would make generation $((before + 1))" <(smplbctl apply --dry-run /tmp/good.toml)
[[ $(active) == "$before" && $(smplbctl -j service list) == "[]" ]] || die "a dry run changed something"

echo "==> applied, shown, applied again"
expect "apply" smplbctl apply /tmp/good.toml
rows=$(smplbctl -j service list | json "[(s['service'], s['scheduler'], s['mode'], s['timeout'], s['announce']) for s in d]")
[[ $rows == "[('tcp:192.0.2.1:80', 'lc', 'nat', 77, True), ('udp:192.0.2.1:53', 'wrr', 'dr', 300, False)]" ]] ||
	die "services: $rows"
rows=$(smplbctl -j backend list | json "[(b['addr'], b['port'], b['weight']) for b in d]")
[[ $rows == "[('10.2.0.11', 8080, 5), ('10.2.0.12', 80, 1), ('10.2.0.13', 53, 65535)]" ]] ||
	die "backends: $rows"
smplbctl show --toml >/tmp/shown.toml
expect "what is shown can be applied" smplbctl apply - </tmp/shown.toml
smplbctl show --toml | cmp - /tmp/shown.toml || die "it is shown otherwise afterwards"
expect "for people too" grep -q 'tcp:192.0.2.1:80' <(smplbctl show)

echo "==> refused, with the place"
generation=$(active)
bad() { # WHAT PLACE-AND-REASON, the file on standard input
	cat >/tmp/bad.toml
	refuse "$1" "$2" smplbctl apply /tmp/bad.toml
	smplbctl show --toml | cmp - /tmp/shown.toml || die "$1: something has changed"
	[[ $(active) == "$generation" ]] || die "$1: another generation"
}
service='[[service]]
address = "tcp:192.0.2.1:80"'
bad "not TOML" '/tmp/bad.toml:2:' <<<"$service"$'x'
bad "unknown key" '/tmp/bad.toml:3:1: .*schedular' <<<"$service
schedular = \"lc\""
bad "unknown table" '/tmp/bad.toml:1:' <<<'[[servise]]'
bad "unknown scheduler" '/tmp/bad.toml:3:[0-9]+: .*scheduler.*wrr or lc' <<<"$service
scheduler = \"best\""
bad "bad address" '/tmp/bad.toml:2:[0-9]+: .*192.0.2.256' <<<'[[service]]
address = "tcp:192.0.2.256:80"'
bad "no address" '/tmp/bad.toml:1:[0-9]+: .*address' <<<'[[service]]'
bad "port 0" '/tmp/bad.toml:2:[0-9]+: .*port' <<<'[[service]]
address = "tcp:192.0.2.1:0"'
bad "multicast VIP" '/tmp/bad.toml:2:[0-9]+: .*unicast' <<<'[[service]]
address = "tcp:224.0.0.1:80"'
bad "broadcast VIP" '/tmp/bad.toml:2:[0-9]+: .*unicast' <<<'[[service]]
address = "tcp:255.255.255.255:80"'
bad "a service twice" '/tmp/bad.toml:4:[0-9]+: ' <<<"$service
$service"
bad "a backend twice" '/tmp/bad.toml:4:[0-9]+: ' <<<"$service
backend = [{ address = \"10.2.0.1\" },
  { address = \"10.2.0.1:80\" }]"
bad "weight" '/tmp/bad.toml:3:[0-9]+: .*weight' <<<"$service
backend = [{ address = \"10.2.0.1\", weight = 65536 }]"
bad "timeout" '/tmp/bad.toml:3:[0-9]+: .*timeout' <<<"$service
timeout = 0"
bad "mode dr and another port" '/tmp/bad.toml:4:[0-9]+: .*mode dr' <<<"$service
mode = \"dr\"
backend = [{ address = \"10.2.0.1:8080\" }]"
bad "the VIP as its own backend" '/tmp/bad.toml:3:[0-9]+: ' <<<"$service
backend = [{ address = \"192.0.2.1\" }]"
printf '[[service]]\n\xff' | bad "not UTF-8" '/tmp/bad.toml:2:1: not UTF-8|not UTF-8 .*:2:1|/tmp/bad.toml:2'
refuse "no file" "cannot read /tmp/nosuch" smplbctl apply /tmp/nosuch

echo "==> every fault of a file at once"
printf '%s\nschedular = 1\n[[service]]\naddress = "x"\n' "$service" >/tmp/bad.toml
[[ $(smplbctl apply /tmp/bad.toml 2>&1 | grep -c '/tmp/bad.toml:[0-9]') == 2 ]] || die "not both faults"

echo "==> single changes are refused with their reason"
refuse "exists" "exists already" smplbctl service add tcp:192.0.2.1:80
refuse "no service" "no such service" smplbctl backend add tcp:192.0.2.9:80 10.2.0.1
refuse "weight" "65535" smplbctl backend set tcp:192.0.2.1:80 10.2.0.12 --weight 65536
refuse "multicast" "unicast" smplbctl service add udp:224.0.0.1:80
refuse "loopback" "unicast" smplbctl backend add tcp:192.0.2.1:80 127.0.0.1
smplbctl service add tcp:192.0.2.1:0 2>/dev/null
(($? != 0)) || die "port 0 is accepted"
smplbctl service add tcp:192.0.2.1 2>/dev/null
(($? == 2)) || die "a wrong command line must exit with 2"

echo "==> an empty file empties the tables"
expect "empty" smplbctl apply - </dev/null
[[ $(smplbctl -j backend list) == "[]" ]] || die "something is left"
