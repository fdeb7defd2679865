#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 3 --tap 2 --nic virtio,mq=on,vectors=6,rss=on,packed=on --nic virtio --nic virtio,mq=on,vectors=6 --nic virtio
# Ports with two queue pairs, each polled by a CPU of its own: many flows are
# balanced over both, packets to the host keep their order, pairs move to other
# CPUs under traffic, and the NICs are given back as they were.
#
# eth0 has RSS and packed rings, eth2 neither; they are cabled to eth1 and eth3,
# by tap devices, with one queue each: the stock driver sends packets of one flow
# by several, in any order.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"
. "$HERE/harm.sh"

FLOWS=64 COUNT=40
# A debug kernel is slow.
[[ -e /sys/kernel/debug/kmemleak ]] && COUNT=10

# A port of two pairs: queues PLACE NAME ADDRESS [CPUS]
queues() {
	expect "claim $1" smplbctl port add "$1" --name "$2" --queues 2 --cpu "${4:-1-2}"
	ip addr add "$3" dev "$2"
	expect "$2 up" ip link set "$2" up
}
cpus() { smplbctl -j port list | json "[p['cpus'] for p in d]"; }
# What the engine of a CPU has counted: engine CPU KEY.
engine() { smplbctl -j stats | json "sum(e['$2'] for e in d['engines'] if e['cpu'] == $1)"; }
# Both engines switch packets of what is done meanwhile: both WHAT COMMAND...
both() {
	local what=$1 before=("$(engine 1 packets)" "$(engine 2 packets)") after
	shift
	expect "$what" "$@"
	after=("$(engine 1 packets)" "$(engine 2 packets)")
	echo "$what: CPU 1 switched $((after[0] - before[0])) packets, CPU 2 $((after[1] - before[1]))"
	((after[0] > before[0] + FLOWS && after[1] > before[1] + FLOWS)) || die "$what: one engine alone"
}
flows() { in_ns client python3 -ES "$HERE/flows.py" send "$@"; }

native_world
echo "==> what cannot be had"
refuse "too many pairs" "3 queue pairs were asked for, and it has 2" smplbctl port add "$A" --queues 3
refuse "too many CPUs" "2 CPUs for 1 queue pair" smplbctl port add "$A" --cpu 1-2
expect "its name" eventually 5 test "$(place eth0)" = "$A"

echo "==> two pairs each, over both CPUs"
queues "$A" smplb0 10.1.0.1/24
queues "$B" smplb1 10.2.0.1/24
smplbctl port list
smplbctl cpu list
[[ $(cpus) == "[[1, 2], [1, 2]]" ]] || die "CPUs: $(cpus)"
[[ $(smplbctl -j cpu list | json "[(c['cpu'], c['ports']) for c in d]") == "[(1, 2), (2, 2)]" ]] || die "$(smplbctl cpu list)"
expect "a line of the list" grep -Eq "^smplb0 +$A +virtio_net +1-2 +2 " <(smplbctl port list)
[[ $(ls -d /sys/class/net/smplb0/queues/tx-* | wc -l) == 2 ]] || die "$(ls /sys/class/net/smplb0/queues)"
refuse "more CPUs than pairs" "more CPUs than the port has queue pairs" smplbctl port set smplb0 --cpu 0-2
refuse "the control CPU" "last CPU for everything else" smplbctl port set smplb1 --cpu 0-1
refuse "no such CPU" "not online" smplbctl port set smplb0 --cpu 1,7
[[ $(cpus) == "[[1, 2], [1, 2]]" ]] || die "CPUs: $(cpus)"
native_sleep
adds_up

echo "==> frames for other stations come when they are wanted"
in_ns client ip neigh replace 10.1.0.99 lladdr 02:00:00:00:00:99 dev c0
others() { # whether they come
	local before
	before=$(port smplb0 rx_packets)
	in_ns client ping -q -c 20 -i 0.01 -W 0.1 10.1.0.99 >/dev/null
	(($(port smplb0 rx_packets) - before >= 20))
}
others && die "they come"
ip link set smplb0 promisc on
expect "promiscuous" eventually 5 others
ip link set smplb0 promisc off
alone() { ! others; }
expect "not any more" eventually 5 alone

echo "==> HTTP through both engines"
balance "tcp:$VIP:80" -- 10.2.0.11:8080=5 10.2.0.12:8080=3 10.2.0.13:8080=2
expect "a first request" eventually 10 ok "http://$VIP/"
http() { [[ $(requests 100 "http://$VIP" | awk '{ n += $1 } END { print n }') == 100 ]]; }
both "100 connections" http
expect "a large file" large

echo "==> $FLOWS flows to the host and through NAT, in order"
python3 -ES "$HERE/flows.py" serve 10.1.0.1 7 &
servers=$!
for n in 1 2 3; do
	in_ns "b$n" python3 -ES "$HERE/flows.py" serve "10.2.0.1$n" 7 &
	servers+=" $!"
done
balance "udp:$VIP:7" -- 10.2.0.11:7 10.2.0.12:7 10.2.0.13:7
expect "the servers" eventually 10 flows 10.1.0.1 7 1 1
expect "the servers" eventually 10 flows "$VIP" 7 3 1
both "to the host" flows 10.1.0.1 7 $FLOWS $COUNT
both "through NAT" flows "$VIP" 7 $FLOWS $COUNT
[[ $(lost) == 0 ]] || smplbctl stats
adds_up

echo "==> pairs move under traffic"
flows "$VIP" 7 $FLOWS $((4 * COUNT)) some >/tmp/moved &
pid=$!
for to in 2 1 2,1 1-2 1 1-2; do
	expect "move to $to" smplbctl port set smplb0 --cpu "$to"
	expect "move to $to" smplbctl port set smplb1 --cpu "$to"
	adds_up
	sleep 0.2
done
expect "traffic while pairs move" wait $pid
cat /tmp/moved
missing=$(sed -n 's/.* lost \([0-9]*\).*/\1/p' /tmp/moved) counted=$(smplbctl -j port list | json "sum(p['dropped'] for p in d)")
((missing <= counted)) || die "$missing packets are lost, and $counted drops are counted"
both "and then" flows "$VIP" 7 $FLOWS $COUNT
adds_up
smplbctl stats

echo "==> they fail under traffic, and come back with both pairs"
ip link set smplb0 promisc on
expect "promiscuous" eventually 5 others
ip netns exec client python3 -ES "$HERE/flows.py" send "$VIP" 7 $FLOWS 1000000 >/dev/null 2>&1 &
pid=$!
breaks "$A" smplb0 "does not answer" deafen
breaks "$B" smplb1 "does not answer" confuse_virtio
kill $pid && wait $pid
[[ $(smplbctl -j port list | json "[(p['queues'], p['cpus'], p['resets']) for p in d]") == "[(2, [1, 2], 1), (2, [1, 2], 1)]" ]] || die "$(smplbctl port list)"
expect "promiscuous still" eventually 5 others
ip link set smplb0 promisc off
expect "not any more" eventually 5 alone
expect "a request" eventually 10 ok "http://$VIP/"
expect "flows" eventually 10 flows "$VIP" 7 3 1
both "to the host" flows 10.1.0.1 7 $FLOWS $COUNT
both "through NAT" flows "$VIP" 7 $FLOWS $COUNT
# Each pair wakes its engine: the name of its interrupt ends with its number.
woken() { awk '/smplb@pci/ { print $NF, $2 }' /proc/interrupts | sort; }
before=$(woken)
for n in {1..20}; do
	expect "flows from idle engines" flows "$VIP" 7 16 1 >/dev/null
	sleep 0.05
done
join <(echo "$before") <(woken) | awk '{ print $1, "woke", $3 - $2, "times"; idle += $3 == $2 } END { exit NR != 4 || idle }' ||
	die "interrupts: $(grep smplb@pci /proc/interrupts)"
adds_up

echo "==> one with two pairs, one with one"
expect "give back" smplbctl port del smplb1
adds_up
expect "the NIC" eventually 10 test -e /sys/class/net/eth2
expect "claim $B" smplbctl port add "$B" --name smplb1
ip addr add 10.2.0.1/24 dev smplb1
expect "smplb1 up" ip link set smplb1 up
[[ $(smplbctl -j port list | json "sorted(p['queues'] for p in d)") == "[1, 2]" ]] || die "$(smplbctl port list)"
expect "a request" eventually 10 ok "http://$VIP/"
expect "flows" eventually 10 flows "$VIP" 7 3 1
expect "flows" flows "$VIP" 7 $FLOWS $COUNT
adds_up

# shellcheck disable=SC2086
kill $servers
# shellcheck disable=SC2086
wait $servers 2>/dev/null

echo "==> without smplbctl there is one pair"
expect "give back" smplbctl port del smplb0
up_a
[[ $(smplbctl -j port list | json "sorted(p['queues'] for p in d)") == "[1, 1]" ]] || die "$(smplbctl port list)"
expect "a request" eventually 10 ok "http://$VIP/"
# shellcheck disable=SC2034 # nics.sh does
STOCK_QUEUES=1
native_release
native_again
