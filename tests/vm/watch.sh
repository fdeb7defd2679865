#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio --nic virtio --nic e1000e --nic virtio
# NICs that misbehave: a cable is pulled, one does not answer any more, one is
# pulled out. Each is seen within a second, told once, and leaves everything else
# alone. eth0 and eth2 are virtio, eth4 an 82574L.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nics.sh"

MONITOR=$(grep -lx monitor /sys/class/virtio-ports/*/name) || die "no monitor of QEMU"
MONITOR=${MONITOR%/name}
monitor() { echo "$*" >"/dev/${MONITOR##*/}"; }

carrier() { [[ $(<"/sys/class/net/$1/carrier") == "$2" ]]; }
told() { dmesg | grep -c "smplb[0-9].*: the NIC $1"; }

# A second, and what sleep takes here.
flap() { # NAME NETDEV
	expect "$1 has a link" carrier "$1" 1
	monitor "set_link $2 off"
	expect "$1 without a link" eventually 2 carrier "$1" 0
	monitor "set_link $2 on"
	expect "$1 with a link again" eventually 6 carrier "$1" 1
}

# The device's memory can be reached no more, as if it had gone.
deafen() { # PLACE NAME
	printf '\0\0' | dd of="$PCI/devices/$1/config" bs=1 seek=4 conv=notrunc status=none
	expect "$2 is down" eventually 2 carrier "$2" 0
}

native_world
C=$(place eth4) MAC_C=$(</sys/class/net/eth4/address)
up_a
up_b
up "$C" smplb2 "$MAC_C" 10.3.0.1/24
balance "tcp:$VIP:80" -- 10.2.0.11:8080 10.2.0.12:8080 10.2.0.13:8080
expect "a first request" eventually 10 ok "http://$VIP/"

echo "==> a cable is pulled"
flap smplb0 nic0
flap smplb2 nic4
expect "a request" eventually 5 ok "http://$VIP/"
(($(told "") == 0)) || die "told: $(dmesg | grep 'the NIC')"

echo "==> one does not answer"
in_ns client ping -q -f -c 1000000 10.1.0.1 >/dev/null 2>&1 &
deafen "$C" smplb2
deafen "$B" smplb1
(($(told "does not answer") == 2)) || die "told: $(dmesg | grep 'the NIC')"
expect "the other one works" in_ns client ping -q -c 2 -W 2 10.1.0.1
sleep 1
(($(told "does not answer") == 2)) || die "told again: $(dmesg | grep 'the NIC')"
release "$B"
release "$C"
up_b
expect "a request" eventually 10 ok "http://$VIP/"

echo "==> one is pulled out, and comes back"
echo 1 >"$PCI/devices/$A/remove"
device "$MAC_A" && die "its interface is still there"
kill %% && wait
expect "the other one works" ping -q -c 2 -W 2 10.2.0.11
echo 1 >"$PCI/rescan"
expect "its stock driver has it" eventually 5 works "$MAC_A" 10.1.0.1/24 "$CLIENT"
up_a
expect "a request" eventually 10 ok "http://$VIP/"
release "$A"
release "$B"
expect "the NIC works as before" eventually 10 works "$MAC_B" 10.2.0.1/24 10.2.0.11
