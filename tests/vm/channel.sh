#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# An application answers UDP by a channel: its port is taken from the host and from
# nobody else, it works while engine or application sleep, and when it dies all is as
# before.
. "$(dirname "$0")/lib.sh"

HOST=10.1.0.1
pings() { in_ns client ping -q -c 1 -W 1 "$1" >/dev/null; }

echo "==> what cannot be had"
refuse "without the module" 'modprobe smplb' smplb-echo $HOST:7
load
refuse "without a port" 'port add' smplb-echo $HOST:7
refuse "not root" 'as root' setpriv --reuid 65534 --clear-groups smplb-echo $HOST:7

world 0
expect "the host" eventually 5 pings $HOST
before=$(to_channels)

refuse "buffers of the switch" 'no port has buffers' smplb-echo $HOST:7 --trusted

echo "==> an application that looks all the time"
app /tmp/echo.log 'answering for' smplb-echo $HOST:7
asked=$(helper client udp stream $HOST 7 3 500) || die "$asked $(cat /tmp/echo.log; smplbctl stats)"
echo "$asked"
read -r _ sent _ <<<"$asked"
# Each came by the channel.
(($(to_channels) - before >= sent && sent > 100)) || die "$asked $(smplbctl stats)"
refuse "the same for another one" 'another channel has it' smplb-echo $HOST:7
expect "the host has what is not wanted" pings $HOST
end_app
[[ $(drops channel-full) == 0 ]] || die "$(smplbctl stats)"

echo "==> both sleep"
app /tmp/echo.log 'answering for' smplb-echo $HOST:7 --sleep
sleep 1
slept=$(smplbctl -j stats | json "sum(e['sleeps'] for e in d['engines'])")
helper client udp stream $HOST 7 3 20 || die "$(cat /tmp/echo.log; smplbctl stats)"
(($(smplbctl -j stats | json "sum(e['sleeps'] for e in d['engines'])") > slept)) || die "nobody slept"

echo "==> the same in C"
end_app
ours=$(dirname "$(command -v smplbctl)")
ring=$HERE/../../userspace/smplb-ring-c
gcc -O2 -Wall -Wextra -Werror -I "$ring/include" -o /tmp/echo "$ring/examples/echo.c" \
	"$ours/libsmplb_ring_c.a" -lpthread -ldl -lm || die "gcc"
app /tmp/echo.log 'answering by' /tmp/echo $HOST 7
helper client udp stream $HOST 7 2 100 || die "$(cat /tmp/echo.log; smplbctl stats)"

echo "==> one that breaks a ring, and stays"
end_app
python3 -ES "$HERE/udp.py" echo $HOST 7 &
server=$!
undo "kill $server 2>/dev/null"
app /tmp/broken.log 'closed: true' hostile $HOST 7 60 1 stay
answered() { helper client udp stream $HOST 7 0.2 10 >/dev/null 2>&1; }
expect "the host gets what it wanted" eventually 5 answered
end_app
kill $server && wait $server

echo "==> one whose bell was cleared, and an engine that sleeps"
# The control CPU looks four times a second.
expect "it is sent" hostile $HOST 7 20 1 mute

echo "==> it dies"
app /tmp/echo.log 'answering for' smplb-echo $HOST:7
end_app
before=$(to_channels)
! helper client udp stream $HOST 7 0.1 10 >/dev/null 2>&1 || die "somebody answers"
[[ $(to_channels) == "$before" ]] || die "somebody is there"
expect "the host" pings $HOST
