#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The words of an agent: HAProxy and smplbd ask the same responder, and come to the same
# weight and state, word after word.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feedback.sh"

type -P haproxy >/dev/null || {
	echo "no haproxy"
	exit 77
}
SERVICE=tcp:$VIP:80
HAPROXY=/tmp/haproxy.sock

load
world
for n in 1 2 3; do
	web "b$n" 80
done
balance "$SERVICE" -- 10.2.0.11=100 10.2.0.12=100 10.2.0.13=100

say() { # a line, with backslash escapes
	printf '%b' "$1" >/tmp/words.new
	mv /tmp/words.new /tmp/words
}
say 'ready up 100%\n'
app /tmp/words.log listening ip netns exec b1 python3 -ES "$HERE/words.py" 10.2.0.11 9474 /tmp/words

cat >/tmp/haproxy.cfg <<-CFG
	global
	    stats socket $HAPROXY mode 600 level admin
	defaults
	    mode tcp
	    timeout connect 5s
	    timeout client 30s
	    timeout server 30s
	listen one
	    bind 127.0.0.1:8000
	    server b1 10.2.0.11:80 weight 100 agent-check agent-addr 10.2.0.11 agent-port 9474 agent-inter 500ms
	    server b2 10.2.0.12:80 weight 100
	    server b3 10.2.0.13:80 weight 100
CFG
haproxy -db -f /tmp/haproxy.cfg >/tmp/haproxy.log 2>&1 &
undo "kill -9 $!"
# The state and weight of b1 at HAProxy: up, down, drain or maint, then a number. A server
# that takes no new connections has weight 0, as one has in the switch.
haproxy_has() {
	# Status such as "DOWN (agent)", or "no check" when nothing speaks against it. A weight of
	# 0 is a drain by another name.
	echo "show stat one 4 -1" | nc -N -U $HAPROXY | awk -F , '
		NR == 1 { for (n = 1; n <= NF; n++) column[$n] = n; next }
		$column["svname"] == "b1" {
			split(tolower($column["status"]), word, " ")
			state = word[1] == "no" ? "up" : word[1]
			weight = state == "up" ? $column["weight"] : 0
			print (state == "up" && !weight ? "drain" : state), weight
			found = 1
		}
		END { exit !found }'
}
has_socket() { haproxy_has >/dev/null 2>&1; }
expect "HAProxy: $(cat /tmp/haproxy.log)" eventually "$(slow 20)" has_socket

cat >/tmp/smplbd.toml <<-TOML
	[daemon]
	metrics = "127.0.0.1:9472"
	[[service]]
	address = "$SERVICE"
	[service.distribution]
	algorithm = "static"
	interval = 0.5
	slow-start-window = 0.0   # as HAProxy has it when nothing is said
	[[service.backend]]
	address = "10.2.0.11:80"
	weight = 100
	load = "agent-check:10.2.0.11:9474"
	[[service.backend]]
	address = "10.2.0.12:80"
	weight = 100
	[[service.backend]]
	address = "10.2.0.13:80"
	weight = 100
TOML
smplbd_start /tmp/smplbd.toml

# The weight of b1 in the switch, in percent of the others'.
smplbd_has() { of weight | awk '{ printf "%d\n", $1 * 100 / $2 + 0.5 }'; }
same() { # STATE WEIGHT
	[[ $(haproxy_has) == "$1 $2" ]] || return 1
	local weight
	weight=$(smplbd_has)
	((weight >= $2 - 1 && weight <= $2 + 1))
}
words=0
both() { # STATE WEIGHT LINE
	say "$3"
	words=$((words + 1))
	eventually "$(slow 10)" same "$1" "$2" ||
		die "after '$3' $1 $2 is wanted, HAProxy has $(haproxy_has), the switch $(of weight): $(tail -n 5 /tmp/smplbd.log)"
	# It stays so, however often it is said.
	sleep 0.7
	same "$1" "$2" || die "'$3' does not last: HAProxy has $(haproxy_has), the switch $(of weight)"
	printf '%-24s %s %s\n' "$3" "$1" "$2"
}

# How every line is read is compared with HAProxy by the tests of smplb-probe; here it is what
# comes of them in the switch, one after the other.
echo "==> percentages are of the configured weight"
both up 75 '75%\n'
both drain 0 '0%\n'

echo "==> the administrator's state stays until ready"
both drain 0 'drain\n'
both drain 0 '50%\n'
both up 50 'ready\n'
both maint 0 'maint\n'
both maint 0 'up\n'
both up 80 'ready 80%\n'

echo "==> up and down"
both down 0 'down #out of memory\n'
both down 0 '60%\n'
both up 60 'up\n'

echo "==> words together: the last of its kind counts"
both up 20 'drain ready 10% 20%\n'
both drain 0 '70% drain up\n'
both up 90 'ready maxconn:40 90%\n'

echo "==> what is not understood is left out"
both up 35 'banana 35%\n'
both up 35 'maint'

echo "==> where smplbd goes another way"
differ() { # LINE HAPROXY-HAS SMPLBD-HAS
	say "$1"
	has() { [[ $(haproxy_has) == "$1" ]] && (($(smplbd_has) == $2)); }
	eventually "$(slow 10)" has "$2" "$3" ||
		die "after '$1' $2 and $3 are wanted, HAProxy has $(haproxy_has), the switch $(of weight)"
	printf '%-24s %s here %s\n' "$1" "$2" "$3"
}
# The configured weight is the most that an agent can ask for.
differ '150%\n' 'up 150' 100
both up 100 '100%\n'
# A remark ends a word, as the manual of HAProxy has it; the program wants a blank before it.
differ '40%#why\n' 'up 100' 40
both up 100 '100%\n'
echo "$words words"
