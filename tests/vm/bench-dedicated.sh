#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --append isolcpus=nohz,domain,managed_irq,1 --generator --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off
# What a NAT hit takes of a CPU that is there for nothing else: IPVS over the
# stock driver of two NICs, and an engine with the same NICs, in one run of a VM
# whose clock counts instructions.
#
#   generator (on the host) --- eth0 [CPU 1] eth1 --- sink
#
# Counted is all that CPU 1 executes from before the first packet until after the
# last one, whatever for: NIC interrupts, softirqs, ticks, falling asleep and
# waking up. The engine sleeps as soon as its rings are empty (spin_us=0).
. "$(dirname "$0")/lib.sh"

OUT=${SMPLB_OUT:?the results go there}
RESULTS=$OUT/bench-dedicated.jsonl
COUNT=${BENCH_COUNT:-20000}
: >"$RESULTS"
. "$(dirname "$0")/engines.sh"

echo "==> IPVS over the stock driver"
ipvs_ready
SENT=/sys/class/net/eth1/statistics/tx_packets
for nic in eth0 eth1; do
	sysctl -qw "net.ipv6.conf.$nic.disable_ipv6=1"
	# What QEMU's device does not take at once waits, and is not lost.
	ip link set $nic txqueuelen 10000 up
	# In softirqs of the CPU that is interrupted, as it is by default.
	interrupts_to 1 $nic
done
ip addr add 10.1.1.1/24 dev eth0
ip addr add 10.2.1.1/24 dev eth1
ip addr add 192.0.2.1/32 dev lo
ip neigh replace 10.2.1.2 lladdr 02:00:00:00:00:61 dev eth1
expect "ipvsadm" ipvsadm -A -u 192.0.2.1:9 -s rr
expect "ipvsadm" ipvsadm -a -u 192.0.2.1:9 -r 10.2.1.2:9 -m
warm "$(orders 1 3000 1 192.0.2.1)"
symbols ipvs
from=$(<$SENT)
gone() { (($(<$SENT) - from >= COUNT)); }
window +
send "$(orders 1 "$COUNT" 1 192.0.2.1)"
eventually 100 gone || die "$(($(<$SENT) - from)) of $COUNT packets left"
window -
(($(<$SENT) - from == COUNT)) || die "$(($(<$SENT) - from)) packets left"
measured nat-hit ipvs 1 1 "$COUNT" 0 "$SYMBOLS"
ipvsadm -C
for nic in eth0 eth1; do
	ip addr flush dev $nic
	ip link set $nic down
done
ip addr del 192.0.2.1/32 dev lo

echo "==> an engine with the same NICs"
begin 1
service 192.0.2.1 10.2.1.2:9
warm "$(orders 1 3000 1 192.0.2.1)"
measure nat-hit 1 1 "$(orders 1 "$COUNT" 1 192.0.2.1)"
finish 1
