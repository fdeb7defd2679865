#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --generator
# Instructions per packet over NICs: smplb's native ports, and IPVS and XDP over
# the stock driver of the same NICs, in one run of a VM whose clock counts
# instructions.
#
#   generator (on the host) --- eth0 [switch] eth1 --- sink
#
# The generator sends UDP packets of 60 octets as fast as they leave by eth1, so
# that receive rings are full and bursts are whole; it costs the guest nothing.
# What is counted is the run time of the threads that do the work, out of
# /proc/PID/sched: the engine, which shares the one vCPU with the rest and thus
# sleeps whenever its rings are empty, or the NAPI threads of the stock driver.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/pci.sh"
. "$(dirname "$0")/generator.sh"

OUT=${SMPLB_OUT:?the results go there}/bench-native.jsonl
COUNT=${BENCH_COUNT:-100000}
MODEL=${BENCH_MODEL:-virtio_net}
# Packets under way: what the rings on both sides hold, so that hardly one finds
# the transmit ring full, and bursts are whole.
WINDOW=${BENCH_WINDOW:-480}
NEXT_HOP=02:00:00:00:00:66
: >"$OUT"

# Nanoseconds, and thus instructions, that threads with these names have run.
runtime() {
	local dir sum=0 ns
	for dir in /proc/[0-9]*; do
		case $(cat "$dir/comm" 2>/dev/null) in
		napi/eth* | napi/smplb* | ksoftirqd/0 | smplb/0)
			ns=$(awk '/se.sum_exec_runtime/ { sub(/\./, "", $3); print $3 }' "$dir/sched")
			sum=$((sum + 10#$ns))
			;;
		esac
	done
	echo "$sum"
}

# Packets that have left by the second NIC, or found no room on its ring: smplb
# can be faster than QEMU's device, and what it drops then is the last thing it
# does with a packet.
sent() {
	if [[ -e /sys/class/net/eth1 ]]; then
		# Those of XDP are counted there only when their buffers come back.
		ethtool -S eth1 | awk -v n="$(</sys/class/net/eth1/statistics/tx_packets)" -v xdp="${XDP:-0}" \
			'$1 == "tx_xdp_tx:" { print xdp ? $2 : n }'
	else
		smplbctl -j port list | json "sum(p['tx_packets'] + p['dropped'] for p in d if p['ifname'] == 'smplb1')"
	fi
}

reached() { (($(sent) - $1 >= $2)); }

# Packets that found no room on the transmit ring, and bursts: of smplb alone.
counts() {
	if [[ -e /sys/class/net/eth1 ]]; then
		echo 0 0
	else
		echo "$(drops tx-busy) $(smplbctl -j stats | json "sum(e['bursts'] for e in d['engines'])")"
	fi
}

# measure FLOWS DST [COUNT]: INSTRUCTIONS per packet, each of which must leave, packets
# in a BURST, and how many of 1000 were LOST, having found no room at last.
measure() {
	local flows=$1 dst=$2 count=${3:-$COUNT} before after from left chunk=${CHUNK:-$COUNT} at=() now=()
	left=$count
	from=$(sent)
	read -ra at <<<"$(counts)"
	before=$(runtime)
	while ((left > 0)); do
		send $((left < chunk ? left : chunk)) "$flows" "$MAC" "$dst" 9 "window=$WINDOW"
		left=$((left - chunk))
		((left <= 0)) || eventually 60 reached "$from" $((count - left)) || break
	done
	eventually 60 reached "$from" "$count" || die "only $(($(sent) - from)) of $count packets left"
	after=$(runtime)
	read -ra now <<<"$(counts)"
	INSTRUCTIONS=$(((after - before) / count)) BURST=$((now[1] > at[1] ? count / (now[1] - at[1]) : 0))
	LOST=$(((now[0] - at[0]) * 1000 / count))
}

# row SCENARIO SYSTEM FLOWS DST [COUNT]
row() {
	local scenario=$1 system=$2 flows=$3 dst=$4
	measure "$flows" "$dst" "${5:-$COUNT}"
	printf '%-8s %-6s %6s flows: %6s instructions, %s in a burst, %s of 1000 lost\n' \
		"$scenario" "$system" "$flows" "$INSTRUCTIONS" "$BURST" "$LOST"
	# Such a packet costs less.
	((LOST < 5)) || die "too many were lost: the row is void"
	printf '{"scenario":"%s","system":"%s","port":"%s","flows":%s,"instructions":%s}\n' \
		"$scenario" "$system" "$MODEL" "$flows" "$INSTRUCTIONS" >>"$OUT"
}

# warm DST FLOWS COUNT: make the connections and fill the caches.
warm() { measure "$2" "$1" "$3"; }

addresses() {
	ip addr add 10.1.0.1/16 dev "$1"
	ip addr add 10.2.0.1/24 dev "$2"
	ip neigh replace 10.2.0.2 lladdr $NEXT_HOP dev "$2"
}

ipvs_ready
MAC=$(cat /sys/class/net/eth0/address)
A=$(place eth0) B=$(place eth1)
for nic in eth0 eth1; do
	echo 1 >/sys/class/net/$nic/threaded || die "no threaded NAPI"
	# What QEMU's device does not take at once waits, and is not lost.
	ip link set $nic txqueuelen 10000 up
done

echo "==> IPVS and the kernel's forwarding"
addresses eth0 eth1
for vip in 192.0.2.10 192.0.2.11 192.0.2.12; do ip addr add $vip/32 dev lo; done
sleep 1
warm 10.2.0.2 1 20000
row forward ipvs 1 10.2.0.2
ipvsadm -A -u 192.0.2.10:9 -s rr
ipvsadm -a -u 192.0.2.10:9 -r 10.2.0.2:9 -m
warm 192.0.2.10 10000 30000
row nat-hit ipvs 1 192.0.2.10
row nat-hit ipvs 10000 192.0.2.10
ipvsadm -A -u 192.0.2.11:9 -s rr
ipvsadm -a -u 192.0.2.11:9 -r 10.2.0.2:9 -g
warm 192.0.2.11 10000 30000
row dr-hit ipvs 10000 192.0.2.11
ipvsadm -A -u 192.0.2.12:9 -s rr
ipvsadm -a -u 192.0.2.12:9 -r 10.2.0.2:10 -m
row nat-new ipvs 50000 192.0.2.12 50000
ipvsadm -C
for vip in 192.0.2.10 192.0.2.11 192.0.2.12; do ip addr del $vip/32 dev lo; done
ip addr flush dev eth0
ip addr flush dev eth1

echo "==> XDP: MAC addresses swapped, and redirected"
# The compiler of the kernel's version, whatever it is called here.
clang=$(compgen -c clang | grep -xE 'clang(-[0-9]+)?' | sort -V | tail -1)
"$clang" -O2 -target bpf -DOUT="$(cat /sys/class/net/eth1/ifindex)" -I/usr/include/x86_64-linux-gnu \
	-c "$HERE/xdp_swap.c" -o /tmp/xdp_swap.o || die "clang for BPF"
expect "XDP" ip link set eth0 xdpdrv obj /tmp/xdp_swap.o sec xdp
expect "XDP" ip link set eth1 xdpdrv obj /tmp/xdp_swap.o sec xdp.pass
sysctl -qw net.core.bpf_jit_enable=1
sleep 1
XDP=1
warm 10.2.0.2 1 20000
row forward xdp 1 10.2.0.2
XDP=0
ip link set eth0 xdpdrv off
ip link set eth1 xdpdrv off

echo "==> smplb, native"
load share_control_cpu=1
native() { # PLACE NAME MAC
	expect "claim $1" hand "$1" "smplb_$MODEL"
	ip link set "$(device "$3")" name "$2"
	ip link set "$2" up
}
MAC_B=$(cat /sys/class/net/eth1/address)
native "$A" smplb0 "$MAC"
native "$B" smplb1 "$MAC_B"
addresses smplb0 smplb1
sleep 1
smplb() {
	expect "service" smplbctl service add "udp:$1:9" --mode "${3:-nat}"
	expect "backend" smplbctl backend add "udp:$1:9" "10.2.0.2:$2"
}
# By way of the host, which is slower than the generator, and sends all it has at
# once: no more at a time than rings hold.
CHUNK=500 all=$WINDOW WINDOW=200
warm 10.2.0.2 1 2000
row forward smplb 1 10.2.0.2 10000
CHUNK='' WINDOW=$all
smplb 192.0.2.10 9
warm 192.0.2.10 10000 30000
row nat-hit smplb 1 192.0.2.10
row nat-hit smplb 10000 192.0.2.10
smplb 192.0.2.11 9 dr
warm 192.0.2.11 10000 30000
row dr-hit smplb 10000 192.0.2.11
smplb 192.0.2.12 10
row nat-new smplb 50000 192.0.2.12 50000
smplbctl stats
lost=$(lost tx-busy)
((lost == 0)) || die "$lost packets were dropped"
