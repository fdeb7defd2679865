#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 3 --append isolcpus=nohz,domain,managed_irq,1-2 --generator --nic virtio,iommu_platform=on,guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo=off
# What a round trip costs: UDP packets of 60 octets are answered by applications on a
# CPU of their own, which reach the network by a channel of smplb, AF_XDP, AF_PACKET
# with mapped rings, and UDP sockets.
#
#   generator (on the host) --- eth0 [CPU 1: engine, or softirqs] --- [CPU 2: application]
#
# Each is measured with one packet under way, and with a WINDOW of them. It runs three
# times: for times; with `--lines` for what those execute that look all the time; and with
# `--lines --icount` for what those execute that sleep, on CPUs 1 and 2.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/generator.sh"
. "$(dirname "$0")/pci.sh"
. "$(dirname "$0")/window.sh"

OUT=${SMPLB_OUT:?the results go there}
RESULTS=$OUT/bench-channel.jsonl
COUNT=${BENCH_COUNT:-20000}
MODES=${BENCH_MODES:-sleep look}
WINDOW_SIZE=${BENCH_WINDOW:-128}
HOST=10.1.0.1
PORT=9
: >"$RESULTS"

for name in udp packet xsk; do
	gcc -O2 -Wall -Wextra -Werror -o "/tmp/peer-$name" "$HERE/peers/$name.c" || die "gcc"
done
PLACE=$(place eth0)
MAC=$(</sys/class/net/eth0/address)

# row SYSTEM PORT MODE MAC WINDOW COUNT
row() {
	local told
	send "$((6 * $5)) 16 $4 $HOST $PORT window=$5 answered"
	sleep 0.2
	window +
	send "$6 16 $4 $HOST $PORT window=$5 answered"
	window -
	told=$(sed 's/ *\([a-z0-9]*\)=\([0-9]*\)/"\1":\2,/g' <<<"$ANSWERS")
	echo "$1 on $2, $3, $5 under way:$ANSWERS"
	[[ $ANSWERS == *"answered=$6 "* ]] || die "packets were lost"
	printf '{"system":"%s","port":"%s","mode":"%s","window":%s,%s"symbols":"kallsyms-%s"}\n' \
		"$1" "$2" "$3" "$5" "$told" "$LOADED" >>"$RESULTS"
}

# Two rows of an application: answer SYSTEM PORT MODE MAC PATTERN COMMAND...
answer() {
	app /tmp/answer.log "$5" taskset -c 2 "${@:6}"
	cat /tmp/answer.log
	row "$1" "$2" "$3" "$4" 1 $((COUNT / 10))
	row "$1" "$2" "$3" "$4" "$WINDOW_SIZE" "$COUNT"
	end_app
}

# The NIC with its stock driver, in softirqs of CPU 1.
stock_nic() {
	sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
	ip link set eth0 up
	interrupts_to 1 eth0
}

addressed() {
	ip addr add $HOST/16 dev "$1"
	ip neigh replace 10.1.0.2 lladdr 02:00:00:00:00:01 dev "$1"
}

# Now and then the kernel counts and looks on each CPU: not in the time that is measured.
for key in vm.stat_interval=3600 kernel.watchdog=0; do sysctl -qw $key 2>/dev/null; done

# Nor is anything done there for other devices, such as the disk.
for irq in /proc/irq/[0-9]*/smp_affinity_list; do echo 0 >"$irq"; done 2>/dev/null

LOADED=stock
cp /proc/kallsyms "$OUT/kallsyms-$LOADED"
stock_nic

if [[ $MODES == *sleep* ]]; then
	echo "==> UDP sockets"
	addressed eth0
	answer udp stock one "$MAC" answering /tmp/peer-udp $PORT 1
	answer udp stock burst "$MAC" answering /tmp/peer-udp $PORT 64
	ip addr flush dev eth0
fi

echo "==> AF_PACKET"
# To another address: the host's own stack leaves such packets alone.
ip link set eth0 promisc on
for mode in $MODES; do
	answer packet stock $mode 02:00:00:00:00:99 answering /tmp/peer-packet eth0 $mode
done
ip link set eth0 promisc off

echo "==> AF_XDP"
# Its programs are woken for more packets or for fewer, as it happens: of several rows
# that one counts which took the least.
for mode in $MODES; do
	for turn in {1..5}; do
		answer xdp stock $mode "$MAC" 'answering without' /tmp/peer-xsk eth0 $mode
		answer xdp-copy stock $mode "$MAC" 'answering with copies' /tmp/peer-xsk eth0 $mode copy
		[[ $mode == sleep ]] || break
	done
done

# An engine and an application that sleep whenever they find nothing, or never.
channels() { # PORT COMMAND...: the command brings the port up as smplb0
	local mode sleep crowd
	for mode in $MODES; do
		LOADED=$1-$mode
		if [[ $mode == sleep ]]; then load spin_us=0; else load spin_us=1000000; fi
		expect "a port" "${@:2}"
		ip link set smplb0 up
		addressed smplb0
		cp /proc/kallsyms "$OUT/kallsyms-$LOADED"
		sleep 1
		if [[ $mode == sleep ]]; then sleep=--sleep; else sleep=; fi
		answer smplb "$1" $mode "$MAC" answering smplb-echo $HOST:$PORT $sleep
		if [[ $1 != netdev ]]; then
			answer smplb-trusted "$1" $mode "$MAC" answering smplb-echo $HOST:$PORT $sleep --trusted
		fi
		if [[ $1/$mode == virtio_net/sleep ]]; then
			# Beside a thousand that have nothing to do.
			ulimit -n 4096
			crowd $HOST 10000 1000 >/tmp/crowd.log 2>&1 &
			crowd=$!
			undo "kill -9 $crowd 2>/dev/null"
			eventually 300 grep -q channels /tmp/crowd.log || die "crowd: $(</tmp/crowd.log)"
			answer smplb-crowd "$1" $mode "$MAC" answering smplb-echo $HOST:$PORT $sleep
			end_app "$crowd"
		fi
		smplbctl stats
		expect "the port back" smplbctl port del smplb0
		expect "rmmod" rmmod smplb
	done
}

echo "==> channels of smplb, over the stock driver and over its own"
ip link set eth0 up
channels netdev smplbctl port add eth0 --name smplb0 --cpu 1
channels virtio_net smplbctl port add "$PLACE" --driver virtio_net --name smplb0 --cpu 1 --force
