#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# smplbd on another host than the switch: it comes by `smplbd relay` with a certificate,
# and is refused by name without one or with one of somebody else.
#
#   the switch, smplb1 10.2.0.1 | d1 ---- s0 [lan] (bridge)
#                                           |-- [b1] 10.2.0.11, [b2] 10.2.0.12
#                                           |-- [master] 10.2.0.21
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feedback.sh"

SERVICE=tcp:$VIP:80
RELAY=10.2.0.1:9471

load
world 2
namespaces master
cable master eth0 lan pm
ip -n lan link set pm master br0 up
ip -n master addr add 10.2.0.21/24 dev eth0
ip -n master link set eth0 up
for n in 1 2; do
	web "b$n" 80
done
balance "$SERVICE" -- 10.2.0.11=100 10.2.0.12=100
ok() { in_ns client curl -sS -o /dev/null --max-time 5 "http://$VIP/"; }
expect "a first request" eventually "$(slow 20)" ok

echo "==> certificates"
cd /tmp || exit 1
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1.key" 2>/dev/null; }
authority() { # NAME
	key "$1" && openssl req -x509 -new -key "$1.key" -out "$1.pem" -days 2 -subj "/CN=$1" \
		-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
}
certificate() { # NAME AUTHORITY ALTERNATIVE-NAME USE
	key "$1" && openssl req -new -key "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null &&
		openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out "$1.pem" -days 2 \
			-extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=%s\nkeyUsage=digitalSignature\n' "$3" "$4") 2>/dev/null
}
expect "an authority" authority ours
expect "another one" authority theirs
expect "the relay's certificate" certificate relay ours IP:10.2.0.1 serverAuth
expect "the daemon's certificate" certificate daemon ours DNS:smplbd clientAuth
expect "a foreign certificate" certificate stranger theirs DNS:smplbd clientAuth

smplbd relay --listen $RELAY --certificate relay.pem --key relay.key --client-ca ours.pem >/tmp/relay.log 2>&1 &
relay=$!
undo "kill -9 $relay"
listens() { (: <>/dev/tcp/${RELAY/:/\/}) 2>/dev/null; }
expect "the relay listens: $(cat /tmp/relay.log)" eventually "$(slow 20)" listens

# The agent is in b1, and says what /tmp/words says.
echo '100%' >/tmp/words
app /tmp/words.log listening ip netns exec b1 python3 -ES "$HERE/words.py" 10.2.0.11 9474 /tmp/words
config() { # AUTHORITY CERTIFICATE
	cat <<-TOML
		[daemon]
		metrics = "127.0.0.1:9472"
		[switch]
		remote = "https://$RELAY"
		ca = "/tmp/$1.pem"
		certificate = "/tmp/$2.pem"
		key = "/tmp/$2.key"
		[[service]]
		address = "$SERVICE"
		[service.distribution]
		algorithm = "static"
		[[service.backend]]
		address = "10.2.0.11:80"
		weight = 100
		load = "agent-check:10.2.0.11:9474"
		[[service.backend]]
		address = "10.2.0.12:80"
		weight = 100
	TOML
}

echo "==> who has no certificate of ours is not let in"
refused() { # WHAT PATTERN: smplbd with /tmp/far.toml says that, and changes nothing
	local before after pid
	before="$(generation) $(of weight)"
	ip netns exec master smplbd --config /tmp/far.toml >/tmp/refused.log 2>&1 &
	pid=$!
	undo "kill -9 $pid"
	eventually "$(slow 20)" grep -qiE -- "$2" /tmp/refused.log || die "$1: it says $(cat /tmp/refused.log)"
	grep -iE -m 1 -- "$2" /tmp/refused.log
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	after="$(generation) $(of weight)"
	[[ $after == "$before" ]] || die "$1: the switch had $before and has $after"
}
config ours stranger >/tmp/far.toml
refused "a certificate of another authority" 'certificate|UnknownCA|fatal alert'
config theirs daemon >/tmp/far.toml
refused "a relay of another authority" 'certificate|UnknownIssuer'
# By hand, since smplbd has no way to come without one. TLS 1.3 tells the client after its
# own last word, so that it has to listen.
openssl_says() { in_ns master timeout 10 openssl s_client -connect $RELAY -CAfile ours.pem -alpn h2 "$@" < <(sleep 3) 2>&1; }
refuse_openssl() {
	local out
	out=$(openssl_says "${@:3}")
	grep -qiE -- "$2" <<<"$out" || die "$1: openssl says $out"
	grep -iE -m 1 -- "$2" <<<"$out"
}
refuse_openssl "no certificate" 'alert.*certificate.*required|certificate required'
refuse_openssl "a foreign certificate" 'alert.*(unknown ca|bad certificate|decrypt|unknown|handshake)' -cert stranger.pem -key stranger.key
answer=$(in_ns master curl -sS --max-time 5 --http2-prior-knowledge "http://$RELAY/" 2>&1) && die "without TLS: $answer"

echo "==> who has one follows the agents from afar"
config ours daemon >/tmp/far.toml
first=$(generation)
ip netns exec master smplbd --config /tmp/far.toml >/tmp/far.log 2>&1 &
far=$!
undo "kill -9 $far"
# The word of the agent makes the weights 1 to 4.
share() { within "$1" $(wanted); }
sleep 3
share "50-50 50-50" || die "it changed what it found: $(of weight)"
echo '25%' >/tmp/words
expect "a quarter: $(tail -n 5 /tmp/far.log)" eventually "$(slow 20)" share "19-21 79-81"
(($(generation) > first)) || die "generation $(generation)"
echo drain >/tmp/words
expect "drained" eventually "$(slow 20)" share "0-0 100-100"
served=$(requests 10 "http://$VIP")
[[ $(awk '{ print $2 "=" $1 }' <<<"$served" | xargs) == b2=10 ]] || die "served: $served"
echo 'ready 100%' >/tmp/words
expect "both again" eventually "$(slow 20)" share "50-50 50-50"

echo "==> without --allow-create no service is made from afar"
sed "s/$SERVICE/tcp:192.0.2.99:80/" /tmp/far.toml >/tmp/other.toml
kill -9 $far
wait $far 2>/dev/null
ip netns exec master smplbd --config /tmp/other.toml >/tmp/other.log 2>&1 &
other=$!
undo "kill -9 $other"
expect "refused: $(cat /tmp/other.log)" eventually "$(slow 20)" grep -qi 'allow-create' /tmp/other.log
smplbctl -j service list | grep -q 192.0.2.99 && die "the service was made"
kill -9 $other
wait $other 2>/dev/null

echo "==> the relay goes and comes back"
ip netns exec master smplbd --config /tmp/far.toml >/tmp/far.log 2>&1 &
far=$!
undo "kill -9 $far"
echo '50%' >/tmp/words
expect "half" eventually "$(slow 20)" share "33-34 66-67"
kill -9 $relay
wait $relay 2>/dev/null
before=$(of weight)
sleep 2
[[ $(of weight) == "$before" ]] || die "weights without the relay: $(of weight)"
expect "requests go on" ok
smplbd relay --listen $RELAY --certificate relay.pem --key relay.key --client-ca ours.pem >>/tmp/relay.log 2>&1 &
relay=$!
undo "kill -9 $relay"
echo '100%' >/tmp/words
expect "it finds the relay again: $(tail -n 5 /tmp/far.log)" eventually "$(slow 60)" share "50-50 50-50"
