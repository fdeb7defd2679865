#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --iommu --nic virtio,packed=on,iommu_platform=on --nic virtio --nic virtio,iommu_platform=on --nic virtio --nic e1000e --nic virtio
# As native.sh, behind an IOMMU: the pool has other addresses than the kernel's,
# and a NIC reaches nothing else. One that the IOMMU has no say about is refused.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"

native_world
[[ -e $PCI/devices/$A/iommu_group ]] || die "$A is not behind an IOMMU"

echo "==> a NIC that ignores the IOMMU"
ignorant=$(in_ns client readlink -f /sys/class/net/c0/device)
ignorant=${ignorant%/*} ignorant=${ignorant##*/}
refuse "claim" "not supported" hand "$ignorant" smplb_virtio_net
expect "release" hand "$ignorant"
expect "it is back" eventually 10 test -e /sys/class/net/eth1
ip link set eth1 netns client name c0
client_end

native_traffic
native_release

echo "==> an 82574L behind it"
namespaces beyond
ip link set eth5 netns beyond name x0
ip -n beyond addr add 10.3.0.2/24 dev x0
ip -n beyond link set x0 up
C=$(place eth4)
up "$C" smplb2 "$(</sys/class/net/eth4/address)" 10.3.0.1/24
expect "an answer" eventually 10 ping -q -c 1 -W 1 10.3.0.2
in_ns beyond ping -q -f -c 1000 -s 1400 10.3.0.1 | grep " 0% packet loss" || die "a flood through it"
adds_up
release "$C"

native_again
