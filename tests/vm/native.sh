#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio --nic virtio
# Ports of NICs that the module drives itself: claimed by driver_override, real
# HTTP balanced over them, the host reached through the pseudo interfaces, an
# interrupt only while the engine sleeps and never on its CPU, and given back to
# the stock driver, again and again.
#
# eth0 is cabled to eth1, eth2 to eth3.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pci.sh"

up() { # PLACE NAME ADDRESS
	local dev
	expect "claim $1" hand "$1" smplb_virtio_net
	dev=$(device "$3") || die "no pseudo interface for $1"
	ip link set "$dev" name "$2"
	ip addr add "$4" dev "$2"
	expect "$2 up" ip link set "$2" up
}

virtio_world
for n in 1 2 3; do
	web "b$n" 8080
done
A=$(place eth0) B=$(place eth2) MAC_A=$(</sys/class/net/eth0/address) MAC_B=$(</sys/class/net/eth2/address)

echo "==> nothing is claimed by loading the module"
load
[[ $(driver "$A") == virtio-pci ]] || die "the NIC was claimed"

echo "==> claimed by driver_override"
up "$A" smplb0 "$MAC_A" 10.1.0.1/24
up "$B" smplb1 "$MAC_B" 10.2.0.1/24
smplbctl port list
[[ $(smplbctl -j port list | json "[(p['driver'], p['lower_ifname']) for p in d]") == "[('virtio_net', '$A'), ('virtio_net', '$B')]" ]] ||
	die "listed: $(smplbctl -j port list)"

echo "==> the host behind the pseudo interface"
expect "ping" in_ns client ping -q -c 3 -W 2 10.1.0.1
expect "ping out" ping -q -c 2 -W 2 "$CLIENT"

echo "==> HTTP through both"
balance "tcp:$VIP:80" -- 10.2.0.11:8080=5 10.2.0.12:8080=3 10.2.0.13:8080=2
ok() { in_ns client curl -sS -o /dev/null --max-time 5 "$1"; }
expect "a first request" eventually 10 ok "http://$VIP/"
served=$(requests 60 "http://$VIP")
echo "$served"
[[ $(awk '{ print $2 "=" $1 }' <<<"$served" | xargs) == "b1=30 b2=18 b3=12" ]] || die "not 30, 18 and 12"
cp /tmp/web-b1-8080/blob /tmp/blob
for n in 2 3; do cp /tmp/blob "/tmp/web-b$n-8080/blob"; done
expect "a large file" cmp <(in_ns client curl -sS --max-time 30 "http://$VIP/blob") /tmp/blob
smplbctl stats

echo "==> the engine sleeps, and an interrupt of the control CPU wakes it"
# Interrupts of both NICs on a CPU.
interrupts() { awk -v cpu="$1" '/smplb@pci/ { n += $(cpu + 2) } END { print n + 0 }' /proc/interrupts; }
sleeps() { smplbctl -j stats | json "sum(e['sleeps'] for e in d['engines'])"; }
slept=$(sleeps) woken=$(interrupts 0)
for n in {1..20}; do
	expect "ping $n from an idle engine" in_ns client ping -q -c 1 -W 1 10.1.0.1
	sleep 0.05
done
(($(sleeps) - slept >= 20)) || die "slept $slept and then $(sleeps) times"
(($(interrupts 0) - woken >= 20)) || die "woken $woken and then $(interrupts 0) times"
woken=$(interrupts 0)
expect "a flood" in_ns client ping -q -f -c 20000 10.1.0.1
echo "$(($(interrupts 0) - woken)) interrupts for 20000 pings"
(($(interrupts 1) == 0)) || die "interrupts on the switching CPU: $(grep smplb@pci /proc/interrupts)"

echo "==> given back"
expect "release" hand "$A" ""
expect "release" hand "$B" ""
[[ $(smplbctl -j port list) == "[]" ]] || die "still listed: $(smplbctl port list)"
works() { # MAC ADDRESS PEER: the stock driver reaches the other end
	local dev
	dev=$(device "$1") || return 1
	ip addr replace "$2" dev "$dev"
	ip link set "$dev" up
	ping -q -c 1 -W 1 "$3" >/dev/null
}
expect "the NIC works as before" eventually 10 works "$MAC_A" 10.1.0.1/24 "$CLIENT"

echo "==> one of each kind"
up "$A" smplb0 "$MAC_A" 10.1.0.1/24
lower=$(device "$MAC_B") || die "the other NIC is not back"
ip addr flush dev "$lower"
expect "claim $lower" smplbctl port add "$lower" --name smplb1
ip addr add 10.2.0.1/24 dev smplb1
expect "smplb1 up" ip link set smplb1 up
expect "a first request" eventually 10 ok "http://$VIP/"
expect "a large file" cmp <(in_ns client curl -sS --max-time 30 "http://$VIP/blob") /tmp/blob
expect "from the host" eventually 5 curl -sS -o /dev/null --max-time 2 http://10.2.0.11:8080/
expect "give back" smplbctl port del smplb1
expect "release" hand "$A" ""

echo "==> and again, and by rmmod with traffic"
for n in 1 2 3; do
	up "$A" smplb0 "$MAC_A" 10.1.0.1/24
	expect "ping $n" eventually 5 in_ns client ping -q -c 1 -W 1 10.1.0.1
	in_ns client ping -q -f -c 100000 10.1.0.1 >/dev/null &
	sleep 0.3
	if ((n == 2)); then
		expect "rmmod" rmmod smplb
		load
	fi
	expect "release $n" hand "$A" ""
	kill %% && wait
	expect "works $n" eventually 10 works "$MAC_A" 10.1.0.1/24 "$CLIENT"
done
