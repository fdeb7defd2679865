#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 5 --append isolcpus=nohz,domain,managed_irq,1-4 --generator --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off
# What several engines cost each other: instructions per packet of each, and the
# cache lines that they share, with 1, 2 and 4 engines at work at the same time.
# Before that, what IPVS over the stock driver takes of a CPU that it has for itself.
#
#   generators (on the host) --- eth0 [engine of CPU 1] eth1 --- sink
#                            --- eth2 [engine of CPU 2] eth3 --- sink
#                            --- ...
#
# All is counted by the plugin of scripts/lines, per CPU, in a window that begins
# before the first packet and ends after the last one. Engines sleep as soon as
# their rings are empty (spin_us=0), and nothing else is put on their CPUs: all
# that those execute in a window is for the packets, interrupts and sleeping
# included.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/generator.sh"
. "$(dirname "$0")/pci.sh"
. "$(dirname "$0")/window.sh"

OUT=${SMPLB_OUT:?the results go there}
RESULTS=$OUT/bench-scaling.jsonl
COUNT=${BENCH_COUNT:-20000}
FLOWS=1000
: >"$RESULTS"

PLACES=() MACS=()
for nic in {0..7}; do
	PLACES+=("$(place "eth$nic")")
	MACS+=("$(<"/sys/class/net/eth$nic/address")")
done

# measured SCENARIO SYSTEM ENGINES FLOWS PACKETS BURSTS TICKS SYMBOLS: the packets by
# CPU, from 1 on, with commas; the ticks of CPU 1.
measured() {
	echo "$1 by $2 on $3 CPUs: $5 packets, $6 bursts, $7 ticks"
	printf '{"scenario":"%s","system":"%s","engines":%s,"flows":%s,"packets":[0,%s],"bursts":%s,"ticks":%s,"symbols":"%s"}\n' \
		"$@" >>"$RESULTS"
}

# Timer interrupts of CPU 1.
ticks() { awk '$1 == "LOC:" { print $3 }' /proc/interrupts; }

# The packets that each CPU's ports received, and those that left.
ports() {
	smplbctl -j port list | json "' '.join(str(sum(p['rx_packets'] for p in d if p['cpu'] == c)) for c in [1, 2, 3, 4])"
}
left() { smplbctl -j port list | json "sum(p['tx_packets'] + p['dropped'] for p in d)"; }
bursts() { smplbctl -j stats | json "sum(e['bursts'] for e in d['engines'])"; }

# Engines on CPUs 1 to N, each with the next two NICs: begin N.
begin() {
	local k
	load spin_us=0
	for ((k = 1; k <= $1; k++)); do
		expect "a port" smplbctl port add "${PLACES[2 * k - 2]}" --driver virtio_net --name "in$k" --cpu "$k" --force
		expect "a port" smplbctl port add "${PLACES[2 * k - 1]}" --driver virtio_net --name "out$k" --cpu "$k" --force
		ip link set "in$k" up
		ip link set "out$k" up
		ip addr add "10.1.$k.1/24" dev "in$k"
		ip addr add "10.2.$k.1/24" dev "out$k"
		ip neigh replace "10.2.$k.2" lladdr "02:00:00:00:00:6$k" dev "out$k"
	done
	cp /proc/kallsyms "$OUT/kallsyms-$1"
	sleep 1
}

# Nothing was lost but what is the last thing that happens to a packet.
finish() {
	local k lost
	smplbctl stats
	lost=$(lost tx-busy)
	((lost == 0)) || die "$lost packets were dropped"
	for ((k = 1; k <= $1; k++)); do
		expect "a port back" smplbctl port del "in$k"
		expect "a port back" smplbctl port del "out$k"
	done
	expect "rmmod" rmmod smplb
}

# So many packets have left since there were so many.
through() { (($(left) - $1 >= $2)); }

# measure SCENARIO ENGINES FLOWS ORDERS: one window.
measure() {
	local scenario=$1 engines=$2 flows=$3 orders=$4 before after n from burst total busy tick
	total=$(($(grep -o , <<<"$orders," | wc -l) * COUNT))
	read -ra before <<<"$(ports)"
	from=$(left) burst=$(bursts) busy=$(drops tx-busy) tick=$(ticks)
	window +
	send "$orders"
	eventually 100 through "$from" "$total" || die "$(($(left) - from)) of $total packets left"
	window -
	tick=$(($(ticks) - tick))
	burst=$(($(bursts) - burst)) busy=$(($(drops tx-busy) - busy))
	read -ra after <<<"$(ports)"
	for n in {0..3}; do after[n]=$((after[n] - before[n])); done
	n=$((after[0] + after[1] + after[2] + after[3]))
	((n == total)) || die "$n of $total packets came"
	# Such a packet costs less.
	((busy * 1000 < total * 10)) || die "$busy of $total found no room at last: the row is void"
	measured "$scenario" smplb "$engines" "$flows" "$(IFS=, && echo "${after[*]}")" "$burst" "$tick" "kallsyms-$LOADED"
}

# What each of N generators is to send: orders N COUNT FLOWS VIP [HOST].
orders() {
	local k list=
	for ((k = 1; k <= $1; k++)); do
		list+=", $2 $3 ${MACS[2 * k - 2]} ${4/K/$k} 9 wire=$((k - 1)) from=10.1.$k.${5:-2}"
	done
	echo "${list#, }"
}

# warm ORDERS: make the connections and fill the caches.
warm() {
	send "$1"
	sleep 1
}

service() { # VIP BACKEND...
	local vip=$1 backend
	shift
	expect "service" smplbctl service add "udp:$vip:9"
	for backend; do
		expect "backend" smplbctl backend add "udp:$vip:9" "$backend"
	done
}

# One window of the first two NICs with their stock driver, all of which is on CPU 1.
ipvs() {
	local nic irq from ticks sent=/sys/class/net/eth1/statistics/tx_packets
	echo "==> IPVS over the stock driver"
	ipvs_ready
	# In softirqs of the CPU that is interrupted, as it is by default.
	for nic in eth0 eth1; do
		sysctl -qw "net.ipv6.conf.$nic.disable_ipv6=1"
		ip link set $nic txqueuelen 10000 up
		for irq in "/sys/class/net/$nic/device/../msi_irqs"/*; do
			irq=/proc/irq/${irq##*/}
			[[ ! -e $irq/smp_affinity_list ]] || echo 1 >"$irq/smp_affinity_list" || die "$irq"
		done
	done
	ip addr add 10.1.1.1/24 dev eth0
	ip addr add 10.2.1.1/24 dev eth1
	ip addr add 192.0.2.1/32 dev lo
	ip neigh replace 10.2.1.2 lladdr 02:00:00:00:00:61 dev eth1
	expect "ipvsadm" ipvsadm -A -u 192.0.2.1:9 -s rr
	expect "ipvsadm" ipvsadm -a -u 192.0.2.1:9 -r 10.2.1.2:9 -m
	warm "$(orders 1 3000 1 192.0.2.1)"
	cp /proc/kallsyms "$OUT/kallsyms-0"
	from=$(<$sent) ticks=$(ticks)
	gone() { (($(<$sent) - from >= COUNT)); }
	window +
	send "$(orders 1 "$COUNT" 1 192.0.2.1)"
	eventually 100 gone || die "$(($(<$sent) - from)) of $COUNT packets left"
	window -
	ticks=$(($(ticks) - ticks))
	(($(<$sent) - from == COUNT)) || die "$(($(<$sent) - from)) packets left"
	measured nat-hit ipvs 1 1 "$COUNT" 0 "$ticks" kallsyms-0
	ipvsadm -C
	for nic in eth0 eth1; do
		ip addr flush dev $nic
		ip link set $nic down
	done
	ip addr del 192.0.2.1/32 dev lo
}
ipvs

# A CPU at work for IPVS has ticks, unlike that of an engine, and as many for a packet
# as the VM is slow: what one of them costs is measured, and taken off. Two programs
# that do nothing share the CPU: what it costs to change between them is in it.
echo "==> ticks"
for n in 1 2; do taskset -c 1 bash -c 'while :; do :; done' & done
sleep 1
n=$(ticks)
window +
sleep 2
window -
n=$(($(ticks) - n))
measured tick kernel 1 0 "$n" 0 "$n" kallsyms-0
kill %1 %2 && wait

for LOADED in ${BENCH_ENGINES:-1 2 4}; do
	N=$LOADED
	echo "==> $N engines, each between its own NICs"
	begin "$N"
	for ((k = 1; k <= N; k++)); do service "192.0.2.$k" "10.2.$k.2:9"; done
	warm "$(orders "$N" 3000 $FLOWS 192.0.2.K)"
	measure nat-hit "$N" $FLOWS "$(orders "$N" "$COUNT" $FLOWS 192.0.2.K)"
	((N > 1)) || {
		# Bursts of one flow, as in the goal that there is for one engine.
		warm "$(orders 1 300 1 192.0.2.K)"
		measure nat-hit 1 1 "$(orders 1 "$COUNT" 1 192.0.2.K)"
	}
	measure nat-new "$N" "$COUNT" "$(orders "$N" "$COUNT" "$COUNT" 192.0.2.K)"
	((N > 1)) || {
		finish "$N"
		continue
	}

	echo "==> $N engines, one service, whose back-ends are behind the NICs of all"
	backends=()
	for ((k = 1; k <= N; k++)); do backends+=("10.2.$k.2:9"); done
	service 192.0.2.10 "${backends[@]}"
	warm "$(orders "$N" 3000 $FLOWS 192.0.2.10 100)"
	measure one-service "$N" $FLOWS "$(orders "$N" "$COUNT" $FLOWS 192.0.2.10 100)"
	if ((N == 2)); then
		echo "==> replies that another engine receives"
		ip addr add 10.3.0.1/24 dev in2
		ip neigh replace 10.3.0.2 lladdr 02:00:00:00:00:73 dev in2
		for ((k = 2; k < 6; k++)); do ip neigh replace "10.1.1.$k" lladdr 02:00:00:00:00:71 dev in1; done
		service 192.0.2.11 10.3.0.2:9
		request="$FLOWS ${MACS[0]} 192.0.2.11 9 from=10.1.1.2"
		answer="$FLOWS ${MACS[2]} 10.3.0.2 9 wire=1 from=10.1.1.2 back"
		warm "3000 $request"
		warm "3000 $answer"
		measure replies "$N" $FLOWS "$COUNT $request, $COUNT $answer"
	fi
	finish "$N"
done
