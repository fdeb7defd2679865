#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --tap 1 --nic virtio --nic virtio --nic virtio --nic virtio
# Checksums that the sender left to its NIC: the module's NICs pass such packets
# on as they are, with the addresses changed, and whoever cannot take them so gets
# them finished. The stock driver sends them; a capture at the other end tells
# whether somebody has computed the sum on the way.
#
# eth0 is cabled to eth1, eth2 to eth3.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"

# Whether eth2 is a NIC that finishes checksums.
OFFLOAD=${OFFLOAD:-1}

# Packets that match arrive at s0 while COMMAND runs, with right sums or not:
# sums FILTER COMMAND... prints how many of each.
sums() {
	local filter=$1
	shift
	in_ns lan tcpdump -Uni s0 -w /tmp/sums.pcap "$filter" 2>/tmp/tcpdump.log &
	expect "a capture" eventually 30 grep -q listening /tmp/tcpdump.log
	expect "traffic for a capture" "$@"
	sleep 1
	pkill -INT -x tcpdump
	wait
	in_ns lan tcpdump -vvnr /tmp/sums.pcap 2>/dev/null |
		awk '/ cksum .*incorrect|bad udp cksum/ { wrong++ } / cksum .*\(correct|udp sum ok/ { right++ }
		     END { print right + 0, wrong + 0 }'
}
datagrams() { in_ns client python3 -ES -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(20): s.sendto(b"%d" % n * 100, ("192.0.2.10", 53))'; }
# A connection to port 8001 of the host is written to /tmp/sent.
sink() { python3 -ES -c '
import socket
s = socket.create_server(("", 8001))
print("listening", flush=True)
c, _ = s.accept()
with open("/tmp/sent", "wb") as out:
    while octets := c.recv(65536): out.write(octets)' >/tmp/sink.log & }

native_world share_control_cpu=1
up_a
up_b
balance "tcp:$VIP:80" -- 10.2.0.11:8080 10.2.0.12:8080 10.2.0.13:8080
balance "udp:$VIP:53" -- 10.2.0.11:53
expect "a first request" eventually 10 ok "http://$VIP/"

echo "==> from NIC to NIC"
for what in "tcp dst port 8080:large" "udp dst port 53:datagrams"; do
	read -r right wrong < <(sums "${what%:*}" "${what#*:}")
	echo "${what%:*}: $right sums finished, $wrong left to the NIC"
	if ((OFFLOAD)); then
		((wrong >= 10)) || die "nobody left sums to NICs"
	else
		((right >= 10 && wrong == 0)) || die "not finished"
	fi
done
expect "requests" requests 30 "http://$VIP"

echo "==> to the host and from it"
cp /tmp/blob /tmp/web-host-blob
python3 -ES -m http.server -d /tmp 8000 >/dev/null 2>&1 &
SERVER=$!
expect "the host's server" eventually 60 curl -sS -o /dev/null --max-time 2 http://127.0.0.1:8000/web-host-blob
in_ns client curl -sS --max-time 60 http://10.1.0.1:8000/web-host-blob | cmp - /tmp/blob || die "from the host"
sink
SINK=$!
expect "the host's sink" eventually 60 grep -q listening /tmp/sink.log
expect "a large file to the host" in_ns client timeout 60 bash -c 'cat /tmp/blob >/dev/tcp/10.1.0.1/8001'
expect "the end of it" wait $SINK
cmp /tmp/sent /tmp/blob || die "to the host"
curl -sS --max-time 60 http://10.2.0.11:8080/blob | cmp - /tmp/blob || die "a server's to the host"
kill $SERVER

echo "==> to a neighbour that has to be found first, and to a port of driver netdev"
ip neigh flush dev smplb1
expect "a large file" large
namespaces extra
cable - d5 extra c5
ip link set d5 up
ip -n extra addr add 10.5.0.2/24 dev c5
ip -n extra link set c5 up
ip -n extra route add default via 10.5.0.1
# By another engine than those of the native ports.
expect "claim d5" smplbctl port add d5 --name smplb5 --cpu 0
ip addr add 10.5.0.1/24 dev smplb5
expect "smplb5 up" ip link set smplb5 up
expect "a request" eventually 10 in_ns extra curl -sS -o /dev/null --max-time 2 "http://$VIP/"
in_ns extra curl -sS --max-time 30 "http://$VIP/blob" | cmp - /tmp/blob || die "to driver netdev"
smplbctl stats
[[ $(smplbctl -j port list | json "sum(p.get('rx_errors', 0) for p in d)") == 0 ]] || die "$(smplbctl port list)"

echo "==> the pool goes with the last native port, whoever has buffers of it"
before=$(free_pages)
release "$A"
release "$B"
free() { (($(free_pages) - before > 6000)); }
expect "its memory" eventually 5 free
expect "release d5" smplbctl port del smplb5
