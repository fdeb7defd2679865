#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Engines: which CPU polls a port is chosen, shown and changed under traffic
# without loss; an idle engine sleeps; a busy one lets the kernel go on.
. "$(dirname "$0")/lib.sh"

engines() { smplbctl -j stats | json "[[e['cpu'], e['ports']] for e in d['engines']]"; }
rounds() { smplbctl -j stats | json "sum(e['rounds'] for e in d['engines'])"; }
cpu_of() { smplbctl -j port list | json "[p['cpu'] for p in d if p['ifname'] == '$1'][0]"; }
threads() { ps -eo comm,psr | awk '/^smplb\// { print $1, $2 }' | sort | xargs; }
is() { [[ $("${@:2}") == "$1" ]]; }

load
clients
servers 1
expect "claim d0 on CPU 1" smplbctl port add d0 --name smplb0 --cpu 1
expect "claim d1 on CPU 2" smplbctl port add d1 --name smplb1 --cpu 2
ip addr add 10.1.0.1/24 dev smplb0
ip addr add 10.2.0.1/24 dev smplb1
ip link set smplb0 up
ip link set smplb1 up
expect "two engines" is "[[1, 1], [2, 1]]" engines
expect "their threads" is "smplb/1 1 smplb/2 2" threads

echo "==> moves under traffic"
balance "udp:$VIP:7" -- 10.2.0.11
helper b1 udp serve 10.2.0.11 7 b1 &
answers() { [[ $(helper client udp ask "$VIP" 7 1) == b1 ]]; }
expect "the service" eventually 15 answers
helper client udp stream "$VIP" 7 8 100 >/tmp/stream 2>&1 &
stream=$!
moves=0
while kill -0 $stream 2>/dev/null; do
	expect "move smplb0" smplbctl port set smplb0 --cpu $((2 - moves % 2))
	expect "move smplb1" smplbctl port set smplb1 --cpu $((1 + moves / 2 % 2))
	moves=$((moves + 1))
done
wait $stream || die "$moves moves lost packets: $(</tmp/stream)"
echo "$(</tmp/stream), $moves moves"
((moves >= 4)) || die "only $moves moves"
smplbctl port set smplb0 --cpu 2
smplbctl port set smplb1 --cpu 2
expect "moved" is 2 cpu_of smplb0
expect "one engine for both" is "[[2, 2]]" engines
expect "one thread" is "smplb/2 2" threads
refuse "an offline CPU" "not online" smplbctl port set smplb0 --cpu 6
refuse "no such port" "no such" smplbctl port set smplb7 --cpu 1
expect "still there" is 2 cpu_of smplb0

echo "==> sleeps when idle"
# Neighbours, routers and the bridge ask for each other now and then, sometimes for
# many seconds in a row: one quiet second in a minute.
sleeping() {
	local before
	before=$(rounds)
	sleep 1
	(($(rounds) == before))
}
expect "no rounds without packets" eventually 60 sleeping

echo "==> spins for ever, and still the kernel goes on"
modprobe -r smplb
# A stall is reported after 3 s instead of 21; any report fails the scenario.
stall=/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
undo "echo $(<$stall) >$stall"
echo 3 >$stall
load spin_us=60000000
claim
spinning() { ! sleeping; }
expect "it spins" spinning
helper client udp flood 10.1.0.1 9 6 &
flood=$!
start=$EPOCHREALTIME
for n in 1 2 3; do
	# Each waits for a grace period of RCU or more.
	expect "a link comes and goes" ip link add "test$n" type dummy
	expect "a link comes and goes" ip link del "test$n"
done
awk "BEGIN { t = $EPOCHREALTIME - $start; printf \"six changes of links in %.1f s\n\", t; exit t > 20 }" ||
	die "the kernel waits for the engine"
wait $flood
expect "pings meanwhile" in_ns client ping -q -c 2 -W 2 10.1.0.1 >/dev/null

echo "==> the last CPU that may poll stays online, others may go"
cpu1() { echo "$1" >/sys/devices/system/cpu/cpu1/online; }
cpu2() { echo "$1" >/sys/devices/system/cpu/cpu2/online; }
expect "move" smplbctl port set smplb0 --cpu 2
expect "move" smplbctl port set smplb1 --cpu 2
expect "offline" cpu2 0
[[ $(smplbctl -j port list | json "[p['cpu'] for p in d]") == "[1, 1]" ]] || die "$(smplbctl port list)"
refuse "offline" "busy" cpu1 0
dmesg | tail -n 3 | grep -q 'CPU 1 stays online' || die "not told: $(dmesg | tail)"
grep -q 'Cpus_allowed_list:.1$' "/proc/$(pgrep smplb/1)/status" || die "an engine has lost its CPU"
refuse "offline" "not online" smplbctl port set smplb0 --cpu 2
refuse "the last one" "last CPU" smplbctl port set smplb0 --cpu 0
expect "online" cpu2 1
expect "move" smplbctl port set smplb0 --cpu 2
expect "ping" in_ns client ping -q -c 2 -W 2 10.1.0.1 >/dev/null
expect "rmmod while it spins" rmmod smplb
