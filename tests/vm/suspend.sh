#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 3 --ram --nic virtio --nic virtio --nic virtio,packed=on --nic virtio --nic e1000e --nic virtio
# The machine goes to sleep, as far as its processes, to idleness, or until all its
# devices have forgotten everything (S3 of ACPI), and traffic goes on where it was.
# eth0 and eth2 are virtio, eth4 an 82574L, and d5 a port of driver netdev.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nics.sh"

native_world
C=$(place eth4) MAC_C=$(</sys/class/net/eth4/address)
up_a
up_b
up "$C" smplb2 "$MAC_C" 10.3.0.1/24
cable - d5 client c5
ip link set d5 up
ip -n client addr add 10.5.0.2/24 dev c5
ip -n client link set c5 up
expect "claim d5" smplbctl port add d5 --name smplb5
ip addr add 10.5.0.1/24 dev smplb5
expect "smplb5 up" ip link set smplb5 up
balance "tcp:$VIP:80" -- 10.2.0.11:8080 10.2.0.12:8080 10.2.0.13:8080
expect "a first request" eventually 10 ok "http://$VIP/"
netdev() { in_ns client ping -q -c 1 -W 1 10.5.0.1 >/dev/null; }
expect "a ping of netdev" eventually 5 netdev
before=$(smplbctl -j port list | json "[(p['ifname'], p['cpu']) for p in d]")

grep -qw freeze /sys/power/state || die "no sleep without CONFIG_SUSPEND"
ALARM=10
[[ -e /sys/kernel/debug/kmemleak ]] && ALARM=40
# How deep: a STATE of the kernel's, and what of it is left out.
asleep() {
	local alarm=/sys/class/rtc/rtc0/wakealarm
	echo "${2-none}" >/sys/power/pm_test || die "a kernel without CONFIG_PM_DEBUG"
	echo deep >/sys/power/mem_sleep || die "a machine without S3"
	# Less what it takes to fall asleep.
	echo 0 >$alarm && echo "+$ALARM" >$alarm || die "no clock that wakes the machine"
	echo "$1" >/sys/power/state && echo 0 >$alarm
}
# Nothing wakes QEMU's machine from idleness (s2idle) but the kernel's own test.
ways=("mem freezer" "freeze devices" mem "freeze freezer" mem)
for way in "${ways[@]}"; do
	ip netns exec client ping -q -f -c 1000000 10.1.0.1 >/dev/null 2>&1 &
	ip netns exec client ping -q -f -c 1000000 10.5.0.1 >/dev/null 2>&1 &
	in_ns client curl -sS --max-time 60 "http://$VIP/blob?[1-10]" >/tmp/blobs &
	fetch=$!
	sleep 0.5
	# shellcheck disable=SC2086
	expect "sleep ($way)" asleep $way
	expect "a request" eventually 5 ok "http://$VIP/"
	expect "a ping of netdev" eventually 5 netdev
	expect "the transfer" wait $fetch
	[[ $(wc -c </tmp/blobs) == $((10 * 2 << 20)) ]] || die "transferred: $(wc -c </tmp/blobs)"
	expect "a link" eventually 6 carrier smplb2 1
	kill %1 %2 && wait
	adds_up
done
deep() { (($(dmesg | grep -c 'Waking up from system sleep state S3') == $1)) || die "did not sleep: $(dmesg | grep -w PM:)"; }
deep 2
smplbctl port list
[[ $(smplbctl -j port list | json "[(p['ifname'], p['cpu']) for p in d]") == "$before" ]] || die "other CPUs: $(smplbctl port list)"
[[ $(smplbctl -j port list | json "sum(p['resets'] for p in d)") == 0 ]] || die "resets: $(smplbctl port list)"
dmesg | grep 'the NIC' && die "something failed"

echo "==> asleep with a NIC that has failed"
printf '\0\0' | dd of="$PCI/devices/$A/config" bs=1 seek=4 conv=notrunc status=none
expect "sleep" asleep mem freezer
expect "a request" eventually 5 ok "http://$VIP/"
expect "deep sleep" asleep mem
deep 3
expect "a request" eventually 5 ok "http://$VIP/"
release "$A"
release "$B"
release "$C"
expect "the NIC works as before" eventually 10 works "$MAC_A" 10.1.0.1/24 "$CLIENT"
