#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 4 --nic virtio --nic virtio --nic virtio --nic virtio
# Applications on channels over native ports: several at once, killed at any moment,
# with ports and CPUs that go under them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/nics.sh"

HOST=10.1.0.1
KILLS=${KILLS:-100}
HARM=${HARM:-60}
# A debug kernel is slow.
[[ -e /sys/kernel/debug/kmemleak ]] && KILLS=50
answers() { # PORT: whether the responder there does
	[[ $(in_ns client python3 -ESc 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
s.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
try:
    print(s.recv(64).decode())
except OSError:
    pass' $HOST "$1") == hello ]]
}
# Runs a responder: echo_on PORT ARGS...
echo_on() {
	local port=$1
	shift
	app "/tmp/echo-$port.log" 'answering for' smplb-echo "$HOST:$port" "$@"
}
engines() { smplbctl -j stats | json "[e['cpu'] for e in d['engines']]"; }

virtio_world 0
A=$(place eth0) MAC_A=$(</sys/class/net/eth0/address)
B=$(place eth2) MAC_B=$(</sys/class/net/eth2/address)
load
up_a
up_b
expect "the host" eventually 5 in_ns client ping -q -c 1 -W 1 $HOST

echo "==> two applications, by engines of their choice"
# The CPU without a port; the other one is served by an engine that there is.
free=$(smplbctl -j port list | json "min({1, 2, 3} - {p['cpu'] for p in d})")
echo_on 7 --sleep
one=$APP
echo_on 8 --cpu "$free" --sleep
two=$APP
expect "an engine without ports" test "$(smplbctl -j stats | json "[e['ports'] for e in d['engines'] if e['cpu'] == $free]")" == "[0]"
helper client udp stream $HOST 7 2 100 &
other=$!
helper client udp stream $HOST 8 2 100 || die "$(smplbctl stats)"
wait $other || die "$(smplbctl stats)"
expect "the pool adds up" eventually 5 adds_up
refuse "the module is in use" 'in use' rmmod smplb

echo "==> one that shares the buffers of the switch"
app /tmp/trusted.log 'answering for' smplb-echo $HOST:10 --trusted
trusted=$APP
(($(pool channels) == 1024)) || die "$(smplbctl pool)"
helper client udp stream $HOST 10 2 100 || die "$(smplbctl stats; smplbctl pool)"
(($(pool channels) == 1024)) || die "buffers were not exchanged: $(smplbctl pool)"
expect "the pool adds up" eventually 5 adds_up
chmod 666 /dev/smplb
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
refuse "others" 'root and the group' "${nobody[@]}" smplb-echo $HOST:11 --trusted
chgrp 65534 /dev/smplb
app /tmp/group.log 'answering for' "${nobody[@]}" smplb-echo $HOST:11 --trusted --sleep
helper client udp stream $HOST 11 1 100 || die "$(smplbctl stats; smplbctl pool)"
end_app
chgrp 0 /dev/smplb
chmod 600 /dev/smplb
returned() { (($(pool channels) == $1)); }
expect "its buffers come back" eventually 5 returned 1024
# Of 16,384 there are.
hogs=()
for n in 1 2 3; do
	app /tmp/hog.log 'serving' smplb-http $HOST:8$n --trusted --sleep
	hogs+=("$APP")
done
refuse "more than there are" 'buffers=N' smplb-http $HOST:84 --trusted
expect "the others" answers 10
expect "the pool adds up" eventually 5 adds_up
for app in "${hogs[@]}"; do end_app "$app"; done
expect "their buffers come back" eventually 5 returned 1024

echo "==> a port goes"
expect "smplb1 goes" hand "$B"
for n in 7 8 10; do expect "the others" answers $n; done

echo "==> a CPU goes"
echo 0 >/sys/devices/system/cpu/cpu$free/online
undo "echo 1 >/sys/devices/system/cpu/cpu$free/online"
expect "its channel" answers 8
[[ $(engines) != *$free* ]] || die "an engine is left on CPU $free: $(engines)"
helper client udp stream $HOST 8 1 100 || die "$(smplbctl stats)"
echo 1 >/sys/devices/system/cpu/cpu$free/online
end_app $two

echo "==> killed $KILLS times under traffic"
end_app $one
helper client udp flood $HOST 9 600 >/dev/null 2>&1 &
flood=$!
undo "kill $flood 2>/dev/null"
before=$(to_channels)
for ((n = 0; n < KILLS; n++)); do
	# Every other one has buffers of the switch.
	if ((n % 2)); then mode=--trusted; else mode=; fi
	smplb-echo $HOST:9 $mode >/dev/null 2>&1 &
	APP=$!
	sleep "0.$((RANDOM % 6))$((RANDOM % 10))"
	end_app
done
kill $flood
after=$(to_channels)
echo "$((after - before)) packets went to them"
((after - before > KILLS)) || die "hardly a packet"
expect "all buffers of theirs come back" eventually 5 returned 1024
end_app $trusted
expect "and those of the other one" eventually 5 returned 0
expect "the pool adds up" eventually 5 adds_up

echo "==> one that writes anything anywhere, for $HARM seconds"
echo_on 7 --sleep
hostile $HOST 666 "$HARM" "${SEED:-1}" >/tmp/hostile.log 2>&1 &
harm=$!
helper client udp flood $HOST 666 "$HARM" >/dev/null 2>&1 &
flood=$!
helper client udp stream $HOST 7 "$HARM" 50 || die "$(cat /tmp/hostile.log; smplbctl stats)"
wait $flood
wait $harm || die "$(cat /tmp/hostile.log)"
cat /tmp/hostile.log
# What is left of the flood is before it in the queues.
expect "the host" eventually 20 in_ns client ping -q -c 1 -W 2 $HOST
expect "the pool adds up" eventually 5 adds_up
end_app

echo "==> an application with a CPU of its own"
engine=$(smplbctl -j port list | json "d[0]['cpu']")
# One that is neither its nor the control CPU.
cpu=$((engine == 3 ? 2 : 3))
refuse "the engine's CPU" 'has an engine' smplbctl run --cpu "$engine" -- true
refuse "no such command" 'cannot run' smplbctl run --cpu $cpu -- /nonexistent
undo "smplbctl cpu release 2>/dev/null"
app /tmp/own.log 'answering for' smplbctl run --cpu $cpu -- smplb-echo $HOST:7 --cpu $engine
own=$APP
cat /tmp/own.log
[[ $(taskset -pc $own) == *": $cpu" ]] || die "$(taskset -pc $own)"
[[ $(</proc/$own/cgroup) == *:/smplb ]] || die "$(</proc/$own/cgroup)"
[[ $(awk '/Max locked memory/ { print $4 }' /proc/$own/limits) == unlimited ]] || die "$(cat /proc/$own/limits)"
helper client udp stream $HOST 7 2 100 || die "$(smplbctl stats)"
refuse "its CPU is in use" 'processes' smplbctl cpu release
end_app
expect "release" smplbctl cpu release

echo "==> a network namespace goes with an application in it"
namespaces inner
cable inner i0 - i1
ip link set i1 up
ip -n inner link set i0 up
in_ns inner smplbctl port add i0 --name inner0 || die "a port"
ip -n inner addr add 10.7.0.1/24 dev inner0
ip -n inner link set inner0 up
app /tmp/inner.log 'answering for' ip netns exec inner smplb-echo 10.7.0.1:7 --sleep
end_app

echo "==> the last port goes under an application with its buffers"
app /tmp/last.log 'answering for' smplb-echo $HOST:10 --trusted --sleep
release "$A"
(($(pool channels) == 1024)) || die "$(smplbctl pool)"
expect "the pool adds up" eventually 5 adds_up
end_app
nothing() { (($(pool buffers) == 0)); }
expect "the pool goes" eventually 5 nothing

echo "==> the end"
expect "no application is left" eventually 5 sh -c '! pgrep smplb-echo'
ip netns exec inner smplbctl port del inner0
expect "rmmod" rmmod smplb
