#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio --nic virtio
# An engine that polls for minutes and never sleeps: it gives the rest of the
# kernel its grace periods and its turns, so that nothing is reported as stalled,
# and it answers all the time. BUSY=3600 makes it an hour.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nics.sh"

BUSY=${BUSY:-120}

virtio_world 1
A=$(place eth0) MAC_A=$(</sys/class/net/eth0/address)
load spin_us=4294967295
up_a
engine() { smplbctl -j stats | json "d['engines'][0]['$1']"; }
expect "an answer" eventually 5 in_ns client ping -q -c 1 -W 1 10.1.0.1
slept=$(engine sleeps) rounds=$(engine rounds)

end=$((SECONDS + BUSY)) asked=0
while ((SECONDS < end)); do
	in_ns client ping -q -c 5 -i 0.2 -W 2 10.1.0.1 >/dev/null || die "no answer after $((BUSY - end + SECONDS)) s"
	# Waits for every CPU to pass through a quiescent state.
	ip netns add grace && ip netns del grace || die "a network namespace"
	asked=$((asked + 5))
	sleep 4
done
echo "$asked pings answered, $(($(engine rounds) - rounds)) rounds, $(($(engine sleeps) - slept)) sleeps in $BUSY s"
(($(engine sleeps) == slept)) || die "the engine slept"
(($(engine rounds) - rounds > BUSY * 1000)) || die "the engine hardly polled"
release "$A"
