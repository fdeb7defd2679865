#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio,host_mtu=1400 --nic virtio
# MTUs of native ports: as large as a buffer, unless the device says less; who sends
# more than the next port takes is told by ICMP.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"

mtu() { echo "$(</sys/class/net/"$1"/mtu)"; }

native_world
up_a
up_b
[[ "$(mtu smplb0) $(mtu smplb1)" == "1500 1400" ]] || die "MTUs: $(mtu smplb0) $(mtu smplb1)"
expect "a first answer" eventually 10 in_ns client ping -q -c 1 -W 1 10.1.0.1

echo "==> as large as can be"
refuse "more than the device says" "maximum" ip link set smplb1 mtu 1401
refuse "more than a buffer" "maximum" ip link set smplb0 mtu 1903
expect "as much as a buffer" ip link set smplb0 mtu 1902
in_ns client ip link set c0 mtu 1902
expect "large packets" in_ns client ping -q -c 2 -W 2 -M "do" -s 1874 10.1.0.1
ip route flush cache
expect "large packets from here" ping -q -c 2 -W 2 -M "do" -s 1874 "$CLIENT"
refuse "larger ones" "message too long" ping -c 1 -W 1 -M "do" -s 1875 "$CLIENT"

echo "==> smaller toward the servers"
balance "tcp:$VIP:80" -- 10.2.0.11:8080
balance "tcp:$VIP:9000" -- 10.2.0.11
expect "a first request" eventually 10 ok "http://$VIP/"
expect "upload" upload 9000 /tmp/blob
[[ $(mtu_of client "$VIP") == "mtu 1400" ]] || die "the client was not told: $(ip -n client route get "$VIP")"
(($(drops mtu-exceeded) > 0)) || die "not counted"
expect "a large file" large
release "$A"
release "$B"
