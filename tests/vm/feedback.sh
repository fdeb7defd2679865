# SPDX-License-Identifier: GPL-2.0
# Shared by the scenarios of load feedback: servers whose part of a CPU is set, agents
# on them, and clients that come at a pace. Source it after lib.sh.

# A debug kernel is slow.
DEBUG=$([[ -e /sys/kernel/debug/kmemleak ]] && echo 1)
METRICS=http://127.0.0.1:9472/metrics
CGROUPS=/sys/fs/cgroup

# slow SECONDS: as long as that, and longer on a debug kernel.
slow() { echo $(($1 * (DEBUG ? 4 : 1))); }

# The cgroup of a server's programs; its agent is not in it: group NS
group() { echo "$CGROUPS/load-$1"; }

# Ends all that is in a cgroup, and the cgroup.
end_group() {
	echo 1 >"$1/cgroup.kill"
	while grep -q 'populated 1' "$1/cgroup.events"; do sleep 0.05; done
	rmdir "$1"
}

# How much of a CPU a server may have, in thousandths: cpu_of NS N
cpu_of() { echo "$(($2 * 100)) 100000" >"$(group "$1")/cpu.max" || die "cpu.max of $1"; }

# nginx as a server that answers with its name, one connection per request, and tells of
# itself at port 8081 of its loopback; all of it with N thousandths of a CPU: server NS N
server() {
	local ns=$1 dir=/tmp/server-$1
	[[ -e $(group "$ns") ]] || {
		# Only the root of the hierarchy may have both processes and controllers.
		grep -qw cpu $CGROUPS/cgroup.subtree_control || {
			echo +cpu >$CGROUPS/cgroup.subtree_control || die "no controller cpu"
			undo "echo -cpu >$CGROUPS/cgroup.subtree_control"
		}
		mkdir "$(group "$ns")" || die "cgroup of $ns"
		undo "end_group $(group "$ns")"
	}
	cpu_of "$ns" "$2"
	mkdir -p "$dir"
	cat >"$dir/conf" <<-CONF
		pid $dir/pid;
		error_log $dir/error;
		worker_processes 1;
		events { worker_connections 4096; }
		http {
			access_log off;
			keepalive_timeout 0;
			client_body_temp_path $dir; proxy_temp_path $dir;
			fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
			server {
				listen 80 backlog=4096;
				location / { return 200 "$ns\n"; }
			}
			server {
				listen 127.0.0.1:8081;
				location = /status { stub_status; }
			}
		}
	CONF
	(
		echo $BASHPID >"$(group "$ns")/cgroup.procs"
		exec ip netns exec "$ns" nginx -c "$dir/conf"
	) || die "nginx in $ns"
}

# The agent of a server; its number is in AGENT: agent NS
agent() {
	local ns=$1
	cat >"/tmp/agent-$ns.toml" <<-TOML
		listen = "0.0.0.0:9470"
		interval = 0.5
		[system]
		cgroup = "/load-$ns"
		[[source]]
		type = "nginx"
		url = "http://127.0.0.1:8081/status"
	TOML
	expect "the configuration of the agent" smplb-agent --config "/tmp/agent-$ns.toml" --check >/dev/null
	# Not by ip netns exec: that mounts another /sys, in which there are no cgroups.
	nsenter --net="/run/netns/$ns" smplb-agent --config "/tmp/agent-$ns.toml" >>"/tmp/agent-$ns.log" 2>&1 &
	AGENT=$!
	undo "kill -9 $AGENT"
}

# smplbd, when it serves its metrics; its number is in SMPLBD: smplbd_start FILE
smplbd_start() {
	expect "the configuration of smplbd" smplbd --config "$1" --check >/dev/null
	smplbd --config "$1" >>/tmp/smplbd.log 2>&1 &
	SMPLBD=$!
	undo "kill -9 $SMPLBD"
	eventually "$(slow 20)" metrics smplb_generation >/dev/null ||
		die "smplbd does not serve its metrics: $(tail -n 20 /tmp/smplbd.log)"
}

# The lines of a metric; false without one: metrics NAME [PATTERN]
metrics() { curl -sS --max-time 5 "$METRICS" 2>/dev/null | grep "^$1[ {]" | grep -e "${2-}"; }

# The sum of a metric over all its lines: metric NAME [PATTERN]
metric() { metrics "$@" | awk '{ n += $NF } END { print n + 0 }'; }

# Numbers of a listing in JSON by their name, in one line. A Python takes the guest a second.
numbers() { grep -o "\"$1\": *[0-9]*" | grep -o '[0-9]*$' | xargs; }

# The active generation.
generation() { smplbctl -j generation | numbers active; }

# Weights, connections made, connections now of the back-ends of a service, in the
# order of their addresses: of weight|connections|active [SERVICE]
of() { smplbctl -j backend list "${2-tcp:$VIP:80}" | numbers "$1"; }

# Parts of a whole in percent: percent NUMBER...
percent() { awk '{ for (i = 1; i <= NF; i++) n += $i; for (i = 1; i <= NF; i++) printf "%d ", n ? $i * 100 / n + 0.5 : 0; print "" }' <<<"$*"; }

# The shares that the weights want, and those of the connections that are made in some
# seconds, in percent: wanted; got SECONDS
wanted() { percent "$(of weight)"; }
got() {
	local before after
	read -ra before <<<"$(of connections)"
	sleep "$1"
	read -ra after <<<"$(of connections)"
	percent "$(for n in "${!after[@]}"; do echo $((after[n] - before[n])); done | xargs)"
}

# Whether shares are within bounds, such as 25-42: within "25-42 25-42 0-21" SHARE...
within() {
	local bounds n=0 bound
	read -ra bounds <<<"$1"
	shift
	(($# == ${#bounds[@]})) || return 1
	for bound in "${bounds[@]}"; do
		(($1 >= ${bound%-*} && $1 <= ${bound#*-})) || return 1
		shift
	done
}

# What wrk did, as JSON in its last line. Between two requests of a connection it makes a
# pause of PAUSE ms, half of it more or less.
cat >/tmp/paced.lua <<'LUA'
local pause = tonumber(os.getenv("PAUSE") or "0")
if pause > 0 then
	function delay() return math.random(pause, pause * 3) / 2 end
end
function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format('{"requests": %d, "seconds": %.3f, "errors": %d, "why": "connect %d, read %d, write %d, status %d, timeout %d"}\n',
		summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
		e.connect, e.read, e.write, e.status, e.timeout))
end
LUA

# How many requests per second all servers can answer: capacity SECONDS
capacity() {
	in_ns client wrk -t 1 -c 30 -d "$1s" --timeout 60s -s /tmp/paced.lua "http://$VIP/" >/tmp/capacity.log 2>&1 ||
		die "wrk: $(cat /tmp/capacity.log)"
	tail -n 1 /tmp/capacity.log | json "int(d['requests'] / d['seconds'])"
}

# Clients that make so many requests per second, until load_end: load_begin RATE. There
# are 60 of them, each of which waits for its answer before it asks again.
CLIENTS=60
load_begin() {
	PAUSE=$((CLIENTS * 1000 / $1)) ip netns exec client \
		wrk -t 1 -c $CLIENTS -d 3600s --timeout 60s -s /tmp/paced.lua "http://$VIP/" >/tmp/load.log 2>&1 &
	LOAD=$!
	undo "kill -9 $LOAD"
}

# Ends the load, and says in TOLD what came of it. Not in a subshell, which could not wait.
load_end() {
	kill -INT "$LOAD" || die "wrk is gone: $(cat /tmp/load.log)"
	wait "$LOAD"
	TOLD=$(tail -n 1 /tmp/load.log)
}

# The load has gone on, and no request failed: all_served WHAT
all_served() {
	load_end
	echo "$1: $TOLD"
	[[ $(json "d['errors'] == 0 and d['requests'] > 0" <<<"$TOLD") == True ]] || die "$1: $(cat /tmp/load.log)"
}
