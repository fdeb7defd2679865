# SPDX-License-Identifier: GPL-2.0
# Engines on CPUs from 1 on, each between two NICs of its own, which are cabled to
# a generator and a sink, and windows in which the plugin of scripts/lines counts
# what they execute. Source it after lib.sh, with OUT, RESULTS, a file there, and
# COUNT, how many packets each generator sends.
. "$(dirname "$0")/generator.sh"
. "$(dirname "$0")/pci.sh"
. "$(dirname "$0")/window.sh"

# Of the NICs, in their order.
PLACES=() MACS=()
for nic in /sys/class/net/eth*; do
	PLACES+=("$(place "${nic##*/}")")
	MACS+=("$(<"$nic/address")")
done

# measured SCENARIO SYSTEM ENGINES FLOWS PACKETS BURSTS SYMBOLS: the packets by
# CPU, from 1 on, with commas.
measured() {
	echo "$1 by $2 on $3 CPUs: $5 packets, $6 bursts"
	printf '{"scenario":"%s","system":"%s","engines":%s,"flows":%s,"packets":[0,%s],"bursts":%s,"symbols":"%s"}\n' \
		"$@" >>"$RESULTS"
}

# The packets that each CPU's ports received, and those that left.
ports() {
	smplbctl -j port list | json "' '.join(str(sum(p['rx_packets'] for p in d if p['cpu'] == c)) for c in [1, 2, 3, 4])"
}
left() { smplbctl -j port list | json "sum(p['tx_packets'] + p['dropped'] for p in d)"; }
bursts() { smplbctl -j stats | json "sum(e['bursts'] for e in d['engines'])"; }

# symbols NAME: those of the kernel as it is now.
symbols() {
	SYMBOLS=kallsyms-$1
	cp /proc/kallsyms "$OUT/$SYMBOLS" || die "no symbols"
}

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
	symbols "$1"
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

# measure SCENARIO ENGINES FLOWS ORDERS: one window. Where too many packets found no room
# at last, which costs less, it counts for nothing, and there is another one.
measure() {
	local scenario=$1 engines=$2 flows=$3 orders=$4 before after n from burst total busy attempt
	total=$(($(grep -o , <<<"$orders," | wc -l) * COUNT))
	for attempt in {1..5}; do
		read -ra before <<<"$(ports)"
		from=$(left) burst=$(bursts) busy=$(drops tx-busy)
		window +
		send "$orders"
		eventually 100 through "$from" "$total" || die "$(($(left) - from)) of $total packets left"
		window -
		burst=$(($(bursts) - burst)) busy=$(($(drops tx-busy) - busy))
		read -ra after <<<"$(ports)"
		for n in {0..3}; do after[n]=$((after[n] - before[n])); done
		n=$((after[0] + after[1] + after[2] + after[3]))
		((n == total)) || die "$n of $total packets came"
		if ((busy * 1000 < total * 10)); then
			measured "$scenario" smplb "$engines" "$flows" "$(IFS=, && echo "${after[*]}")" "$burst" "$SYMBOLS"
			return
		fi
		echo "$busy of $total found no room at last: that was attempt $attempt"
		[[ $scenario != nat-new ]] || die "another time they would not be new"
		measured void smplb "$engines" "$flows" "$(IFS=, && echo "${after[*]}")" "$burst" "$SYMBOLS"
	done
	die "$scenario: no attempt counts"
}

# What each of N generators is to send: orders N COUNT FLOWS VIP [HOST].
orders() {
	local k list=
	for ((k = 1; k <= $1; k++)); do
		list+=", $2 $3 ${MACS[2 * k - 2]} ${4/K/$k} 9 wire=$((k - 1)) from=10.1.$k.${5:-2}"
	done
	echo "${list#, }"
}

# The same orders, with no more packets under way than the rings on both sides hold, where each
# leaves by the NIC that is cabled to its own generator: paced ORDERS.
paced() { echo "${1//wire=/window=480 wire=}"; }

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
