#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# vm: --smp 2 --nic virtio --nic virtio --nic virtio,event_idx=off --nic virtio --nic e1000e --nic virtio
# NICs that misbehave: a cable is pulled, one does not answer any more, one was
# reset by somebody else, one says that it needs a reset, one is taken out. Each is
# seen within a second and told once; who is still there is reset and goes on, with
# everything else left alone and no buffer lost. eth0 and eth2 are virtio, eth4 an
# 82574L.
. "$(dirname "$0")/lib.sh"
. "$HERE/nics.sh"
. "$HERE/harm.sh"

flap() { # NAME NETDEV
	expect "$1 has a link" carrier "$1" 1
	monitor "set_link $2 off"
	expect "$1 without a link" within_a_second carrier "$1" 0
	monitor "set_link $2 on"
	expect "$1 with a link again" eventually 6 carrier "$1" 1
}

native_world
C=$(place eth4) MAC_C=$(</sys/class/net/eth4/address)
up_a
up_b
up "$C" smplb2 "$MAC_C" 10.3.0.1/24

echo "==> one breaks a ring, one does not send any more"
HARMED=10.2.0.11 breaks "$B" smplb1 "broke one of its rings" shrink_virtio
HARMED=$CLIENT breaks "$A" smplb0 "does not send" shrink_virtio

balance "tcp:$VIP:80" -- 10.2.0.11:8080 10.2.0.12:8080 10.2.0.13:8080
expect "a first request" eventually 10 ok "http://$VIP/"

echo "==> a cable is pulled"
before=$(told "")
flap smplb0 nic0
flap smplb2 nic4
expect "a request" eventually 5 ok "http://$VIP/"
(($(told "") == before)) || die "told: $(dmesg | grep 'the NIC')"

echo "==> they fail, with traffic, and come back"
ip netns exec client ping -q -f -c 1000000 10.1.0.1 >/dev/null 2>&1 &
in_ns client curl -sS --max-time 120 "http://$VIP/blob?[1-40]" >/tmp/blobs 2>/tmp/curl.log &
CURL=$!
answers() { in_ns client ping -q -c 1 -W 1 10.1.0.1 >/dev/null; }
served() { ping -q -c 1 -W 1 10.2.0.11 >/dev/null; }
breaks "$A" smplb0 "does not answer" deafen
expect "an answer" eventually 3 answers
breaks "$B" smplb1 "does not answer" deafen
expect "an answer of a server" eventually 3 served
breaks "$C" smplb2 "does not answer" deafen
breaks "$A" smplb0 "does not answer" stop_virtio
expect "an answer" eventually 3 answers
breaks "$B" smplb1 "does not answer" confuse_virtio
expect "an answer of a server" eventually 3 served
breaks "$C" smplb2 "does not answer" stop_intel
# Nobody is there, and all is well but for what is not sent.
ip neigh replace 10.3.0.66 lladdr 02:00:00:00:00:66 dev smplb2
ping -q -f -c 1000000 10.3.0.66 >/dev/null 2>&1 &
PING=$!
breaks "$C" smplb2 "does not send" stop_intel_tx
sent=$(port smplb2 tx_packets)
goes_on() { (($(port smplb2 tx_packets) > sent + 100)); }
expect "it sends" eventually 10 goes_on
kill $PING && wait $PING
expect "the transfers" wait $CURL
[[ $(wc -c </tmp/blobs) == $((40 * 2 << 20)) ]] || die "transferred: $(wc -c </tmp/blobs)"
expect "a request" eventually 5 ok "http://$VIP/"
smplbctl port list

echo "==> one that fails again and again is left alone for longer and longer"
# Pauses double up to a minute: the third within these seconds, however slow the
# machine is.
start=$SECONDS before=$(port smplb1 resets)
again() { echo $(($(port smplb1 resets) - before)); }
while ((SECONDS - start < 8 || ($(again) == 0 && SECONDS - start < 70))); do
	stop_virtio "$B"
	sleep 0.1
done
taken=$((SECONDS - start)) n=$(again)
((n >= 1 && n < 3 + taken / 8)) || die "reset $n times in $taken seconds"
expect "it comes back at last" eventually 70 served
expect "a request" eventually 5 ok "http://$VIP/"
adds_up
release "$C"
adds_up

echo "==> one is pulled out, and comes back"
echo 1 >"$PCI/devices/$A/remove"
device "$MAC_A" && die "its interface is still there"
kill %1 && wait
expect "the other one works" ping -q -c 2 -W 2 10.2.0.11
echo 1 >"$PCI/rescan"
expect "its stock driver has it" eventually 5 works "$MAC_A" 10.1.0.1/24 "$CLIENT"
up_a
expect "a request" eventually 10 ok "http://$VIP/"
release "$A"
release "$B"
expect "the NIC works as before" eventually 10 works "$MAC_B" 10.2.0.1/24 10.2.0.11
