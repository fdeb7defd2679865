#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio --nic virtio
# NICs are claimed and given back by smplbctl alone, by PCI address and by name,
# again and again; what must be refused is refused and leaves the NIC as it was;
# and the pool knows who has each buffer.
#
# eth0 is cabled to eth1, eth2 to eth3.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pci.sh"

ROUNDS=${ROUNDS:-100}
# A debug kernel is slow.
[[ -e /sys/kernel/debug/kmemleak ]] && ROUNDS=20

is_stock() { [[ $(driver "$1") == "$(stock "$1")" && $(<"$PCI/devices/$1/driver_override") == "(null)" ]]; }
pings() { in_ns client ping -q -c 1 -W 1 10.1.0.1 >/dev/null; }

# eth0 with the stock driver reaches the client.
works() {
	is_stock "$A" || die "$A has driver $(driver "$A"), reserved for $(<"$PCI/devices/$A/driver_override")"
	[[ $(<"/sys/class/net/eth0/address") == "$MAC" ]] || die "eth0 is not the NIC it was"
	ip addr replace 10.1.0.1/24 dev eth0
	ip link set eth0 up
	expect "the NIC works" eventually 10 pings
	ip link set eth0 down
	ip addr flush dev eth0
}

virtio_world 1
web b1 8080
A=$(place eth0) B=$(place eth2) MAC=$(</sys/class/net/eth0/address)
add() { smplbctl port add "$@"; }

echo "==> refusals"
refuse "no module" "cannot add port $A: .*not loaded .*modprobe smplb" add "$A"
refuse "no pool without the module" "not loaded" smplbctl pool
load
is_stock "$A" || die "the NIC was claimed by loading the module"
expect "no pool" test "$(smplbctl -j pool | json "d['buffers'], d['ports'], d['engines']")" = "(0, [], [])"
smplbctl pool
refuse "no such device" "no such PCI device" add 0000:00:1e.0
refuse "no address" "not a PCI address" add 0000:00:02
refuse "no such interface" "no network interface eth7" add eth7 --driver virtio_net
refuse "another driver" "1af4:1041 is not a NIC of driver intel" add "$A" --driver intel
refuse "no such driver" "no driver e100" add "$A" --driver e100
bridge=$(basename "$(dirname "$(grep -l 0x0600 $PCI/devices/*/class | head -1)")")
refuse "no NIC" "not a network controller" add "$bridge" --driver virtio_net
refuse "not on this bus" "not a PCI device" add lo --driver virtio_net
refuse "another namespace" "initial network namespace" in_ns client smplbctl port add "$A"
refuse "an interface elsewhere" "in another network namespace" add "$(in_ns client bash -c "$(declare -f place); place c0")"
ip addr add 10.1.0.1/24 dev eth0
ip link set eth0 up
refuse "in use" "eth0 has routes" add "$A"
refuse "in use, by name" "eth0 has routes" add eth0 --driver virtio_net
ip addr flush dev eth0
ip link add br9 type bridge
ip link set eth0 master br9
refuse "of a bridge" "eth0 belongs to br9" add "$A"
ip link del br9
ip link set eth0 down
refuse "the name is taken" "an interface eth2 already" add "$A" --name eth2
is_stock "$A" || die "something was refused and done"

echo "==> what fails later is undone"
refuse "no such CPU" "cannot add port $A: .*CPU" add "$A" --cpu 77
works
refuse "no such name" "cannot add port $A: " add "$A" --name 'no good'
works
refuse "a name that is too long" "cannot add port $A: " add "$A" --name a-name-that-is-too-long
works

echo "==> by address, with name and CPU"
expect "claim" add "${A#0000:}" --name left --cpu 1
expect "its driver" test "$(driver "$A")" = smplb_virtio_net
smplbctl port list
expect "listed" grep -Eq "^left +$A +virtio_net +1 " <(smplbctl port list)
refuse "again" "claimed already, as left" add "$A"
expect "its MAC" test "$(</sys/class/net/left/address)" = "$MAC"
ip addr add 10.1.0.1/24 dev left
ip link set left up
expect "ping" eventually 5 pings
refuse "not by ip" "not supported" ip link del left
refuse "not one of ours" "no such pseudo interface" smplbctl port del lo
refuse "not one of ours" "no port is of this PCI device" smplbctl port del "$B"

echo "==> the pool, while traffic flows"
expect "another one, by name" add eth2 --driver virtio_net
ip addr add 10.2.0.1/24 dev smplb0
ip link set smplb0 up
balance "tcp:$VIP:80" -- 10.2.0.11:8080
fetch() { in_ns client curl -sS --max-time 60 -o /dev/null "http://$VIP/blob?[1-$1]"; }
expect "a first request" eventually 10 fetch 1
ip netns exec client ping -q -f -c 1000000 10.1.0.1 >/dev/null &
flood=$!
ip netns exec b1 ping -q -f -c 1000000 10.2.0.1 >/dev/null &
floods="$flood $!"
fetch 10 &
for ((n = 0; n < 20; n++)); do
	adds_up
done
smplbctl pool
expect "requests under the floods" wait $!
# shellcheck disable=SC2086
kill $floods
# shellcheck disable=SC2086
wait $floods
sleep 0.2
adds_up
expect "two ports" test "$(smplbctl -j pool | json "[p['ifname'] for p in d['ports']]")" = "['left', 'smplb0']"
expect "nobody else's" test "$(in_ns client smplbctl -j pool | json "d['buffers']")" = 0
before=$(pool buffers)
expect "give back by address" smplbctl port del "$B"
is_stock "$B" || die "$B has driver $(driver "$B")"
expect "its name" eventually 5 test "$(place eth2)" = "$B"
adds_up
expect "the same pool" test "$(pool buffers)" = "$before"
expect "one port" test "$(smplbctl -j pool | json "[p['ifname'] for p in d['ports']]")" = "['left']"

echo "==> given back"
expect "give back" smplbctl port del left
expect "no pool" test "$(pool buffers)" = 0
[[ $(smplbctl -j port list) == "[]" ]] || die "still listed: $(smplbctl port list)"
works

echo "==> its name, even when it comes back with another"
expect "claim" add eth0 --driver virtio_net
ip link add eth0 type dummy
expect "give back" smplbctl port del smplb0
ip link del eth0
other=$(ls "$PCI/devices/$A"/virtio*/net)
[[ $other != eth0 ]] || die "two interfaces of one name"
ip link set "$other" name was0
expect "claim" add was0 --driver virtio_net
expect "give back" smplbctl port del smplb0
expect "was0 again" test "$(place was0)" = "$A"
ip link set was0 name eth0
works

echo "==> with its address, by force"
ip addr add 10.1.0.1/24 dev eth0
ip link set eth0 up
expect "claim" add eth0 --driver virtio_net --force --name eth0
expect "claimed" test "$(driver "$A")" = smplb_virtio_net
expect "give back" smplbctl port del eth0
works

echo "==> loaded, claimed, given back and unloaded $ROUNDS times"
# Pages that are free once what can be given back is: the most of three looks, as the
# kernel frees some things later.
free() {
	local look most=0 pages
	for look in 1 2 3; do
		sync
		echo 3 >/proc/sys/vm/drop_caches
		sleep 1
		pages=$(free_pages)
		((pages > most)) && most=$pages
	done
	echo "$most"
}
round() {
	load && add "$A" && smplbctl port del smplb0 && rmmod smplb
}
expect "unload" rmmod smplb
for ((n = 0; n < 20; n++)); do
	round || die "round $n"
done
before=$(free) start=$SECONDS
cp /proc/meminfo /tmp/meminfo
for ((n = 0; n < ROUNDS; n++)); do
	round || die "round $n"
done
after=$(free)
diff /tmp/meminfo /proc/meminfo
echo "$ROUNDS rounds in $((SECONDS - start)) s, free pages before $before, after $after"
works
# What the kernel caches by and by; it is less than two pages a round.
((before - after < 2 * ROUNDS + 100)) || die "pages are lost: $before before, $after after"
