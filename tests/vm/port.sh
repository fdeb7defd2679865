#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A NIC is claimed, looked at, changed and given back by standard tools, as a
# macvlan would be; and what must be refused is refused.
#
#   [client] c0 ---- d0 | smplb0
#   10.1.0.2            | 10.1.0.1 (10.9.0.1 on d0 itself)
. "$(dirname "$0")/lib.sh"

pings() { in_ns client ping -q -c 1 -W 1 "$1" >/dev/null; }
gone() { ! ip link show "$1" 2>/dev/null; }
no_ports() { [[ $(smplbctl -j port list) == "[]" ]]; }

clients
ip -n client addr add 10.9.0.2/24 dev c0
ip addr add 10.9.0.1/24 dev d0
expect "the NIC before" eventually 5 pings 10.9.0.1
load

echo "==> stock iproute2 claims"
expect "claim" ip link add link d0 name smplb0 type smplb
expect "up" ip link set smplb0 up
ip addr add 10.1.0.1/24 dev smplb0
expect "ping" eventually 5 pings 10.1.0.1
expect "ip -d link" grep -q 'smplb0@d0.*mtu 1500' <(ip -d link show smplb0)
expect "the kind" grep -qw smplb <(ip -d link show smplb0)
expect "the MAC" test "$(</sys/class/net/smplb0/address)" = "$(</sys/class/net/d0/address)"
rx=$(</sys/class/net/smplb0/statistics/rx_packets)
expect "ping" pings 10.1.0.1
(($(</sys/class/net/smplb0/statistics/rx_packets) > rx)) || die "ip -s link: rx does not rise"
expect "ethtool -i" grep -qx 'driver: smplb' <(ethtool -i smplb0)
expect "ethtool -S" grep -Eq 'stack_packets: [1-9]' <(ethtool -S smplb0)
expect "port list" grep -Eq '^smplb0 +d0 +netdev' <(smplbctl port list)

echo "==> MTU"
expect "less" ip link set smplb0 mtu 1400
refuse "more than the NIC's" "invalid|larger" ip link set smplb0 mtu 1501
expect "less for the NIC" ip link set d0 mtu 1300
expect "it follows down" grep -q 'mtu 1300' <(ip link show smplb0)
ip link set d0 mtu 1500
expect "and may rise again" ip link set smplb0 mtu 1500

echo "==> down and up, promiscuous or not"
ip link set smplb0 down
pings 10.1.0.1 && die "it answers while it is down"
(($(drops port-down) > 0)) || die "what comes for the host meanwhile is not counted"
rx=$(</sys/class/net/smplb0/statistics/rx_packets)
ip link set smplb0 up
(($(</sys/class/net/smplb0/statistics/rx_packets) - rx < 3)) || die "old frames come up"
expect "ping" eventually 5 pings 10.1.0.1
ip link set d0 down
expect "no carrier without its NIC" eventually 5 grep -q NO-CARRIER <(ip link show smplb0)
ip link set d0 up
expect "ping" eventually 5 pings 10.1.0.1
ip link set smplb0 promisc on
expect "the NIC is promiscuous" grep -q 'promiscuity 1' <(ip -d link show d0)

echo "==> refusals"
ip link add br1 type bridge
ip link add dummy0 type dummy
ip link set dummy0 master br1
refuse "loopback" "loopback" smplbctl port add lo
refuse "in a bridge" "enslaved" smplbctl port add dummy0
refuse "claimed already" "already claimed" smplbctl port add d0
refuse "a pseudo interface" "pseudo interface" smplbctl port add smplb0
ip link set dummy0 nomaster
refuse "name in use" "exists" smplbctl port add dummy0 --name br1
refuse "no such NIC" "no network interface" smplbctl port add nosuch
refuse "unknown driver" "only --driver netdev" smplbctl port add dummy0 --driver quick
refuse "offline CPU" "not online" smplbctl port add dummy0 --cpu 7
refuse "no CPU at all" "no list of CPUs" smplbctl port add dummy0 --cpu 4000000000
refuse "no NIC named" "name the NIC" ip link add smplb9 type smplb
refuse "not a port" "no such pseudo" smplbctl port del dummy0
ip link add dummy1 type dummy
expect "move" smplbctl port set smplb0 --cpu 2
expect "all but one CPU" smplbctl port add dummy0 --name smplb1 --cpu 1
refuse "last CPU" "last CPU" smplbctl port add dummy1 --cpu 0
ip link del smplb1
ip link del br1

echo "==> given back"
expect "delete" ip link del smplb0
expect "the NIC as before" eventually 5 pings 10.9.0.1
expect "not promiscuous any more" grep -q 'promiscuity 0' <(ip -d link show d0)
expect "no ports" no_ports

echo "==> the NIC goes away under it"
expect "claim" smplbctl port add d0 --name smplb0
ip link set smplb0 up
ip netns add other
ip link set d0 netns other
expect "moved away" eventually 5 gone smplb0
expect "no ports" no_ports
ip -n other link set d0 netns 1
ip addr add 10.9.0.1/24 dev d0
ip link set d0 up
expect "the NIC as before" eventually 5 pings 10.9.0.1
expect "claim" smplbctl port add d0
ip -n client link del c0
expect "deleted" eventually 5 gone smplb0
expect "no ports" no_ports

echo "==> it counts from 0, whoever had its number before"
# There are 64 numbers, which take turns. One of them was smplb0's.
ip link add e0 type veth peer name e1
counted() {
	smplbctl -j port list | json "sum(p[k] for p in d if p['ifname'] == 'again' for k in ('rx_packets', 'tx_packets', 'dropped'))"
}
for ((n = 0; n < 64; n++)); do
	expect "claim" ip link add link e0 name again type smplb
	(($(counted) == 0)) || die "a new port has counted: $(smplbctl port list)"
	expect "release" ip link del again
done
ip link del e0

echo "==> rmmod with traffic flowing"
cable client c0 - d0
ip -n client addr add "$CLIENT/24" dev c0
ip -n client addr add 10.9.0.2/24 dev c0
ip -n client link set c0 up
ip addr add 10.9.0.1/24 dev d0
ip link set d0 up
expect "claim" smplbctl port add d0 --name smplb0
ip addr add 10.1.0.1/24 dev smplb0
ip link set smplb0 up
expect "ping" eventually 5 pings 10.1.0.1
helper client udp flood 10.1.0.1 9 3 &
in_ns client ping -q -f -w 3 10.1.0.1 >/dev/null &
sleep 1
expect "rmmod" rmmod smplb
wait
expect "the NIC as before" eventually 5 pings 10.9.0.1
