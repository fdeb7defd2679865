#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Routes and neighbours of the pseudo interfaces are followed, whoever sets them:
# a back-end behind a router, a MAC address that changes, a route that goes.
#
#   smplb1 10.2.0.1 | d1 ---- s0 [lan] (bridge)
#                                |-- [b1] 10.2.0.11
#                                |-- [r1] 10.2.0.21 ---- 10.4.0.1 |
#                                |-- [r2] 10.2.0.22 ---- 10.4.0.2 | br4 in [far] 10.4.0.9
. "$(dirname "$0")/lib.sh"

load
world 1
namespaces far r1 r2
ip -n far link add br4 type bridge
ip -n far link set br4 up
for n in 1 2; do
	cable "r$n" eth0 lan "q$n"
	ip -n lan link set "q$n" master br0 up
	cable "r$n" eth1 far "x$n"
	ip -n far link set "x$n" master br4 up
	ip -n "r$n" addr add "10.2.0.2$n/24" dev eth0
	ip -n "r$n" addr add "10.4.0.$n/24" dev eth1
	ip -n "r$n" link set eth0 up
	ip -n "r$n" link set eth1 up
	ip -n "r$n" route add default via 10.2.0.1
	in_ns "r$n" sysctl -qw net.ipv4.ip_forward=1
done
ip -n far addr add 10.4.0.9/24 dev br4
ip -n far route add default via 10.4.0.1
web far 80
web b1 80
balance "tcp:$VIP:80" -- 10.4.0.9
balance "tcp:$VIP:81" -- 10.2.0.11:80
ok() { in_ns client curl -sS -o /dev/null --max-time "${2:-3}" "http://$VIP:$1/" 2>/dev/null; }
passed() { in_ns "$1" cat /sys/class/net/eth0/statistics/rx_packets; }
rises() { # NS: a request is answered, and passes that router
	local before
	before=$(passed "$1")
	ok 80 && (($(passed "$1") > before + 2))
}

echo "==> no route yet"
before=$(drops no-route)
ok 80 1 && die "answered without a route"
(($(drops no-route) > before)) || die "not counted"

echo "==> through a gateway, and through another"
ip route add 10.4.0.0/24 via 10.2.0.21
expect "by r1" eventually 5 rises r1
ip route replace 10.4.0.0/24 via 10.2.0.22
expect "by r2" eventually 5 rises r2
ip route add 10.4.0.9/32 via 10.2.0.21
expect "the longer prefix wins" eventually 5 rises r1
ip route add 10.4.0.9/32 via 10.2.0.22 metric 5
expect "the smaller metric wins" eventually 5 rises r1
ip route del 10.4.0.9/32 via 10.2.0.21
expect "then the other" eventually 5 rises r2
ip route flush root 10.4.0.0/16
dropped() { ! ok 80 1 && (($(drops no-route) > $1)); }
expect "no route any more" eventually 5 dropped "$(drops no-route)"
ip route add unreachable 10.4.0.0/16
expect "unreachable" eventually 5 dropped "$(drops no-route)"
ip route add default via 10.2.0.22
expect "still unreachable" eventually 5 dropped "$(drops no-route)"
ip route del unreachable 10.4.0.0/16
expect "the default route" eventually 5 rises r2
ip nexthop add id 1 via 10.2.0.21 dev smplb1
ip route add 10.4.0.0/24 nhid 1
expect "a nexthop object" eventually 5 rises r1
ip nexthop replace id 1 via 10.2.0.22 dev smplb1
expect "that is replaced" eventually 5 rises r2
ip route del 10.4.0.0/24

echo "==> a held connection follows the route"
helper far tcp serve 10.4.0.9 7 far &
balance "tcp:$VIP:82" -- 10.4.0.9:7
served() { [[ $(helper client tcp ask "$VIP" 82 1) == far ]]; }
expect "a first connection" eventually 10 served
coproc HELD { helper client tcp hold "$VIP" 82 1; }
read -r -t 10 name <&"${HELD[0]}" || die "a connection that stays"
poke() { echo >&"${HELD[1]}" && read -r -t 10 state <&"${HELD[0]}" && [[ $state == open ]]; }
expect "by r2" poke
ip route replace default via 10.2.0.21
before=$(passed r1)
moved() { poke && (($(passed r1) > before)); }
expect "by r1" eventually 5 moved

echo "==> the MAC address of a server changes"
expect "before" eventually 5 ok 81
ip -n b1 link set eth0 down
ip -n b1 link set eth0 address 02:00:00:00:00:77
ip -n b1 link set eth0 up
ip -n b1 route add default via 10.2.0.1
in_ns b1 ping -q -c 1 -W 2 10.2.0.1 >/dev/null
expect "after it spoke" eventually 5 ok 81
ip neigh replace 10.2.0.11 lladdr 02:00:00:00:00:99 dev smplb1 nud permanent
refused() { ! ok 81 1; }
expect "a wrong one by hand is followed" eventually 5 refused
ip neigh replace 10.2.0.11 lladdr 02:00:00:00:00:77 dev smplb1 nud permanent
expect "and the right one" eventually 5 ok 81
ip neigh del 10.2.0.11 dev smplb1
expect "and resolved again" eventually 5 ok 81
(($(smplbctl -j stats | json "sum(e['resolved'] for e in d['engines'])") > 0)) || die "nothing was resolved"
