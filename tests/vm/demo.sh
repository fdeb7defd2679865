#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio --nic virtio
# The main job on real input: three nginx back-ends with weights 5:3:2 behind
# one VIP, 1,000 HTTP requests, a ping to the pseudo interface, a table of what
# happened. Fails when anything is off.
#
# The NICs are virtio: eth0 is cabled to eth1 and eth2 to eth3.
. "$(dirname "$0")/lib.sh"

REQUESTS=1000
WEIGHTS=(5 3 2)

echo "==> two NICs for the switch, their other ends for client and servers"
virtio_world
for n in 1 2 3; do
	web "b$n" 80
done

echo "==> claim eth0 (clients) and eth2 (servers)"
load
expect "claim eth0" smplbctl port add eth0 --name smplb0
expect "claim eth2" smplbctl port add eth2 --name smplb1
ip addr add 10.1.0.1/24 dev smplb0
ip addr add 10.2.0.1/24 dev smplb1
ip link set smplb0 up
ip link set smplb1 up
smplbctl port list

echo "==> service tcp:$VIP:80, back-ends ${WEIGHTS[*]}"
expect "service" smplbctl service add "tcp:$VIP:80" --scheduler wrr --mode nat
for n in 1 2 3; do
	expect "backend" smplbctl backend add "tcp:$VIP:80" "10.2.0.1$n" --weight "${WEIGHTS[n - 1]}"
done

echo "==> ping 10.1.0.1, the host behind the pseudo interface"
expect "ping" in_ns client ping -q -c 3 -W 2 10.1.0.1

echo "==> $REQUESTS requests to http://$VIP/"
served=$(requests $REQUESTS "http://$VIP")

bad=0
printf '\n%-10s %8s %10s %10s\n' backend weight wanted served
for n in 1 2 3; do
	wanted=$((REQUESTS * WEIGHTS[n - 1] / 10))
	got=$(awk -v b="b$n" '$2 == b { print $1 }' <<<"$served")
	printf '%-10s %8s %10s %10s\n' "b$n" "${WEIGHTS[n - 1]}" "$wanted" "${got:-0}"
	[[ ${got:-0} == "$wanted" ]] || bad=1
done
echo
smplbctl stats

total=$(awk '{ n += $1 } END { print n + 0 }' <<<"$served")
lost=$(lost)
((total == REQUESTS)) || die "$total of $REQUESTS requests were served"
((bad == 0)) || die "the shares are not those of the weights"
((lost == 0)) || die "$lost packets were dropped"
echo "==> all requests served, shares as wanted, nothing dropped"
