#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Mode dr: the servers have the VIP on their loopback and answer the client
# themselves; only the switch answers ARP for it. First with the client behind
# the other port, its answers routed by the host; then with one port for all:
#
#   [client] c0 ---- d0 | smplb0  smplb1 | d1 ---- s0 [lan] (bridge)
#                                                     |-- [b1] 10.2.0.11, VIP on lo
#                                                     |-- [b2] 10.2.0.12, VIP on lo
#                                                     |-- [near] 10.2.0.50
. "$(dirname "$0")/lib.sh"

load
world 2
for n in 1 2; do
	in_ns "b$n" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
	ip -n "b$n" addr add "$VIP/32" dev lo
	web "b$n" 80
done
namespaces near
cable near eth0 lan p9
ip -n lan link set p9 master br0 up
ip -n near addr add 10.2.0.50/24 dev eth0
ip -n near link set eth0 up
ip -n near route add "$VIP" dev eth0
expect "forwarding" sysctl -qw net.ipv4.ip_forward=1
undo "sysctl -qw net.ipv4.ip_forward=0"

balance "tcp:$VIP:80" --mode dr -- 10.2.0.11=2 10.2.0.12=1
refuse "another port" "mode dr does not change the port" \
	smplbctl backend add "tcp:$VIP:80" 10.2.0.13:8080

shares() { # NS
	in_ns "$1" curl -sS --max-time 20 -H 'Connection: close' "http://$VIP/[1-12]" | sort | uniq -c |
		awk '{ print $2 "=" $1 }' | xargs
}
ok() { in_ns "$1" curl -sS -o /dev/null --max-time 5 "http://$VIP/"; }
blob() {
	in_ns "$1" curl -sS --max-time 20 "http://$VIP/blob" >/tmp/blob
	cmp -s /tmp/blob /tmp/web-b1-80/blob || cmp /tmp/blob /tmp/web-b2-80/blob
}

echo "==> two arms"
expect "a first request" eventually 10 ok client
[[ $(shares client) == "b1=8 b2=4" ]] || die "shares: $(shares client)"
expect "a large file" blob client
(($(port smplb0 rx_packets) > 0)) || die "nothing passed"
replies=$(smplbctl -j backend list | json "sum(b['reply_packets'] for b in d)")
((replies == 0)) || die "$replies answers were taken for the switch's"

echo "==> one arm"
ip netns exec near tcpdump -nnei eth0 -U -w /tmp/near.pcap 2>/tmp/near.log &
watcher=$!
expect "tcpdump" eventually 10 grep -q listening /tmp/near.log
expect "a first request" eventually 10 ok near
[[ $(shares near) == "b1=8 b2=4" ]] || die "shares: $(shares near)"
expect "a large file" blob near
kill $watcher
wait $watcher
read_near() { tcpdump -nner /tmp/near.pcap "$@" 2>/dev/null; }
mac=$(</sys/class/net/smplb1/address)
read_near "arp and arp[6:2] = 2 and arp src host $VIP" >/tmp/arp
expect "ARP for the VIP was answered" test -s /tmp/arp
grep -v "^[^ ]* $mac > " /tmp/arp && die "somebody else answers ARP for the VIP"
grep -q "is-at $mac" /tmp/arp || die "answered with another MAC address"
expect "answers come from the servers" grep -q . <(read_near "src $VIP and tcp src port 80 and not ether src $mac")
read_near "src $VIP and tcp src port 80 and ether src $mac" | grep . && die "answers pass the switch"
read_near "ip and not host $VIP" | grep . && die "the client sees another address than the VIP"

echo "==> --no-announce leaves ARP to others"
expect "set" smplbctl service set "tcp:$VIP:80" --no-announce
ip -n near neigh flush dev eth0
ok near && die "somebody still answers ARP"
expect "set" smplbctl service set "tcp:$VIP:80" --announce
expect "again" eventually 5 ok near

echo "==> a port that comes up tells its VIPs"
ip netns exec near tcpdump -nnei eth0 -U -w /tmp/near.pcap 2>/tmp/near.log &
watcher=$!
expect "tcpdump" eventually 10 grep -q listening /tmp/near.log
ip link set smplb1 down
ip link set smplb1 up
announced() { read_near "arp and arp[6:2] = 1 and ether src $mac" | grep -q "tell $VIP"; }
expect "the VIP was announced" eventually 5 announced
kill $watcher
wait $watcher

states=$(smplbctl -j connections | json "sorted({c['mode'] for c in d})")
[[ $states == "['dr']" ]] || die "modes listed: $states"
