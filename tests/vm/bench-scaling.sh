#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 5 --append isolcpus=nohz,domain,managed_irq,1-4 --generator --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off --nic virtio,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off
# What several engines cost each other: instructions per packet of each, and the
# cache lines that they share, with 1, 2 and 4 engines at work at the same time.
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

OUT=${SMPLB_OUT:?the results go there}
RESULTS=$OUT/bench-scaling.jsonl
COUNT=${BENCH_COUNT:-20000}
FLOWS=1000
: >"$RESULTS"
. "$(dirname "$0")/engines.sh"

for N in ${BENCH_ENGINES:-1 2 4}; do
	echo "==> $N engines, each between its own NICs"
	begin "$N"
	for ((k = 1; k <= N; k++)); do service "192.0.2.$k" "10.2.$k.2:9"; done
	warm "$(orders "$N" 3000 $FLOWS 192.0.2.K)"
	measure nat-hit "$N" $FLOWS "$(paced "$(orders "$N" "$COUNT" $FLOWS 192.0.2.K)")"
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
