#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio --nic virtio
# Ports of NICs that the module drives itself: claimed by driver_override, real
# HTTP balanced over them, the host reached through the pseudo interfaces, an
# interrupt only while the engine sleeps and never on its CPU, and given back to
# the stock driver, again and again.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"

native_world
FLOOD=20000
native_traffic
native_release

echo "==> one of each kind"
up_a
lower=$(device "$MAC_B") || die "the other NIC is not back"
expect "claim $lower" smplbctl port add "$lower" --name smplb1
ip addr add 10.2.0.1/24 dev smplb1
expect "smplb1 up" ip link set smplb1 up
expect "a first request" eventually 10 ok "http://$VIP/"
expect "a large file" large
expect "from the host" eventually 5 curl -sS -o /dev/null --max-time 2 http://10.2.0.11:8080/
expect "give back" smplbctl port del smplb1
release "$A"

native_again 3
