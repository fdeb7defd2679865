#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --append pcie_ports=native --nic virtio --nic virtio --nic virtio --nic virtio --qemu-arg -global --qemu-arg ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off --qemu-arg -device --qemu-arg pcie-root-port,id=slot1,chassis=1,slot=1 --qemu-arg -netdev --qemu-arg hubport,id=pulled,hubid=0
# A NIC in a PCI Express slot (pciehp) is taken out while it switches: by the slot's
# button, which says so before, or by surprise. Its port goes, everything else stays,
# and what is put back can be claimed again. One that is not on the bus for a while
# is left alone until it is there again.
#
# eth0 is cabled to eth1 and to what is in the slot, eth2 to eth3. The kernel asks
# the firmware for its slots only if it can do more than the kernel of the VM; with
# pcie_ports=native it does not ask. QEMU has them as ACPI's unless told otherwise.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"
. "$HERE/harm.sh"

MAC=52:54:00:00:77:01
PORT=$(grep -l '^PCI_CLASS=60400' $PCI/devices/*/uevent | head -1)
PORT=${PORT%/uevent}
[[ -d $PCI/slots/1 ]] || die "no slot: $(dmesg | grep -E '_OSC|pciehp')"

in_slot() { PLACE=$(basename "$(ls -d "$PORT"/0000:*:00.0 2>/dev/null)") && [[ $PLACE == 0000:* ]]; }
empty() { ! in_slot; }
there() { device "$MAC" &>/dev/null; }
gone() { ! there; }
answers() { in_ns client ping -q -c 1 -W 1 10.1.0.1 >/dev/null; }
works_there() { ping -q -c 1 -W 1 10.2.0.11 >/dev/null; }
# A flood of pings from the client, ended by `calm`.
flood() {
	ip netns exec client ping -q -f -c 1000000 10.1.0.1 >/dev/null 2>&1 &
	PING=$!
	sleep 0.5
}
calm() { kill $PING && wait $PING; }

put() { # [MODEL]
	# When pciehp has taken away the power it looks away for a second.
	sleep 1.5
	monitor "device_add ${1:-virtio-net-pci,disable-legacy=on},id=nic,bus=slot1,netdev=pulled,mac=$MAC,romfile="
	expect "a NIC in the slot" eventually 15 in_slot
	expect "its interface" eventually 10 there
}
claim_it() {
	up "$PLACE" smplb0 "$MAC" 10.1.0.1/24
	expect "an answer" eventually 10 answers
}

# After the button pciehp waits for five seconds.
button() { monitor "device_del nic"; }
# QEMU takes the device off the bus when the slot's power goes. It comes back at
# once, with interrupts of the slot in between put off, so that pciehp finds what a
# hand leaves: a slot with power and nothing in it. PCI Express Base Specification,
# "Slot Control Register".
surprise() {
	python3 -ESc 'import struct, sys
HPIE, OFF = 0x20, 0x700
with open(sys.argv[1], "r+b", 0) as f:
    config = f.read(256)
    at = config[0x34]
    while config[at] != 0x10:
        at = config[at + 1]
    control, = struct.unpack_from("<H", config, at + 24)
    for value in control & ~HPIE | OFF, control:
        f.seek(at + 24)
        f.write(struct.pack("<H", value))' "$PORT/config"
}

# Whatever is put into a slot, pciehp takes reset_lock with pci_rescan_remove_lock held
# and the other way round: lockdep reports that, and nothing else from then on. The
# rest of what a debug kernel looks for is left.
[[ -e /proc/sys/kernel/prove_locking ]] && echo 0 >/proc/sys/kernel/prove_locking

virtio_world 1
modprobe e1000e
# Somebody takes what comes from the client while the slot is empty; what nobody
# takes keeps the client's sockets, and with them its namespace.
ip link set eth0 arp off up
B=$(place eth2) MAC_B=$(</sys/class/net/eth2/address)
load
up_b
expect "the other one works" eventually 10 works_there

for how in button surprise surprise-down surprise-intel surprise-rmmod; do
	echo "==> in use, and taken out: $how"
	if [[ $how == *-intel ]]; then put e1000e; else put; fi
	claim_it
	flood
	[[ $how == surprise-down ]] && ip link set smplb0 down
	start=$EPOCHREALTIME
	${how%-*}
	[[ $how == surprise-rmmod ]] && expect "rmmod" rmmod smplb
	expect "it goes" eventually 12 gone
	awk "BEGIN { printf \"gone after %.1f s\n\", $EPOCHREALTIME - $start }"
	calm
	expect "an empty slot" eventually 5 empty
	if [[ $how == surprise-rmmod ]]; then
		load
		release "$B"
		up_b
	fi
	expect "the other one works" eventually 10 works_there
	adds_up
	[[ $(smplbctl -j port list | json "[p['ifname'] for p in d]") == "['smplb1']" ]] || die "$(smplbctl port list)"
done
dmesg | grep -E 'pciehp.*(Button|not present|Link Down)'
for what in "Button press" "Card not present\|Link Down"; do
	dmesg | grep -q "pciehp.*\($what\)" || die "pciehp has not seen it: $(dmesg | grep pciehp)"
done
dmesg | grep "does not reset" && die "one that is gone is to be reset"

echo "==> off the bus for a while"
put
claim_it
OFF="is not on the bus any more"
before=$(told "") before_off=$(told "$OFF")
# The bridge above passes nothing on: neither memory nor configuration.
buses=$(od -An -tx1 -j25 -N2 "$PORT/config" | tr -d ' ')
# shellcheck disable=SC2059
bridge() { printf "$2" | dd of="$PORT/config" bs=1 seek="$1" conv=notrunc status=none; }
off_the_bus() { bridge 25 '\0\0' && bridge 4 '\0\0'; }
on_the_bus() { bridge 4 '\6\4' && bridge 25 "\\x${buses:0:2}\\x${buses:2:2}"; }
off_the_bus
expect "no link" eventually 3 carrier smplb0 0
off() { (($(told "$OFF") == before_off + 1)); }
expect "told" eventually 3 off
sleep 3
(($(told "") == before + 2)) || die "told: $(dmesg | grep 'the NIC')"
expect "the other one works" works_there
adds_up
on_the_bus
expect "a link again" eventually 20 carrier smplb0 1
expect "an answer" eventually 5 answers
(($(port smplb0 resets) == 1)) || die "$(smplbctl port list)"
adds_up

echo "==> given back while it is off the bus"
# It would go on with its rings when it is back: nobody else gets their memory.
lent=$(pool free)
off_the_bus
expect "no link" eventually 3 carrier smplb0 0
smplbctl port del smplb0
dmesg | grep -q "$PLACE.*what it may still write to" || die "not told: $(dmesg | tail -3)"
expect "the other one works" works_there
(($(pool free) < lent + 200)) || die "its buffers are in use again: $(smplbctl pool)"
adds_up
on_the_bus
echo "$PLACE" >$PCI/drivers_probe
expect "its stock driver has it" eventually 10 there
claim_it
adds_up

echo "==> given back, and taken out by the button"
release "$PLACE"
expect "its stock driver has it" eventually 10 there
button
expect "an empty slot" eventually 12 empty
release "$B"
expect "the NIC works as before" eventually 10 works "$MAC_B" 10.2.0.1/24 10.2.0.11
