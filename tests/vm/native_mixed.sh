#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic e1000e --nic virtio --nic virtio,packed=on --nic virtio
# As native.sh, from an 82574L to a virtio NIC and back: one pool, no copy.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"

native_world
native_traffic

echo "==> one goes, the other works on"
release "$B"
expect "ping" in_ns client ping -q -c 3 -i 0.2 -W 2 10.1.0.1
ip addr flush dev "$(device "$MAC_B")"
up_b
expect "a request" eventually 10 ok "http://$VIP/"
expect "a large file" large
native_release
