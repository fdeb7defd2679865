#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic e1000e --nic virtio --nic e1000e --nic virtio
# As native.sh, with two 82574L.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"

native_world
native_traffic
native_release

echo "==> a driver takes no device of another kind"
refuse "a virtio device" "no such device" hand "$A" smplb_virtio_net
release "$A"

native_again
