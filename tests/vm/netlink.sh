#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Truncated, oversized and garbage netlink messages, thousands of them, while
# traffic flows: the module refuses them and goes on.
. "$(dirname "$0")/lib.sh"

load
world 1
helper b1 udp serve 10.2.0.11 53 b1 &
good() {
	expect "empty" smplbctl apply - </dev/null >/dev/null
	balance "udp:$VIP:53" -- 10.2.0.11
	balance "tcp:$VIP:80" -- 10.2.0.11
}
answers() { [[ $(helper client udp ask "$VIP" 53 1) == b1 ]]; }
good
expect "UDP" eventually 15 answers
helper client udp flood "$VIP" 53 3 >/dev/null &
for seed in 1 2; do
	expect "messages of seed $seed" helper - netlink $seed
done

echo "==> links of kind smplb, made by hand"
for n in 1 2 3 4 5; do
	ip link add link d0 name "smplb$n" type smplb 2>/dev/null && die "claimed twice"
	ip link add link lo name "smplb$n" type smplb 2>/dev/null && die "loopback claimed"
done
ip link set smplb0 type smplb || die "a change of nothing"

echo "==> and it still works"
good
expect "UDP" eventually 10 answers
expect "every listing" smplbctl show >/dev/null
expect "every listing" smplbctl connections >/dev/null
expect "ports are where they were" grep -q smplb1 <(smplbctl port list)
expect "ping" in_ns client ping -q -c 1 -W 2 10.1.0.1 >/dev/null
