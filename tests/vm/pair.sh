#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 3 --iommu --nic virtio,iommu_platform=on --nic virtio --nic virtio,packed=on,iommu_platform=on --nic virtio --nic e1000e --nic virtio
# An application that has a queue pair of a NIC for itself: it fills descriptors and rings
# doorbells, with no engine between, and the NIC comes back whatever becomes of it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nics.sh"

HOST=10.1.0.1
KILLS=${KILLS:-20}
virtio_world 1
A=$(place eth0) MAC_A=$(</sys/class/net/eth0/address)
B=$(place eth2) MAC_B=$(</sys/class/net/eth2/address)
C=$(place eth4) MAC_C=$(</sys/class/net/eth4/address)
namespaces beyond
ip link set eth5 netns beyond name x0
ip -n beyond addr add 10.3.0.2/24 dev x0
ip -n beyond link set x0 up
pinged() { in_ns client ping -q -c 1 -W 1 $HOST >/dev/null; }
received() { smplbctl -j port list | json "[p['rx_packets'] for p in d if p['ifname'] == '$1'][0]"; }
# Runs a responder with a pair: pair_on PORT ADDRESS
pair_on() { app "/tmp/pair-$1.log" 'answering for' smplb-echo "$2:7" --trusted --pair "$1"; }
over() { ! kill -0 "$APP" 2>/dev/null; }

echo "==> only who may do anything"
load
up_a
expect "the host" eventually 10 pinged
refuse "without the parameter" 'raw_pairs=1' smplb-echo $HOST:7 --trusted --pair smplb0
expect "rmmod" rmmod smplb
load raw_pairs=1
up_a
up_b
refuse "without the capability" 'CAP_SYS_RAWIO' setpriv --bounding-set -sys_rawio --inh-caps -sys_rawio \
	smplb-echo $HOST:7 --trusted --pair smplb0
refuse "buffers of its own" 'trusted' smplb-echo $HOST:7 --pair smplb0
refuse "no port" 'eth1' smplb-echo $HOST:7 --trusted --pair eth1
up "$C" smplb2 "$MAC_C" 10.3.0.1/24
refuse "an 82574L" 'driver virtio_net' smplb-echo 10.3.0.1:7 --trusted --pair smplb2
expect "the host" eventually 10 pinged

echo "==> a split ring"
pair_on smplb0 $HOST
one=$APP
sleep 0.5
before=$(received smplb0)
expect "an answer" eventually 10 helper client udp stream $HOST 7 0.5 20
helper client udp stream $HOST 7 3 200 || die "$(cat /tmp/pair-smplb0.log; smplbctl stats)"
(($(received smplb0) == before)) || die "an engine has seen packets: $(smplbctl port list)"
expect "the pool adds up" eventually 5 adds_up
(($(pool channels) == 1024)) || die "$(smplbctl pool)"
refuse "a second one" 'another application' smplb-echo $HOST:7 --trusted --pair smplb0

echo "==> a packed one, beside"
pair_on smplb1 10.2.0.1
two=$APP
expect "an answer" eventually 10 helper b1 udp stream 10.2.0.1 7 0.5 20
helper b1 udp stream 10.2.0.1 7 3 200 || die "$(cat /tmp/pair-smplb1.log; smplbctl stats)"
helper client udp stream $HOST 7 1 200 || die "$(cat /tmp/pair-smplb0.log)"

echo "==> what it does not take is lost, and the switch goes on"
! pinged || die "somebody answers"
expect "the other port" eventually 5 ping -q -c 1 -W 1 10.3.0.2
ping -q -c 3 -i 0.1 -W 0.1 "$CLIENT" >/dev/null && die "the host has sent"

echo "==> it ends, and the host is back"
end_app $one
expect "the host" eventually 10 pinged
expect "the pool adds up" eventually 5 adds_up
(($(pool channels) == 1024)) || die "$(smplbctl pool)"

echo "==> killed $KILLS times under traffic"
helper client udp flood $HOST 7 600 >/dev/null 2>&1 &
flood=$!
undo "kill $flood 2>/dev/null"
for ((n = 0; n < KILLS; n++)); do
	pair_on smplb0 $HOST
	sleep "0.$((RANDOM % 6))$((RANDOM % 10))"
	end_app
done
kill $flood
expect "the host" eventually 20 pinged
expect "the pool adds up" eventually 5 adds_up

echo "==> the NIC is reset under it, or goes"
pair_on smplb0 $HOST
echo freezer >/sys/power/pm_test || die "a kernel without CONFIG_PM_DEBUG"
expect "it sleeps and wakes up" sh -c 'echo freeze >/sys/power/state'
expect "it ends" eventually 20 over
grep -q 'has gone, or was reset' /tmp/pair-smplb0.log || die "$(cat /tmp/pair-smplb0.log)"
expect "the host" eventually 10 pinged
release "$B"
APP=$two
expect "it ends" eventually 20 over
expect "the pool adds up" eventually 5 adds_up
pair_on smplb0 $HOST
expect "answers" eventually 10 helper client udp stream $HOST 7 0.5 20
release "$A"
expect "it ends" eventually 20 over
release "$C"
expect "rmmod" rmmod smplb
expect "the NIC works as before" eventually 10 works "$MAC_A" 10.1.0.1/24 "$CLIENT"
expect "the other one, too" eventually 10 works "$MAC_B" 10.2.0.1/24 10.2.0.11
