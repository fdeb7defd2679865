#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Everything is changed at once while traffic flows: ports come, go and move,
# interfaces go down and up, configurations flip, routes and neighbours change,
# namespaces with switches of their own are made and deleted, all is listed.
# Commands may be refused; afterwards all must work, and the module must go.
. "$(dirname "$0")/lib.sh"

load
world 1
helper b1 udp serve 10.2.0.11 53 b1 &
cat >/tmp/one.toml <<-TOML
	[[service]]
	address = "udp:$VIP:53"
	backend = [{ address = "10.2.0.11" }]
	[[service]]
	address = "tcp:$VIP:80"
	backend = [{ address = "10.2.0.11" }, { address = "10.2.0.12" }]
TOML
cat >/tmp/two.toml <<-TOML
	[[service]]
	address = "udp:$VIP:53"
	scheduler = "lc"
	backend = [{ address = "10.2.0.11", weight = 3 }, { address = "10.2.0.13" }]
TOML
expect "apply" smplbctl apply /tmp/one.toml
answers() { [[ $(helper client udp ask "$VIP" 53 1) == b1 ]]; }
expect "UDP" eventually 15 answers

touch /tmp/go
loops=()
again() { # COMMAND...: until the end of the stress, whatever comes of it
	while [[ -e /tmp/go ]]; do "$@"; done >>/tmp/log 2>&1 &
	loops+=($!)
}
ports() {
	smplbctl port del smplb1
	smplbctl port add d1 --name smplb1
	ip addr add 10.2.0.1/24 dev smplb1
	ip link set smplb1 up
	sleep 0.5
}
moves() {
	smplbctl port set smplb0 --cpu 1
	smplbctl port set smplb0 --cpu 2
	ip link set smplb0 down
	ip link set smplb0 up
	ip link set d0 mtu 1400
	ip link set d0 mtu 1500
}
configs() {
	smplbctl apply /tmp/two.toml
	smplbctl backend add "udp:$VIP:53" 10.2.0.12
	smplbctl generation rollback
	smplbctl apply /tmp/one.toml
}
routes() {
	ip route replace 10.7.0.0/16 via 10.2.0.11
	ip route replace 10.8.0.0/16 via 10.1.0.2
	ip neigh replace 10.2.0.12 lladdr 02:00:00:00:00:12 dev smplb1
	ip neigh flush all
	ip route del 10.7.0.0/16
}
listings() {
	smplbctl stats
	smplbctl connections
	smplbctl port list
	smplbctl show
	ip -s -d link show
	ethtool -S smplb0
}
spaces() {
	ip netns add deep
	ip -n deep link add v0 type veth peer name v1
	ip netns exec deep smplbctl port add v0 --name smplb0
	ip -n deep link set v1 up
	ip -n deep link set smplb0 up
	ip netns exec deep smplbctl service add tcp:192.0.2.1:80
	ip netns del deep
}
for loop in ports moves configs routes listings spaces; do
	again $loop
done
helper client udp flood "$VIP" 53 10 &
flood=$!
in_ns client ping -q -f -w 10 10.1.0.1 >/dev/null &
wait $flood $!
rm /tmp/go
wait "${loops[@]}"

echo "==> and all works"
ip link set smplb0 up
ip addr replace 10.1.0.1/24 dev smplb0
smplbctl port add d1 --name smplb1 2>/dev/null
ip addr replace 10.2.0.1/24 dev smplb1
ip link set smplb1 up
expect "apply" smplbctl apply /tmp/one.toml
expect "ping" eventually 5 in_ns client ping -q -c 1 -W 1 10.1.0.1 >/dev/null
expect "UDP" eventually 15 answers
expect "rmmod" modprobe -r smplb
