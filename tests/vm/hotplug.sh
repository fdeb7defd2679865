#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 4 --nic virtio --nic virtio --nic virtio --nic virtio
# CPUs that poll go offline and come back, under traffic, again and again: their
# ports go to other CPUs and no frame is lost; the last CPU stays. The same with
# an isolated CPU. d0 is a port of driver netdev, eth2 (to lan) a native one.
#
# eth0 is cabled to eth1, eth2 to eth3. ROUNDS=20 are done.
. "$(dirname "$0")/lib.sh"

ROUNDS=${ROUNDS:-20}

cpu() { echo "$2" >"/sys/devices/system/cpu/cpu$1/online"; }
cpus() { smplbctl -j port list | json "[p['cpu'] for p in d]"; }
cpu_of() { smplbctl -j port list | json "[p['cpu'] for p in d if p['ifname'] == '$1'][0]"; }
# Engines run on their own CPUs and nowhere else. One that has ended is listed a
# moment longer.
on_their_own() {
	local thread
	for thread in $(pgrep '^smplb/'); do
		[[ smplb/$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$thread/status") == $(<"/proc/$thread/comm") ]] || return 1
	done
}
bound() { eventually 5 on_their_own || die "on other CPUs: $(grep -H Cpus_allowed_list /proc/[0-9]*/status | grep -w "$(pgrep '^smplb/')")"; }
none() { [[ -z $(pgrep '^smplb/') ]]; }

modprobe virtio_net
expect "four NICs" eventually 10 test -e /sys/class/net/eth3
namespaces lan
ip link set eth3 netns lan name s0
lan_end 2
clients
web b1 8080
web b2 8080
load
expect "claim d0" smplbctl port add d0 --name smplb0 --cpu 3
expect "claim eth2" smplbctl port add eth2 --driver virtio_net --name smplb1 --cpu 3
ip addr add 10.1.0.1/24 dev smplb0
ip addr add 10.2.0.1/24 dev smplb1
expect "smplb0 up" ip link set smplb0 up
expect "smplb1 up" ip link set smplb1 up
balance "tcp:$VIP:80" -- 10.2.0.11:8080 10.2.0.12:8080
fetch() { in_ns client curl -sS --max-time 60 -o /dev/null "http://$VIP/blob?[1-$1]"; }
expect "a first request" eventually 10 fetch 1

echo "==> one CPU after the other"
expect "offline" cpu 3 0
[[ $(cpus) != *3* ]] || die "$(smplbctl port list)"
dmesg | grep -q 'CPU 3 goes offline: CPU [12] polls smplb[01] now' || die "not told: $(dmesg | tail -n 5)"
bound
refuse "offline" "not online" smplbctl port set smplb0 --cpu 3
expect "a request" fetch 1
expect "offline" cpu 2 0
[[ $(cpus) == "[1, 1]" ]] || die "$(smplbctl port list)"
expect "a request" fetch 1
refuse "the last one" "busy" cpu 1 0
dmesg | tail -n 3 | grep -q 'CPU 1 stays online' || die "not told: $(dmesg | tail -n 5)"
bound
expect "a request" fetch 1
expect "online" cpu 2 1
expect "online" cpu 3 1
[[ $(cpus) == "[1, 1]" ]] || die "moved back: $(smplbctl port list)"
bound

echo "==> $ROUNDS times under traffic"
before=$(lost tx-busy)
in_ns client ping -q -i 0.002 -w 1000 10.1.0.1 >/tmp/ping &
in_ns b1 ping -q -i 0.002 -w 1000 10.2.0.1 >/tmp/ping-native &
in_ns client bash -c "while [[ ! -e /tmp/enough ]]; do curl -sS --max-time 60 --limit-rate 1M -o /dev/null http://$VIP/blob || exit 1; done" &
FETCH=$!
for ((n = 0; n < ROUNDS; n++)); do
	gone=$((n % 2 + 2))
	expect "move" smplbctl port set smplb0 --cpu $gone
	expect "move" smplbctl port set smplb1 --cpu $((n % 4 < 2 ? gone : 1))
	expect "offline $n" cpu $gone 0
	[[ $(cpus) != *$gone* ]] || die "$(smplbctl port list)"
	expect "online $n" cpu $gone 1
done
bound
touch /tmp/enough
expect "the transfers" wait $FETCH
sleep 0.5
pkill -INT -x ping
wait
grep transmitted /tmp/ping /tmp/ping-native
smplbctl stats
(($(lost tx-busy) == before)) || die "packets are lost"
# What waits while a port moves is sent at once, which may be more than the NIC has
# room for when the host has kept it from sending for as long: counted, and few.
busy=$(drops tx-busy) all=$(smplbctl -j stats | json "sum(e['packets'] for e in d['engines'])")
((busy * 100 <= all)) || die "$busy of $all packets found no room"
for file in /tmp/ping /tmp/ping-native; do
	# The one that is under way when it ends has no answer.
	awk -v most=$((1 + busy)) '/transmitted/ { lost = $1 - $4; n = $1 } END { exit !(n > 100 && lost <= most) }' $file ||
		die "pings are lost: $(<$file)"
done
adds_up

echo "==> an isolated CPU"
expect "isolate" smplbctl cpu isolate 2
undo "smplbctl cpu release"
expect "move" smplbctl port set smplb0 --cpu 2
expect "move" smplbctl port set smplb1 --cpu 2
expect "offline" cpu 2 0
[[ $(cpus) != *2* ]] || die "$(smplbctl port list)"
expect "a request" fetch 1
expect "online" cpu 2 1
expect "back" smplbctl port set smplb1 --cpu 2
smplbctl cpu list
expect "isolated as before" eventually 3 test "$(</sys/fs/cgroup/smplb/cpuset.cpus.partition)" = isolated
expect "release" smplbctl cpu release
expect "offline" cpu 2 0
expect "online" cpu 2 1
expect "a request" fetch 1
bound

echo "==> ports that come and go meanwhile"
(for ((n = 0; n < 10; n++)); do cpu 3 0 && cpu 3 1; done 2>/dev/null) &
for ((n = 0; n < 20; n++)); do
	smplbctl port set smplb0 --cpu $((n % 2 * 2 + 1)) 2>/dev/null
	smplbctl port set smplb1 --cpu $((n % 2 * 2 + 1)) 2>/dev/null
done
wait
expect "a request" fetch 1
bound
expect "release" smplbctl port del smplb1
expect "release" smplbctl port del smplb0
eventually 5 none || die "engines are left: $(pgrep -l '^smplb/')"
