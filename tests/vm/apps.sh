#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The example applications do what they are for: packets and their answers are
# counted, RTP is passed on, frames are written down, and a file is served by a TCP in
# user space.
. "$(dirname "$0")/lib.sh"

HOST=10.1.0.1

world 1
expect "the host" eventually 5 in_ns client ping -q -c 1 -W 1 $HOST
expect "the server" eventually 5 ping -q -c 1 -W 1 10.2.0.11

echo "==> packets and answers"
ip netns exec client python3 -ES "$HERE/udp.py" echo "$CLIENT" 7 &
undo "kill $!"
refuse "no such port" 'smplbctl port list' smplb-gen nothing0 $HOST:5000 "$CLIENT:7"
refuse "no such neighbour" 'ping -c 1 10.1.0.77' smplb-gen smplb0 $HOST:5000 10.1.0.77:7
refuse "nobody answers" 'no answer' smplb-gen smplb0 $HOST:5000 "$CLIENT:8" --count 1 --sleep
asked=$(smplb-gen smplb0 $HOST:5000 "$CLIENT:7" --count 500 --window 8 --sleep) || die "$asked"
echo "$asked"
[[ $asked == *"sent 500 answered 500 lost 0 "* ]] || die "not all were answered"
asked=$(smplb-gen smplb0 $HOST:5000 "$CLIENT:7" --count 100 --rate 100 --window 50 --size 1000 --sleep) || die "$asked"
echo "$asked"
[[ $asked == *"sent 100 answered 100 lost 0 "* ]] || die "not all were answered"

echo "==> RTP is passed on"
app /tmp/rtp.log 'passing' smplb-rtp $HOST:5004 smplb1 10.2.0.11:5006 --report 2 --sleep
ip netns exec b1 python3 -ESc 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.2.0.11", 5006))
s.settimeout(5)
got = set()
try:
    while len(got) < 48:
        data, sender = s.recvfrom(2048)
        assert sender == ("10.1.0.1", 5004), sender
        assert data[12:] == b"voice" * 32, data
        got.add(data[2:4])
except TimeoutError:
    pass
print(len(got))' >/tmp/rtp.got &
got=$!
sleep 1
in_ns client python3 -ESc 'import socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for n in range(50):
    if n not in (20, 30):
        s.sendto(struct.pack("!BBHII", 0x80, 0, n, n * 160, 0xabcd) + b"voice" * 32, ("10.1.0.1", 5004))
    time.sleep(0.02)
s.sendto(b"no RTP", ("10.1.0.1", 5004))'
wait $got || die "what came is wrong: $(cat /tmp/rtp.log)"
[[ $(</tmp/rtp.got) == 48 ]] || die "$(</tmp/rtp.got) of 48 packets came: $(cat /tmp/rtp.log)"
expect "the losses" eventually 10 grep -Eq '^ +abcd +48 +2 +0 ' /tmp/rtp.log
tail -n 2 /tmp/rtp.log
end_app

echo "==> frames are written down"
smplb-dump smplb0 /tmp/lldp.pcapng --ethertype 0x88cc --count 3 2>/tmp/dump.log &
dump=$!
sleep 1
in_ns client python3 -ESc 'import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("c0", 0))
for n in range(3):
    s.send(bytes.fromhex("0180c200000e02000000000188cc") + bytes([n]) * 50)'
wait $dump || die "$(cat /tmp/dump.log)"
cat /tmp/dump.log
# tcpdump gives up its privileges, and reads what all may.
chmod 644 /tmp/lldp.pcapng
[[ $(tcpdump -n -r /tmp/lldp.pcapng 2>/dev/null | grep -c LLDP) == 3 ]] || die "$(tcpdump -n -r /tmp/lldp.pcapng 2>&1)"

echo "==> a file by a TCP in user space"
head -c 300000 /dev/urandom >/tmp/file
app /tmp/http.log 'serving' smplb-http $HOST:8081 /tmp/file --sleep
for n in 1 2 3; do
	in_ns client curl -sS --max-time 30 -o /tmp/got "http://$HOST:8081/" || die "curl: $(cat /tmp/http.log)"
	cmp /tmp/got /tmp/file || die "what came is another file"
done
pids=()
for n in 1 2 3 4 5 6 7 8; do
	ip netns exec client curl -sS --max-time 60 -o "/tmp/got$n" "http://$HOST:8081/" &
	pids+=($!)
done
for n in 1 2 3 4 5 6 7 8; do
	wait "${pids[n - 1]}" || die "curl $n: $(cat /tmp/http.log)"
	cmp "/tmp/got$n" /tmp/file || die "what came to $n is another file"
done
[[ $(in_ns client curl -sS -X POST -o /dev/null -w '%{http_code}' --max-time 10 "http://$HOST:8081/") == 405 ]] || die "POST"
end_app
