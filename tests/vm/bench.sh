#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Instructions per packet, IPVS and smplb over the same namespaces, packets and
# kernel, in one run of a VM whose clock counts instructions.
#
#   [c] c0 --veth-- d0 [switch] d1 --veth-- s0 [s]
#
# pktgen in [c] makes 60-octet UDP packets. They leave by d1 with a destination
# MAC address that s0 does not have, so that the sink drops them at once.
#
# What is counted is the run time of the threads that do the work (pktgen,
# softirqs, the engine), out of /proc/PID/sched: other tasks and idle time are
# not in it. There is one vCPU, which the engine shares with the rest
# (share_control_cpu=1), so that it never spins. `base` is the generator, one
# veth and a drop by MAC address; it is subtracted from every other figure.
# `forward` is the kernel's own IP forwarding: what is no service goes there with
# smplb too.
. "$(dirname "$0")/lib.sh"

OUT=${SMPLB_OUT:?the results go there}/bench.jsonl
COUNT=${BENCH_COUNT:-100000}
SINK_MAC=02:00:00:00:00:66
: >"$OUT"

# Nanoseconds, and thus instructions, that threads with these names have run.
runtime() {
	local dir sum=0 ns
	for dir in /proc/[0-9]*; do
		case $(cat "$dir/comm" 2>/dev/null) in
		kpktgend_0 | ksoftirqd/0 | smplb/0)
			ns=$(awk '/se.sum_exec_runtime/ { sub(/\./, "", $3); print $3 }' "$dir/sched")
			sum=$((sum + 10#$ns))
			;;
		esac
	done
	echo "$sum"
}

# A loop of a known number of instructions must be counted as that many.
check_clock() {
	local dir=/tmp/known ns
	mkdir -p $dir
	cat >$dir/known.c <<-'C'
		#include <stdio.h>
		#include <sys/resource.h>
		#include <time.h>
		int main(void)
		{
			struct timespec a, b;
			unsigned long n = 50000000;
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
			__asm__ volatile("1: dec %0; jnz 1b" : "+r"(n));
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
			printf("%ld\n", (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec);
			return 0;
		}
	C
	gcc -O1 -o $dir/known $dir/known.c || die "gcc"
	ns=$($dir/known)
	echo "check: 100000000 instructions were counted as $ns"
	((ns > 99500000 && ns < 101500000)) || die "the clock does not count instructions"
}

pg() {
	ip netns exec c sh -c "echo '$2' > /proc/net/pktgen/$1" || die "pktgen: $2"
}

# generate FLOWS FIRST_PORT DST MAC COUNT
generate() {
	local option
	pg kpktgend_0 rem_device_all
	pg kpktgend_0 "add_device c0"
	for option in "count $5" "pkt_size 60" "delay 0" "clone_skb 0" "burst 1" \
		"dst_min $3" "dst_max $3" "src_min 10.1.0.2" "src_max 10.1.0.2" \
		"udp_dst_min 9" "udp_dst_max 9" "udp_src_min $2" "udp_src_max $(($2 + $1 - 1))" \
		"dst_mac $4"; do
		pg c0 "$option"
	done
	pg pgctrl start
}

sunk() {
	cat /sys/class/net/d1/statistics/tx_packets
}

# measure FLOWS FIRST_PORT DST MAC [COUNT]: instructions per packet. All packets
# must have reached the sink (unless they go no further than d0).
measure() {
	local flows=$1 first=$2 dst=$3 mac=$4 count=${5:-$COUNT} before after from
	from=$(sunk)
	before=$(runtime)
	generate "$flows" "$first" "$dst" "$mac" "$count" >/dev/null
	if [[ $mac != "$WRONG_MAC" ]]; then
		eventually 20 reached "$from" "$count" || die "only $(($(sunk) - from)) of $count packets arrived"
	fi
	after=$(runtime)
	echo $(((after - before) / count))
}

reached() {
	(($(sunk) - $1 >= $2))
}

# row SCENARIO SYSTEM FLOWS DST [COUNT]
row() {
	local scenario=$1 system=$2 flows=$3 dst=$4 all own
	all=$(measure "$flows" 1024 "$dst" "$MAC" "${5:-$COUNT}") || exit 1
	own=$((all - BASE))
	printf '%-8s %-6s %6s flows: %6s in all, %6s its own\n' "$scenario" "$system" "$flows" "$all" "$own"
	printf '{"scenario":"%s","system":"%s","port":"netdev","flows":%s,"instructions":%s}\n' \
		"$scenario" "$system" "$flows" "$own" >>"$OUT"
}

# warm DST FLOWS COUNT: make the connections and fill the caches.
warm() {
	measure "$2" 1024 "$1" "$MAC" "$3" >/dev/null || exit 1
}

check_clock
for module in veth pktgen; do modprobe $module; done
ipvs_ready
for ns in c s; do ip netns add $ns; done
cable c c0 - d0
cable s s0 - d1
ip link set d0 up
ip link set d1 up
ip -n c link set lo up
ip -n c addr add 10.1.0.2/24 dev c0
ip -n c link set c0 up
ip -n s link set s0 address 02:00:00:00:00:77
ip -n s addr add 10.2.0.2/24 dev s0
ip -n s link set s0 up
sleep 1
MAC=$(cat /sys/class/net/d0/address)
WRONG_MAC=02:00:00:00:00:99

addresses() {
	ip addr add 10.1.0.1/24 dev "$1"
	ip addr add 10.2.0.1/24 dev "$2"
	ip neigh replace 10.2.0.2 lladdr $SINK_MAC dev "$2"
}

measure 1 1024 10.2.0.2 $WRONG_MAC 20000 >/dev/null
BASE=$(measure 1 1024 10.2.0.2 $WRONG_MAC)
echo "base: generator, one veth, sink: $BASE"

echo "==> IPVS and the kernel's forwarding"
addresses d0 d1
for vip in 192.0.2.10 192.0.2.11 192.0.2.12; do ip addr add $vip/32 dev lo; done
warm 10.2.0.2 1 20000
row forward ipvs 1 10.2.0.2
ipvs() {
	ipvsadm -A -u "$1:9" -s rr
	ipvsadm -a -u "$1:9" -r "10.2.0.2:${3:-9}" "$2"
}
ipvs 192.0.2.10 -m
warm 192.0.2.10 10000 30000
row nat-hit ipvs 1 192.0.2.10
row nat-hit ipvs 10000 192.0.2.10
ipvs 192.0.2.11 -g
warm 192.0.2.11 10000 30000
row dr-hit ipvs 1 192.0.2.11
row dr-hit ipvs 10000 192.0.2.11
ipvs 192.0.2.12 -m 10
row nat-new ipvs 50000 192.0.2.12 50000
ipvsadm -C
for vip in 192.0.2.10 192.0.2.11 192.0.2.12; do ip addr del $vip/32 dev lo; done
ip addr flush dev d0
ip addr flush dev d1

echo "==> smplb, driver netdev"
load share_control_cpu=1 rx_ring=16384
expect "claim d0" smplbctl port add d0 --name smplb0 --cpu 0
expect "claim d1" smplbctl port add d1 --name smplb1 --cpu 0
ip link set smplb0 up
ip link set smplb1 up
addresses smplb0 smplb1
sleep 1
smplb() {
	expect "service" smplbctl service add "udp:$1:9" --mode "$2"
	expect "backend" smplbctl backend add "udp:$1:9" "10.2.0.2:${3:-9}"
}
smplb 192.0.2.10 nat
warm 192.0.2.10 10000 30000
row nat-hit smplb 1 192.0.2.10
row nat-hit smplb 10000 192.0.2.10
smplb 192.0.2.11 dr
warm 192.0.2.11 10000 30000
row dr-hit smplb 1 192.0.2.11
row dr-hit smplb 10000 192.0.2.11
smplb 192.0.2.12 nat 10
row nat-new smplb 50000 192.0.2.12 50000
smplbctl stats
lost=$(lost)
((lost == 0)) || die "$lost packets were dropped"
