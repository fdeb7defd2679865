#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Back-ends that are the host itself, on a pseudo interface and on an address of
# a NIC that is no port, and one behind such a NIC (seed figure 7):
#
#   [client] c0 ---- d0 | smplb0        | u0 ---- eth0 [b4]
#   10.1.0.2            | 10.1.0.1      | 10.3.0.1     10.3.0.4
#                       | smplb1 10.2.0.1 | d1 ---- [lan]
. "$(dirname "$0")/lib.sh"

load
world 1
namespaces b4
cable - u0 b4 eth0
ip addr add 10.3.0.1/24 dev u0
ip link set u0 up
ip -n b4 addr add 10.3.0.4/24 dev eth0
ip -n b4 link set eth0 up
ip -n b4 route add default via 10.3.0.1
undo 'ip addr del "$VIP/32" dev lo'
expect "forwarding" sysctl -qw net.ipv4.ip_forward=1
undo "sysctl -qw net.ipv4.ip_forward=0"
web - 8080
web b4 80
web b1 80

answers() { [[ $(in_ns client curl -sS --max-time 5 "http://$VIP:$1/") == "$2" ]]; }
same() { in_ns client curl -sS --max-time 20 "http://$VIP:$1/blob" | cmp - "/tmp/web-$2/blob"; }
one() { # WHAT PORT BACKEND NAME WEB
	echo "==> $1"
	balance "tcp:$VIP:$2" -- "$3"
	expect "$1" eventually 10 answers "$2" "$4"
	expect "$1: a large file" same "$2" "$5"
}

one "the host, on smplb1" 81 10.2.0.1:8080 - --8080
one "the host, on smplb0" 82 10.1.0.1:8080 - --8080
one "the host, on a NIC that is no port" 83 10.3.0.1:8080 - --8080
one "a server behind a NIC that is no port" 84 10.3.0.4:80 b4 b4-80
expect "nobody behind it" smplbctl service add "tcp:$VIP:85"
expect "nobody behind it" smplbctl backend add "tcp:$VIP:85" 10.3.0.77:80

echo "==> a mixture"
balance "tcp:$VIP:80" -- 10.2.0.1:8080=1 10.3.0.4:80=1 10.2.0.11:80=2
expect "the server on the wire" eventually 10 answers 80 b1
shares=$(in_ns client curl -sS --max-time 30 -H 'Connection: close' "http://$VIP/[1-12]" | sort | uniq -c |
	awk '{ print $2 "=" $1 }' | xargs)
[[ $shares == "-=3 b1=6 b4=3" ]] || die "shares: $shares"

echo "==> a VIP that is also the host's address: other ports are the host's"
ip addr add "$VIP/32" dev lo
web - 90
expect "the host's own port" eventually 5 answers 90 -
expect "the service" answers 84 b4
expect "ping" in_ns client ping -q -c 1 -W 2 "$VIP" >/dev/null

echo "==> UDP"
helper - udp serve 10.2.0.1 53 host &
balance "udp:$VIP:53" -- 10.2.0.1
asked() { [[ $(helper client udp ask "$VIP" 53 1) == host ]]; }
expect "UDP" eventually 10 asked
