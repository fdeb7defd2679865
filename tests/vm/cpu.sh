#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 4 --append nohz_full=3 --nic virtio --nic virtio --nic virtio --nic virtio
# CPUs are isolated while their engines switch a flood: no interrupt of a device
# comes to them, /proc/interrupts and the module agree about that, and after the
# release everything is as it was.
#
# eth0 is cabled to eth1, eth2 to eth3.
. "$(dirname "$0")/lib.sh"

COUNT=1000000
# A debug kernel is slow.
DEBUG=$([[ -e /sys/kernel/debug/kmemleak ]] && echo 1)
[[ -z $DEBUG ]] || COUNT=50000
GROUP=/sys/fs/cgroup/smplb
SINK=10.2.0.66

# Every mask that isolating may change, as the kernel tells it.
masks() {
	grep -H . /proc/irq/default_smp_affinity /proc/irq/*/smp_affinity_list \
		/sys/devices/virtual/workqueue/cpumask* /proc/sys/kernel/watchdog_cpumask \
		/sys/class/net/*/queues/*/rps_cpus /sys/fs/cgroup/cgroup.subtree_control \
		/sys/fs/cgroup/cpuset.cpus.isolated 2>/dev/null
}

# Interrupts of devices on a CPU, by the kernel's table: CPU N is column N + 2.
devices() { awk -v cpu="$1" '$1 ~ /^[0-9]+:$/ { n += $(cpu + 2) } END { print n + 0 }' /proc/interrupts; }

# Interrupts of the NICs, on whatever CPU.
vectors() { awk '/smplb@pci/ { for (i = 2; i < 6; i++) n += $i } END { print n + 0 }' /proc/interrupts; }

# Packets that the kernel has received on CPUs 2 and 3.
received() {
	local stat n=0
	while read -ra stat; do
		((16#${stat[12]} < 2 || (n += 16#${stat[0]}, 1)))
	done </proc/net/softnet_stat
	echo $n
}

# What the kernel says of an engine's CPU: its ticks, and how often the engine's
# thread was switched to another one.
ticks() { awk -v cpu="$1" '$1 == "LOC:" { print $(cpu + 2) }' /proc/interrupts; }
switches() {
	local comm
	comm=$(grep -lx "smplb/$1" /proc/[0-9]*/comm 2>/dev/null)
	awk '/ctxt_switches/ { n += $2 } END { print n }' "${comm%comm}status"
}

# A value of the listing: listed CPU KEY.
listed() { smplbctl -j cpu list | json "next(c['$2'] for c in d if c['cpu'] == $1)"; }

# A value of CPU 3's listing, between two looks at what the kernel says: looks KEY
looks() { echo "$("$1" 3) $(listed 3 "$1") $("$1" 3)"; }

# Whether the listing grew as the kernel's own number did: agrees BEFORE AFTER, which
# are from looks.
agrees() {
	local before after
	read -ra before <<<"$1"
	read -ra after <<<"$2"
	local grown=$((after[1] - before[1]))
	((grown > 0 && grown >= after[0] - before[2] && grown <= after[2] - before[0]))
}

# Interrupts that somebody has asked for, and that have one of CPUs 2 and 3 in a
# mask: left_in FILE prints their numbers.
left_in() {
	python3 -ESc 'import glob, os, sys
for mask in sorted(glob.glob(f"/proc/irq/*/{sys.argv[1]}")):
    dir = os.path.dirname(mask)
    parts = [p.split("-") for p in open(mask).read().strip().split(",") if p]
    used = any(e.is_dir() for e in os.scandir(dir))
    if used and any(int(p[0]) <= 3 and int(p[-1]) >= 2 for p in parts):
        print(os.path.basename(dir))' "$1"
}

# How often an interrupt has come.
came() { awk -v irq="$1:" '$1 == irq { for (i = 2; i < 6; i++) n += $i } END { print n + 0 }' /proc/interrupts; }

# Whether no interrupt is left on CPUs 2 and 3, but those of which none has ever come.
# Without interrupt remapping one moves when it comes the next time, to the CPU that it
# leaves: all devices are made to interrupt.
moved() {
	local irq
	monitor info version
	echo >/dev/ttyS0
	echo 3 >/proc/sys/vm/drop_caches
	cat "$0" >/dev/null
	ls "$SMPLB_OUT" >/dev/null
	in_ns client ping -q -c 1 -W 1 10.1.0.1 >/dev/null
	in_ns lan ping -6 -q -c 1 -W 1 ff02::1%br0 >/dev/null
	ping -q -c 1 -W 1 "$SINK" >/dev/null
	for irq in $(left_in effective_affinity_list); do
		(($(came "$irq") == 0)) || return 1
	done
}

claim_native() { # DEVICE NAME ADDRESS
	expect "claim $1" smplbctl port add "$1" --driver virtio_net --name "$2"
	undo "smplbctl port del $2"
	ip addr add "$3" dev "$2"
	expect "$2 up" ip link set "$2" up
}

pg() { in_ns client sh -c "echo '$2' >/proc/net/pktgen/$1" || die "pktgen: $2"; }

flood() { # UDP for the service, from the client, on CPU 0
	local option
	pg kpktgend_0 rem_device_all
	pg kpktgend_0 "add_device c0"
	for option in "count 0" "pkt_size 60" "delay 0" "dst $VIP" "src_min $CLIENT" "src_max $CLIENT" \
		"udp_dst_min 9" "udp_dst_max 9" "udp_src_min 1000" "udp_src_max 1063" \
		"dst_mac $(</sys/class/net/smplb0/address)"; do
		pg c0 "$option"
	done
	in_ns client sh -c 'echo start >/proc/net/pktgen/pgctrl' &
	PKTGEN=$!
}

calm() {
	in_ns client sh -c 'echo stop >/proc/net/pktgen/pgctrl'
	wait $PKTGEN
}

switched() { port smplb1 tx_packets; }
slept() { smplbctl -j stats | json "sum(e['sleeps'] for e in d['engines'])"; }

masks >/tmp/before
echo "==> what cannot be isolated"
refuse "not root" 'as root' setpriv --reuid 65534 --clear-groups smplbctl cpu isolate 2
refuse "nothing" 'list of CPUs' smplbctl cpu isolate x
refuse "no such CPU" 'there is no CPU 9; there are 0-[37]' smplbctl cpu isolate 9
refuse "every CPU" 'no CPU would be left' smplbctl cpu isolate 0-3
refuse "without cgroup2" 'mount -t cgroup2' unshare -m sh -c 'umount /sys/fs/cgroup && smplbctl cpu isolate 2'
refuse "nothing to release" 'isolated no CPU' smplbctl cpu release
echo 0 >/sys/devices/system/cpu/cpu2/online
refuse "an offline CPU" 'echo 1 >.*cpu2/online' smplbctl cpu isolate 2
echo 1 >/sys/devices/system/cpu/cpu2/online
mkdir /sys/fs/cgroup/other
undo "[[ ! -d /sys/fs/cgroup/other ]] || rmdir /sys/fs/cgroup/other"
echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
echo 3 >/sys/fs/cgroup/other/cpuset.cpus
echo 3 >/sys/fs/cgroup/other/cpuset.cpus.exclusive
refuse "a CPU of another partition" 'cpuset|exclusive' smplbctl cpu isolate 3
rmdir /sys/fs/cgroup/other
echo -cpuset >/sys/fs/cgroup/cgroup.subtree_control
[[ ! -e $GROUP && ! -e /run/smplb/cpu.json ]] || die "a refusal left something behind"
diff /tmp/before <(masks) || die "a refusal changed something"

echo "==> without ports, and without the module"
expect "isolate" smplbctl cpu isolate 2
undo "smplbctl cpu release"
smplbctl cpu list
[[ $(smplbctl -j cpu list | json "[c['cpu'] for c in d]") == "[2]" ]] || die "listed: $(smplbctl cpu list)"
expect "release" smplbctl cpu release
diff /tmp/before <(masks) || die "not as before"

virtio_world 0
load
modprobe pktgen
claim_native eth0 smplb0 10.1.0.1/24
claim_native eth2 smplb1 10.2.0.1/24
# A neighbour that is not there: the other end of the cable drops its packets.
ip neigh replace "$SINK" lladdr 02:00:00:00:00:66 dev smplb1
balance "udp:$VIP:9" -- "$SINK:9"
[[ $(smplbctl -j port list | json "sorted(p['cpu'] for p in d)") == "[2, 3]" ]] || die "$(smplbctl port list)"
masks >/tmp/before

echo "==> isolated under traffic"
flood
undo "in_ns client sh -c 'echo stop >/proc/net/pktgen/pgctrl'"
flows() { (($(switched) > 1000)); }
expect "the flood" eventually 60 flows
smplbctl cpu list
expect "isolate" smplbctl cpu isolate 2
expect "isolate one more" smplbctl cpu isolate 3
[[ $(<$GROUP/cpuset.cpus.partition) == isolated ]] || die "partition: $(<$GROUP/cpuset.cpus.partition)"
[[ $(<$GROUP/cpuset.cpus.effective) == 2-3 ]] || die "partition: $(<$GROUP/cpuset.cpus.effective)"
[[ $(</sys/fs/cgroup/cpuset.cpus.isolated) == 2-3 ]] || die "isolated: $(</sys/fs/cgroup/cpuset.cpus.isolated)"
[[ $(</sys/devices/virtual/workqueue/cpumask) == *3 ]] || die "workqueues: $(</sys/devices/virtual/workqueue/cpumask)"
[[ $(</proc/irq/default_smp_affinity) == *3 ]] || die "interrupts: $(</proc/irq/default_smp_affinity)"
[[ $(</proc/sys/kernel/watchdog_cpumask) == 0-1 ]] || die "watchdog: $(</proc/sys/kernel/watchdog_cpumask)"
left=$(left_in smp_affinity_list)
[[ -z $left ]] || die "interrupts are left: $left"
for cpu in 2 3; do
	[[ $(listed $cpu isolated) == True ]] || die "not isolated: $(smplbctl cpu list)"
done
[[ $(listed 3 missing) != *nohz* && $(listed 2 missing) == *nohz_full* ]] || die "$(smplbctl cpu list)"
# A NIC that always finds packets is polled where it was interrupted last.
calm
eventually 30 moved || die "interrupts do not move: $(smplbctl cpu list; cat /proc/interrupts)"
flood
[[ $(smplbctl -j cpu list | json "[i for c in d for i in c['irqs'] if not i['pending']]") == "[]" ]] ||
	die "interrupts are left: $(smplbctl -j cpu list)"

echo "==> $COUNT packets without an interrupt of a device"
before=("$(devices 2)" "$(devices 3)" "$(received)") sleeps=$(slept) woken=$(vectors) told=("$(listed 2 interrupts)" "$(listed 3 interrupts)")
counted=("$(looks ticks)" "$(looks switches)")
start=$EPOCHSECONDS first=$(switched)
enough() { (($(switched) - first >= COUNT)); }
expect "$COUNT packets" eventually 120 enough
packets=$(($(switched) - first))
expect "the host has packets, too" in_ns client ping -q -c 20 -i 0.05 -W 2 10.1.0.1
after=("$(devices 2)" "$(devices 3)" "$(received)") woken=$(($(vectors) - woken)) sleeps=$(($(slept) - sleeps))
echo "the NICs interrupted the control CPU $woken times, and engines slept $sleeps times"
# They are masked while engines poll, and each sleep arms one: before the first look
# at them both engines may have begun to.
((woken <= sleeps + 2)) || die "interrupts while engines poll: $woken, $sleeps sleeps"
# Under a flood they hardly sleep; the generator of a debug kernel is slower than they are.
[[ -n $DEBUG ]] || ((woken < packets / 50)) || die "interrupts under a flood: $woken"
echo "$packets packets in $((EPOCHSECONDS - start)) s; device interrupts of CPU 2: ${before[0]} to ${after[0]}, of CPU 3: ${before[1]} to ${after[1]}; the kernel's packets there: ${before[2]} to ${after[2]}"
smplbctl cpu list
smplbctl stats
[[ ${before[*]} == "${after[*]}" ]] || die "interrupts, or packets of the kernel's kind, on a switching CPU: $(cat /proc/interrupts)"
[[ ${told[*]} == "$(listed 2 interrupts) $(listed 3 interrupts)" ]] || die "the module counts others: $(smplbctl cpu list)"
expect "ticks as the kernel counts them" agrees "${counted[0]}" "$(looks ticks)"
expect "switches as the kernel counts them" agrees "${counted[1]}" "$(looks switches)"
(($(listed 2 busy_time) > 0 && $(listed 2 longest_gap) > 0 && $(listed 2 time) > $(listed 2 busy_time))) ||
	die "busy time or gap: $(smplbctl -j cpu list)"

echo "==> root of a user namespace gets no isolated CPU"
own() { unshare -Urn bash -c "ip link add v0 type veth peer name v1 && smplbctl port add v0 $1 && smplbctl -j port list"; }
refuse "an isolated CPU" 'isolated: it takes CAP_NET_ADMIN' own "--cpu 2"
[[ $(own "" | json "[p['cpu'] for p in d]") == "[1]" ]] || die "$(own "")"
refuse "the pool" 'permi' unshare -Urn smplbctl pool

echo "==> a part is released, the rest stays isolated"
expect "release 3" smplbctl cpu release 3
[[ $(<$GROUP/cpuset.cpus.effective) == 2 && $(<$GROUP/cpuset.cpus.partition) == isolated ]] || die "$(cat $GROUP/cpuset.cpus*)"
[[ $(</proc/irq/default_smp_affinity) == *b ]] || die "interrupts: $(</proc/irq/default_smp_affinity)"
refuse "not isolated" 'not one of those' smplbctl cpu release 3
expect "isolate 3 again" smplbctl cpu isolate 3
[[ $(<$GROUP/cpuset.cpus.effective) == 2-3 ]] || die "$(cat $GROUP/cpuset.cpus*)"

echo "==> released: everything as before"
calm
expect "release" smplbctl cpu release
[[ ! -e $GROUP && ! -e /run/smplb/cpu.json ]] || die "something is left of the partition"
diff /tmp/before <(masks) || die "not as before"
refuse "released already" 'isolated no CPU' smplbctl cpu release
