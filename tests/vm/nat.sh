#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Mode nat with real programs: HTTP in the shares wanted, large files intact and
# every checksum right, whoever is to compute it.
. "$(dirname "$0")/lib.sh"

ok() { in_ns client curl -sS -o /dev/null --max-time 5 "$1"; }

load
world
# What came while the NICs were up and the pseudo interfaces not yet.
early=$(lost no-connection stack-full)
for n in 1 2 3; do
	web "b$n" 8080
done
balance "tcp:$VIP:80" -- 10.2.0.11:8080=5 10.2.0.12:8080=3 10.2.0.13:8080=2
balance "tcp:$VIP:81" -- 10.2.0.11:8080

echo "==> shares 5:3:2"
expect "a first request" eventually 10 ok "http://$VIP/"
served=$(requests 60 "http://$VIP")
echo "$served"
[[ $(awk '{ print $2 "=" $1 }' <<<"$served" | xargs) == "b1=30 b2=18 b3=12" ]] || die "not 30, 18 and 12"

echo "==> a large file, whoever segments and computes checksums"
# Offloads of the client's and the server's NIC, and of the switch's two. Only
# where all is computed in software is there something for tcpdump to check.
same() { in_ns client curl -sS --max-time 20 "http://$VIP:81/blob" | cmp - /tmp/web-b1-8080/blob; }
balance "tcp:$VIP:82" -- 10.2.0.11:9000
watchers=()
look() { # NAME NS IF
	[[ $1 == client ]] && watchers=()
	ip netns exec "$2" tcpdump -Q in -nnvv -i "$3" -U -w "/tmp/$1.pcap" 'ip and tcp' 2>"/tmp/$1.log" &
	watchers+=($!)
	expect "tcpdump" eventually 10 grep -q listening "/tmp/$1.log"
}
checked() { # NAME: no wrong sum in what was seen, and something was seen
	tcpdump -nnvvr "/tmp/$1.pcap" >"/tmp/$1.txt" 2>/dev/null
	grep -qE 'cksum 0x[0-9a-f]+ \(correct\)' "/tmp/$1.txt" || die "$2: nothing seen at the $1"
	grep -m 3 -E 'bad cksum|incorrect' "/tmp/$1.txt" && die "$2: wrong checksum at the $1"
}
both() {
	expect "download, $1" same
	expect "upload, $1" upload 82 /tmp/web-b1-8080/blob
}
both "tx on everywhere"
for who in switch ends; do
	if [[ $who == switch ]]; then
		ethtool -K d0 tx off >/dev/null
		ethtool -K d1 tx off >/dev/null
	else
		ethtool -K d0 tx on >/dev/null
		ethtool -K d1 tx on >/dev/null
		in_ns client ethtool -K c0 tx off >/dev/null
		in_ns b1 ethtool -K eth0 tx off >/dev/null
	fi
	look client client c0
	look server b1 eth0
	both "tx off at the $who"
	kill "${watchers[@]}"
	wait "${watchers[@]}"
	checked client "$who"
	checked server "$who"
done

echo "==> the time to live is one less, and options of TCP pass"
tcpdump -nnvr /tmp/server.pcap 'tcp[tcpflags] & tcp-syn != 0' >/tmp/syn 2>/dev/null
grep -q 'ttl 63,' /tmp/syn || die "TTL at the server: $(</tmp/syn)"
grep -q 'mss 1460,sackOK,TS val' /tmp/syn || die "options at the server: $(</tmp/syn)"
expect "answers too" grep -q 'ttl 63,' <(tcpdump -nnvr /tmp/client.pcap tcp 2>/dev/null)

echo "==> a tunnel's datagram, whose payload's checksum is left to a NIC"
# It is left to what comes behind the switch: who receives looks at all of it then.
in_ns client ethtool -K c0 tx on >/dev/null
ethtool -K d1 tx off >/dev/null
balance "udp:$VIP:4789" -- 10.2.0.11:4789
in_ns b1 python3 -ES -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 4789))
print("bound", flush=True)
print(s.recv(2048).hex(), flush=True)' >/tmp/tunnel.log &
expect "the end of a tunnel" eventually 10 grep -q bound /tmp/tunnel.log
sent=$(helper client frames tunnel c0 "$(</sys/class/net/smplb0/address)" "$VIP" 4789)
expect "its datagram, with both checksums right" eventually 5 grep -qx "$sent" /tmp/tunnel.log

(($(lost no-connection stack-full) == early)) || die "drops: $(smplbctl stats)"
