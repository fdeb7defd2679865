#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A hundred generations, ten each second, while clients come and go: no packet is lost, no
# connection reset, every request answered. Then smplbd makes them, as fast as it may; and it
# goes on as it was through reloads. FLIPS=1000 makes a thousand, RELOADS=1000 reloads as
# often.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feedback.sh"

FLIPS=${FLIPS:-100}
RELOADS=${RELOADS:-20}
SERVICE=tcp:$VIP:80
REASONS="no-connection backend-gone no-service no-backend"

load
world
for n in 1 2 3; do
	web "b$n" 80
done
cat >/tmp/one.toml <<-TOML
	[[service]]
	address = "$SERVICE"
	backend = [
	  { address = "10.2.0.11", weight = 1000 },
	  { address = "10.2.0.12", weight = 1000 },
	  { address = "10.2.0.13", weight = 1000 },
	]
TOML
expect "apply" smplbctl apply /tmp/one.toml
ok() { in_ns client curl -sS -o /dev/null --max-time 5 "http://$VIP/"; }
expect "a first request" eventually "$(slow 20)" ok

# Connections that ended with a reset, at the clients or at the servers.
resets() {
	local ns n=0
	for ns in client b1 b2 b3; do
		n=$((n + $(in_ns $ns awk '/^Tcp:/ { if (names++) print $9 }' /proc/net/snmp)))
	done
	echo $n
}
# Packets dropped for what a change could have lost.
dropped() {
	local reason n=0
	for reason in $REASONS; do n=$((n + $(drops $reason))); done
	echo $n
}
in_ns client awk '/^Tcp:/ { if (!names++) exit $9 != "EstabResets" }' /proc/net/snmp || die "/proc/net/snmp has another order"

# Large files on connections that live for many flips, and small ones with a connection
# each; as many as leave time for flips.
traffic() {
	PAUSE=400 ip netns exec client wrk -t 1 -c 4 -d 3600s --timeout 60s -s /tmp/paced.lua \
		"http://$VIP/blob" >/tmp/long.log 2>&1 &
	LONG=$!
	undo "kill -9 $LONG"
	PAUSE=100 ip netns exec client wrk -t 1 -c 8 -d 3600s --timeout 60s -s /tmp/paced.lua \
		-H 'Connection: close' "http://$VIP/" >/tmp/load.log 2>&1 &
	LOAD=$!
	undo "kill -9 $LOAD"
	sleep 2
	resets_before=$(resets) dropped_before=$(dropped)
}
# Its end; what it leaves behind by its end does not count: quiet WHAT
quiet() {
	local reset=$(($(resets) - resets_before)) lost=$(($(dropped) - dropped_before))
	((reset == 0)) || die "$1: $reset connections were reset"
	((lost == 0)) || die "$1: $lost packets were dropped: $(smplbctl stats)"
	all_served "$1"
	LOAD=$LONG
	mv /tmp/long.log /tmp/load.log
	all_served "$1, long connections"
}

echo "==> $FLIPS generations, ten each second"
traffic
first=$(generation)
expect "$FLIPS flips" python3 -ESB "$HERE/flips.py" "$VIP" 80 "$FLIPS" 10 10.2.0.11 10.2.0.12 10.2.0.13
(($(generation) == first + FLIPS)) || die "generation $(generation) after $FLIPS flips from $first"
quiet "while weights changed"

echo "==> and by smplbd, whose agents say something else each time"
printf '100%%\n30%%\n' >/tmp/words
# Three, since one that answers ten times a second is late now and then.
for n in 1 2 3; do
	cp /tmp/words /tmp/words$n
	app /tmp/words$n.log listening python3 -ES "$HERE/words.py" 127.0.0.$n 9474 /tmp/words$n --turns
done
cat >/tmp/smplbd.toml <<-TOML
	[daemon]
	metrics = "127.0.0.1:9472"
	[[service]]
	address = "$SERVICE"
	[service.distribution]
	algorithm = "static"
	interval = 0.1
	[[service.backend]]
	address = "10.2.0.11:80"
	weight = 1000
	load = "agent-check:127.0.0.1:9474"
	[[service.backend]]
	address = "10.2.0.12:80"
	weight = 1000
	load = "agent-check:127.0.0.2:9474"
	[[service.backend]]
	address = "10.2.0.13:80"
	weight = 1000
	load = "agent-check:127.0.0.3:9474"
TOML
smplbd_start /tmp/smplbd.toml
traffic
first=$(generation)
start=${EPOCHREALTIME/./}
flipped() { (($(generation) - first >= FLIPS)); }
expect "$FLIPS generations by smplbd: $(tail -n 5 /tmp/smplbd.log)" eventually "$(slow $((FLIPS * 3)))" flipped
made=$(($(generation) - first))
time=$(((${EPOCHREALTIME/./} - start) / 1000))
echo "$made generations in $time ms"
# One more may have come before and one after.
((made * 100 <= time + 1200)) || die "smplbd made $made generations in $time ms, more than ten per second"
quiet "while smplbd flipped"

echo "==> $RELOADS reloads while clients come"
say() { echo "$2" >/tmp/said && mv /tmp/said "/tmp/words$1"; } # SERVER WORD
say 1 50%
say 2 100%
say 3 100%
# 50, 100 and 100 parts of 250, as thousandths of a fair share.
steady() { [[ $(of weight) == "600 1200 1200" ]]; }
eventually "$(slow 30)" steady || die "weights by the words: $(of weight)"
traffic
first=$(generation)
reloads() { grep -c ' reloaded' /tmp/smplbd.log; }
for ((n = 1; n <= RELOADS; n++)); do
	kill -HUP "$SMPLBD"
	reloaded() { (($(reloads) >= n)); }
	expect "reload $n" eventually "$(slow 20)" reloaded
done
steady || die "weights after $RELOADS reloads: $(of weight)"
(($(generation) == first)) || die "generations from $first to $(generation) by reloads that change nothing"
reported() { (($(metric smplb_config_reloads_total) == RELOADS)); }
expect "$RELOADS reloads in the metrics" eventually "$(slow 10)" reported
quiet "while smplbd was reloaded"
