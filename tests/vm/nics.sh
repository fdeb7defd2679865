# SPDX-License-Identifier: GPL-2.0
# Shared by the scenarios of NICs that the module drives itself: claiming them,
# and what must be true of any kind. Source it, after lib.sh.
#
# eth0 is cabled to eth1, eth2 to eth3. eth0 and eth2 are claimed; the others are
# virtio.

. "$HERE/pci.sh"

release() { expect "release $1" hand "$1"; }

up() { # PLACE NAME MAC ADDRESS
	local dev
	expect "claim $1" hand "$1" "smplb_$(kind "$1")"
	dev=$(device "$3") || die "no pseudo interface for $1"
	ip link set "$dev" name "$2"
	ip addr add "$4" dev "$2"
	expect "$2 up" ip link set "$2" up
}

up_a() { up "$A" smplb0 "$MAC_A" 10.1.0.1/24; }
up_b() { up "$B" smplb1 "$MAC_B" 10.2.0.1/24; }

# The stock driver reaches the other end: works MAC ADDRESS PEER. QEMU stops
# reading a queue of a tap device for good when RSS directs one of its packets to
# a ring that the driver has yet to fill, as it has while it comes up under
# traffic: STOCK_QUEUES=1 has it use one.
works() {
	local dev
	dev=$(device "$1") || return 1
	[[ -z ${STOCK_QUEUES-} ]] || ethtool -L "$dev" combined "$STOCK_QUEUES" || return 1
	ip addr replace "$2" dev "$dev"
	ip link set "$dev" up
	ping -q -c 1 -W 1 "$3" >/dev/null
}

# Whether an interface has a link, 1, or none, 0.
carrier() { [[ $(<"/sys/class/net/$1/carrier") == "$2" ]]; }

ok() { in_ns client curl -sS -o /dev/null --max-time 5 "$1"; }
large() { cmp <(in_ns client curl -sS --max-time 30 "http://$VIP/blob") /tmp/blob; }

# The world, with web servers, and nothing claimed.
native_world() { # [PARAMETERS]
	local n
	virtio_world
	for n in 1 2 3; do
		web "b$n" 8080
	done
	for n in 2 3; do
		cp /tmp/web-b1-8080/blob "/tmp/web-b$n-8080/blob"
	done
	cp /tmp/web-b1-8080/blob /tmp/blob
	A=$(place eth0) B=$(place eth2)
	MAC_A=$(</sys/class/net/eth0/address) MAC_B=$(</sys/class/net/eth2/address)

	echo "==> nothing is claimed by loading the module"
	load "$@"
	[[ $(driver "$A") == "$(stock "$A")" ]] || die "the NIC was claimed"
}

# Claims both, switches between them, to them and from them.
native_traffic() {
	local served
	echo "==> claimed by driver_override"
	up_a
	up_b
	smplbctl port list
	[[ $(smplbctl -j port list | json "[(p['driver'], p['lower_ifname']) for p in d]") == "[('$(kind "$A")', '$A'), ('$(kind "$B")', '$B')]" ]] ||
		die "listed: $(smplbctl -j port list)"

	echo "==> the host behind the pseudo interface"
	expect "a first answer" eventually 10 in_ns client ping -q -c 1 -W 1 10.1.0.1
	expect "ping" in_ns client ping -q -c 3 -i 0.2 -W 2 10.1.0.1
	expect "ping out" ping -q -c 2 -i 0.2 -W 2 "$CLIENT"

	echo "==> HTTP through both"
	balance "tcp:$VIP:80" -- 10.2.0.11:8080=5 10.2.0.12:8080=3 10.2.0.13:8080=2
	expect "a first request" eventually 10 ok "http://$VIP/"
	served=$(requests 60 "http://$VIP")
	echo "$served"
	[[ $(awk '{ print $2 "=" $1 }' <<<"$served" | xargs) == "b1=30 b2=18 b3=12" ]] || die "not 30, 18 and 12"
	expect "a large file" large
	smplbctl stats
	native_sleep
}

# Interrupts of claimed NICs on a CPU.
interrupts() { awk -v cpu="$1" '/smplb@pci/ { n += $(cpu + 2) } END { print n + 0 }' /proc/interrupts; }
sleeps() { smplbctl -j stats | json "sum(e['sleeps'] for e in d['engines'])"; }

# An idle engine sleeps, and its NICs wake it by an interrupt of the control CPU.
# There is none on the switching CPU.
native_sleep() {
	local slept woken flood server n
	echo "==> the engine sleeps, and an interrupt of the control CPU wakes it"
	slept=$(sleeps) woken=$(interrupts 0)
	for n in {1..20}; do
		expect "ping $n from an idle engine" in_ns client ping -q -c 1 -W 1 10.1.0.1
		sleep 0.05
	done
	(($(sleeps) - slept >= 20)) || die "slept $slept and then $(sleeps) times"
	(($(interrupts 0) - woken >= 20)) || die "woken $woken and then $(interrupts 0) times"
	woken=$(interrupts 0)
	flood=$(in_ns client ping -q -f -c "${FLOOD:-4000}" 10.1.0.1)
	[[ $flood == *" 0% packet loss"* ]] || die "a flood: $flood"
	echo "$(($(interrupts 0) - woken)) interrupts for ${FLOOD:-4000} pings"
	# Whenever a packet comes: it is polled for, or the engine falls asleep, or sleeps.
	slept=$(sleeps)
	python3 -ES "$HERE/flows.py" serve 10.1.0.1 7 &
	server=$!
	sleep 1
	expect "no wake-up is lost" in_ns client python3 -ES "$HERE/flows.py" rounds 10.1.0.1 7 2000
	echo "slept $(($(sleeps) - slept)) times"
	(($(sleeps) - slept >= 100)) || die "slept $(($(sleeps) - slept)) times in 2000 rounds"
	kill $server && wait $server
	(($(interrupts 1) == 0)) || die "interrupts on the switching CPU: $(grep smplb@pci /proc/interrupts)"
}

# Both work as before.
native_release() {
	echo "==> given back"
	release "$A"
	release "$B"
	[[ $(smplbctl -j port list) == "[]" ]] || die "still listed: $(smplbctl port list)"
	expect "the NIC works as before" eventually 10 works "$MAC_A" 10.1.0.1/24 "$CLIENT"
	expect "the other one, too" eventually 10 works "$MAC_B" 10.2.0.1/24 10.2.0.11
	ip addr flush dev "$(device "$MAC_A")"
	ip addr flush dev "$(device "$MAC_B")"
}

# Claims and gives back, by rmmod and then again, with traffic: native_again [TIMES].
native_again() {
	local n
	echo "==> and again, and by rmmod with traffic"
	for ((n = 1; n <= ${1:-1}; n++)); do
		up_a
		expect "ping $n" eventually 10 in_ns client ping -q -c 1 -W 1 10.1.0.1
		ip netns exec client ping -q -f -c 1000000 10.1.0.1 >/dev/null &
		sleep 0.3
		if ((n == 1)); then
			expect "rmmod" rmmod smplb
			load
		fi
		release "$A"
		kill %% && wait
		expect "works $n" eventually 10 works "$MAC_A" 10.1.0.1/24 "$CLIENT"
		ip addr flush dev "$(device "$MAC_A")"
	done
}
