#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Frames with every header short or lying, to a VIP and not: each is dropped and
# counted by its reason or left to the host, and the switch goes on.
. "$(dirname "$0")/lib.sh"

load
world 1
# A backend whose address is known, so that good packets are forwarded at once.
balance "tcp:$VIP:80" -- 10.2.0.11
balance "udp:$VIP:53" -- 10.2.0.11
helper b1 udp serve 10.2.0.11 53 b1 &
answers() { [[ $(helper client udp ask "$VIP" 53 1) == b1 ]]; }
expect "UDP" eventually 15 answers
# Resets of refused connections and ICMP about closed ports would be counted too.
ip -n b1 link set eth0 down
ip neigh replace 10.2.0.11 lladdr 02:00:00:00:00:11 dev smplb1 nud permanent
ip neigh replace "$CLIENT" lladdr "$(in_ns client cat /sys/class/net/c0/address)" dev smplb0 nud permanent

helper - badframes client c0 "$(</sys/class/net/smplb0/address)" "$VIP" 10.1.0.1 || die "see above"

echo "==> what the host sends by hand"
helper - frames mangled smplb0

echo "==> large packets that lie about their segments"
helper client frames segments c0 "$(</sys/class/net/smplb0/address)" "$VIP" 80

echo "==> and it still works"
ip -n b1 link set eth0 up
ip -n b1 route add default via 10.2.0.1
ip neigh del 10.2.0.11 dev smplb1
expect "ping" in_ns client ping -q -c 3 -W 2 10.1.0.1 >/dev/null
expect "UDP" eventually 15 answers
