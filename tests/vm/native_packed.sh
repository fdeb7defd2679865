#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio,packed=on --nic virtio --nic virtio,packed=on --nic virtio
# As native.sh, over packed rings.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"

packed() { # PLACE: bit 34 of the features that its device has
	local features
	features=$(cat "$PCI/devices/$1"/virtio*/features)
	[[ ${features:34:1} == 1 ]]
}

modprobe virtio_net
expect "four NICs" eventually 10 test -e /sys/class/net/eth3
expect "a NIC with packed rings" packed "$(place eth0)"
native_world
native_traffic
native_release
native_again
