#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The way to the servers, or the one back, takes only smaller packets: the sender
# is told by ICMP and TCP goes on; what may not be answered is counted.
. "$(dirname "$0")/lib.sh"

load
world 1
web b1 80
balance "tcp:$VIP:80" -- 10.2.0.11
balance "tcp:$VIP:9000" -- 10.2.0.11
balance "udp:$VIP:7" -- 10.2.0.11
helper b1 udp serve 10.2.0.11 7 b1 &
ok() { in_ns client curl -sS -o /dev/null --max-time 5 "http://$VIP/"; }
same() { in_ns client curl -sS --max-time 20 "http://$VIP/blob" | cmp - /tmp/web-b1-80/blob; }
expect "a first request" eventually 10 ok

echo "==> smaller toward the servers"
expect "mtu" ip link set smplb1 mtu 1300
for tso in on off; do
	in_ns client ip route flush cache
	in_ns client ethtool -K c0 tso $tso gso $tso >/dev/null
	expect "upload, tso $tso" upload 9000 /tmp/web-b1-80/blob
	[[ $(mtu_of client "$VIP") == "mtu 1300" ]] || die "tso $tso: the client was not told: $(ip -n client route get "$VIP")"
done
(($(drops mtu-exceeded) > 0)) || die "not counted"

echo "==> UDP: with DF its sender is told, without it is counted"
before=$(drops mtu-exceeded)
in_ns client ip route flush cache
[[ $(helper client udp big "$VIP" 7 1250) == b1 ]] || die "1250 octets fit"
in_ns client sysctl -qw net.ipv4.ip_no_pmtu_disc=1
[[ $(helper client udp big "$VIP" 7 1350) == - ]] || die "1350 octets do not fit"
(($(drops mtu-exceeded) == before + 1)) || die "$(($(drops mtu-exceeded) - before)) counted"

echo "==> smaller toward the clients"
expect "mtu" ip link set smplb1 mtu 1500
expect "mtu" ip link set smplb0 mtu 1200
expect "download" same
[[ $(mtu_of b1 "$CLIENT") == "mtu 1200" ]] || die "the server was not told: $(ip -n b1 route get "$CLIENT")"

echo "==> smaller NICs"
expect "mtu" ip link set smplb0 mtu 1500
expect "mtu" ip link set d0 mtu 1100
in_ns b1 ip route flush cache
expect "download" same
[[ $(mtu_of b1 "$CLIENT") == "mtu 1100" ]] || die "the server was not told: $(ip -n b1 route get "$CLIENT")"
