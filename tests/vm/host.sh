#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Programs on the host reach the network through a pseudo interface as through
# any Ethernet device: ping, TCP and UDP both ways, IPv6, VLANs, tcpdump, bulk.
#
#   [client] c0 ---- d0 | smplb0
#   10.1.0.2            | 10.1.0.1
. "$(dirname "$0")/lib.sh"

pings() { in_ns client ping -q -c 1 -W 1 "$1" >/dev/null; }
says() { [[ $(helper "$1" "$2" ask "$3" "$4" 1) == "$5" ]]; }

clients
load
expect "claim" smplbctl port add d0 --name smplb0
ip addr add 10.1.0.1/24 dev smplb0
ip link set smplb0 up

echo "==> ping both ways"
expect "ping the host" eventually 5 pings 10.1.0.1
expect "ping the client" ping -q -c 1 -W 2 "$CLIENT" >/dev/null
expect "large" in_ns client ping -q -c 1 -W 2 -s 4000 10.1.0.1 >/dev/null

echo "==> UDP and TCP both ways, with tcpdump looking"
tcpdump -nni smplb0 -U -w /tmp/seen 2>/tmp/tcpdump.log &
watcher=$!
expect "tcpdump" eventually 10 grep -q listening /tmp/tcpdump.log
for what in udp tcp; do
	helper - $what serve 10.1.0.1 7 host &
	helper client $what serve "$CLIENT" 7 client &
	expect "$what to the host" eventually 10 says client $what 10.1.0.1 7 host
	expect "$what to the client" eventually 10 says - $what "$CLIENT" 7 client
done
seen() { tcpdump -nnr /tmp/seen "$@" 2>/dev/null | grep -q .; }
for what in "udp and src $CLIENT and dst port 7" "udp and dst $CLIENT and src port 7" \
	"tcp and src $CLIENT and dst port 7" "tcp and dst $CLIENT and dst port 7"; do
	expect "tcpdump: $what" eventually 5 seen "$what"
done
kill $watcher

echo "==> IPv6: neighbour discovery and ping"
ip addr add fd00:1::1/64 dev smplb0 nodad
ip -n client addr add fd00:1::2/64 dev c0 nodad
expect "ping the host" eventually 5 in_ns client ping -q -c 1 -W 1 fd00:1::1 >/dev/null
expect "ping the client" ping -q -c 1 -W 2 fd00:1::2 >/dev/null

echo "==> a VLAN on top"
ip link add link smplb0 name smplb0.5 type vlan id 5
ip addr add 10.5.0.1/24 dev smplb0.5
ip link set smplb0.5 up
ip -n client link add link c0 name c0.5 type vlan id 5
ip -n client addr add 10.5.0.2/24 dev c0.5
ip -n client link set c0.5 up
expect "ping the host" eventually 5 pings 10.5.0.1
expect "ping the client" ping -q -c 1 -W 2 10.5.0.2 >/dev/null
# A tagged frame to a VIP is not one to the VIP, which is in no VLAN.
balance "udp:$VIP:7" -- 10.1.0.2:7
in_ns client ip route add "$VIP" via 10.5.0.1
[[ $(helper client udp ask "$VIP" 7 1) == - ]] || die "a service answers in a VLAN"
[[ $(smplbctl -j connections) == "[]" ]] || die "a tagged frame made a connection"
in_ns client ip route del "$VIP"

echo "==> bulk, in segments larger than the MTU"
iperf3 -s -B 10.1.0.1 >/tmp/iperf.log 2>&1 &
listening() { [[ -n $(ss -Hltn 'sport = 5201') ]]; }
expect "iperf3" eventually 10 listening
bulk() {
	local what=$1 counter=$2 before
	shift 2
	before=$(port smplb0 "$counter")
	expect "iperf3 $what" in_ns client iperf3 -c 10.1.0.1 -n 8M "$@" >/tmp/iperf.out
	packets=$(($(port smplb0 "$counter") - before))
	echo "$what: 8 MiB in $packets packets"
	((packets < 8 * 1024 * 1024 / 1448 / 2)) || die "$what: no large segments"
}
bulk "to the host" stack_packets
bulk "to the client" host_packets -R
ethtool -K smplb0 tso off gso off >/dev/null
expect "without segmentation offload" in_ns client iperf3 -c 10.1.0.1 -n 2M -R >/dev/null

(($(lost stack-full port-down) == 0)) ||
	die "drops: $(smplbctl stats)"
