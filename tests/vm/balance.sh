#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Services and their connections over their life: UDP, refusals, draining,
# deleting, ports used again, fewest connections.
. "$(dirname "$0")/lib.sh"

is() { [[ $("${@:2}") == "$1" ]]; }
ask() { helper client "$1" ask "$VIP" "$2" "$3" | sort | uniq -c | awk '{ print $2 "=" $1 }' | xargs; }
answers() { [[ $(ask "$1" "$2" 1) == b* ]]; }

load
world
for n in 1 2 3; do
	helper "b$n" udp serve "10.2.0.1$n" 53 "b$n" &
	helper "b$n" tcp serve "10.2.0.1$n" 7 "b$n" &
	web "b$n" 80
done

echo "==> UDP"
balance "udp:$VIP:5353" -- 10.2.0.11:53=2 10.2.0.12:53=1
expect "a first answer" eventually 15 answers udp 5353
expect "shares 2:1" is "b1=20 b2=10" ask udp 5353 30

echo "==> TCP, seen in the listings"
balance "tcp:$VIP:7" -- 10.2.0.11 10.2.0.12 10.2.0.13
expect "a first answer" eventually 15 answers tcp 7
expect "turns" is "b1=3 b2=3 b3=3" ask tcp 7 9
coproc HOLD { helper client tcp hold "$VIP" 7 3; }
read -r -t 20 names <&"${HOLD[0]}" || die "connections that stay"
poke() { echo >&"${HOLD[1]}" && read -r -t 20 states <&"${HOLD[0]}" && echo "$states"; }
# Backend of each of the three, in order.
read -ra holders <<<"$names"
listed=$(smplbctl -j connections | json "len([c for c in d if c['state'] == 'established' and c['protocol'] == 'tcp' and c['port'] == 7 and c['client_addr'] == '$CLIENT'])")
((listed == 3)) || die "$listed of 3 connections listed: $(smplbctl connections)"
active() { smplbctl -j backend list "tcp:$VIP:7" | json "[b['active'] >= 1 for b in d]"; }
expect "active connections" is "[True, True, True]" active

echo "==> weight 0 drains"
expect "weight 0" smplbctl backend set "tcp:$VIP:7" 10.2.0.11 --weight 0
expect "no new ones" is "b2=3 b3=3" ask tcp 7 6
expect "the old stay" is "open open open" poke

echo "==> a deleted backend resets its connections"
expect "delete" smplbctl backend del "tcp:$VIP:7" "10.2.0.1${holders[0]#b}"
expect "its connection is reset" is "reset open open" poke
(($(drops backend-gone) > 0)) || die "not counted"
smplbctl backend set "tcp:$VIP:7" 10.2.0.12 --weight 0 2>/dev/null
smplbctl backend set "tcp:$VIP:7" 10.2.0.13 --weight 0 2>/dev/null
smplbctl backend set "tcp:$VIP:7" 10.2.0.11 --weight 0 2>/dev/null
expect "nobody left: refused" is "refused=1" ask tcp 7 1
(($(drops no-backend) == 1)) || die "not counted"

echo "==> what belongs to no service"
start=$SECONDS
expect "TCP is refused" is "refused=5" ask tcp 9 5
((SECONDS - start < 8)) || die "refused slowly"
before=$(drops no-service)
expect "UDP is dropped" is "-=1" ask udp 9 1
(($(drops no-service) == before + 1)) || die "not counted"
before=$(drops no-connection)
expect "data of no connection is reset" helper client frames orphan c0 "$(</sys/class/net/smplb0/address)" "$VIP" 7
(($(drops no-connection) == before + 1)) || die "not counted"

echo "==> a client's port used again at once"
balance "tcp:$VIP:80" -- 10.2.0.11 10.2.0.12
for sport in 40001 40002 40003 40004; do
	expect "port $sport again" helper client tcp again "$VIP" 80 $sport
done

echo "==> fewest connections"
expect "delete" smplbctl service del "tcp:$VIP:7"
balance "tcp:$VIP:7" --scheduler lc -- 10.2.0.11=1 10.2.0.12=1 10.2.0.13=2
coproc LEAST { helper client tcp hold "$VIP" 7 8; }
read -r -t 20 names <&"${LEAST[0]}" || die "connections that stay"
shares=$(tr ' ' '\n' <<<"$names" | sort | uniq -c | awk '{ print $2 "=" $1 }' | xargs)
[[ $shares == "b1=2 b2=2 b3=4" ]] || die "lc chose $shares"
# Connections that are over no longer count, whoever forgot them.
expect "weight 0" smplbctl backend set "tcp:$VIP:7" 10.2.0.12 --weight 0
expect "weight 0" smplbctl backend set "tcp:$VIP:7" 10.2.0.13 --weight 0
helper client tcp abort "$VIP" 7 6 >/dev/null
actives() { smplbctl -j backend list "tcp:$VIP:7" | json "[b['active'] for b in d]"; }
expect "six more" is "[8, 2, 4]" actives
expect "forgotten" eventually 20 is "[2, 2, 4]" actives
expect "weight 1" smplbctl backend set "tcp:$VIP:7" 10.2.0.12 --weight 1
coproc MORE { helper client tcp hold "$VIP" 7 4; }
read -r -t 20 names <&"${MORE[0]}" || die "connections that stay"
shares=$(tr ' ' '\n' <<<"$names" | sort | uniq -c | awk '{ print $2 "=" $1 }' | xargs)
[[ $shares == "b1=2 b2=2" ]] || die "lc then chose $shares"
