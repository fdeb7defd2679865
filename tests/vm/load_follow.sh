#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The loop is closed: agents tell the load of three real servers, smplbd follows them, and
# new connections go where there is room. Then an agent, smplbd and a server die.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/feedback.sh"

FULL=200  # thousandths of a CPU that a server has
THIRD=67
SERVICE=tcp:$VIP:80

load
world
for n in 1 2 3; do
	server "b$n" $FULL
	agent "b$n"
	agents[n]=$AGENT
done
balance "$SERVICE" -- 10.2.0.11=100 10.2.0.12=100 10.2.0.13=100
ok() { in_ns client curl -sS -o /dev/null --max-time 5 "http://$VIP/"; }
expect "a first request" eventually "$(slow 20)" ok

cat >/tmp/smplbd.toml <<-TOML
	[daemon]
	metrics = "127.0.0.1:9472"
	[[service]]
	address = "$SERVICE"
	[service.distribution]
	algorithm = "capacity"
	interval = 0.5
	evidence = 50.0   # requests: there are few
	expiry = 20.0
	slow-start-window = 20.0
	[service.check]
	type = "tcp"
	interval = 1.0
	timeout = 5.0
	rise = 2
	fall = 2
	[[service.backend]]
	address = "10.2.0.11:80"
	weight = 100
	load = "orca:10.2.0.11:9470"
	[[service.backend]]
	address = "10.2.0.12:80"
	weight = 100
	load = "orca:10.2.0.12:9470"
	[[service.backend]]
	address = "10.2.0.13:80"
	weight = 100
	load = "orca:10.2.0.13:9470"
TOML

echo "==> what the servers can do"
all=$(capacity "$(slow 6)") || exit 1
# Also when one server has a third of its CPU, all of them could do twice as much.
rate=$((all * 40 / 100))
echo "$all requests per second; $rate of them from now on"
((rate > 10)) || die "that is too little to see anything"

echo "==> equal servers get equal shares"
first=$(generation)
smplbd_start /tmp/smplbd.toml
[[ $(generation) == "$first" ]] || die "smplbd changed the configuration when it started"
told() { (($(metrics smplb_backend_reports_total | awk '$NF > 2' | wc -l) == 3)); }
# A server that answers nothing tells nothing of what it can do.
load_begin $rate
eventually "$(slow 20)" told || die "too few reports: $(metrics smplb_backend_report)
$(tail -n 20 /tmp/smplbd.log /tmp/agent-b1.log)"
sleep "$(slow 15)"
equal() { within "25-42 25-42 25-42" $(wanted) && within "25-42 25-42 25-42" $(got 3); }
expect "shares of 25 to 42 percent, wanted $(wanted)" equal

echo "==> one server has a third of its CPU: within 10 s its share follows"
cpu_of b3 $THIRD
# By the weights alone: a look at connections takes the guest seconds.
slowed() { within "36-50 36-50 1-21" $(wanted); }
start=$SECONDS
eventually "$(slow 10)" slowed || die "more than 21 percent: wanted $(wanted), $(metrics smplb_backend_utilization)"
echo "after $((SECONDS - start)) s: wanted $(wanted)"
follows() {
	local got
	got=$(got 2)
	echo "got $got"
	within "36-55 36-55 1-21" $got
}
expect "new connections follow the weights" eventually "$(slow 20)" follows

echo "==> names of the metrics, and top"
for name in smplb_build_info smplb_generation smplb_switch_up smplb_publish_total smplb_publish_duration_seconds_count \
	smplb_report_age_seconds_count smplb_backend_weight smplb_backend_effective_share smplb_backend_wanted_share \
	smplb_backend_utilization smplb_backend_report_age_seconds smplb_backend_reports_total smplb_backend_state \
	smplb_backend_connections_total smplb_backend_connections_active smplb_engine_busy_seconds_total \
	smplb_dropped_packets_total smplb_port_receive_packets_total smplb_service_connections_total; do
	metrics $name >/dev/null || die "no metric $name: $(curl -sS $METRICS | grep -o '^smplb[a-z_]*' | sort -u | xargs)"
done
shown=$(smplbctl -j top --interval 2) || die "top"
[[ $(json "d['load'] and all(b['utilization'] > 0 and b['age'] < 30 and b['state'] == 'up' for b in d['backends'])" <<<"$shown") == True ]] ||
	die "top: $shown"
smplbctl top --once

echo "==> an agent dies: its server stays, and no longer counts as slow"
kill -9 "${agents[3]}"
LEAST=100
median() {
	local share
	share=$(wanted | cut -d ' ' -f 3)
	((share < LEAST)) && LEAST=$share
	((share > 27))
}
expect "the middle share, wanted $(wanted)" eventually "$(slow 120)" median
((LEAST > 0)) || die "the server of the dead agent had no share: $(wanted)"
echo "wanted $(wanted)"
all_served "while an agent was dead"
load_begin $rate
agent b3
expect "the agent counts again" eventually "$(slow 60)" slowed

echo "==> smplbd dies: shares stay as they are, also when it is back, until reports say otherwise"
kill -9 $SMPLBD
wait $SMPLBD 2>/dev/null
had="$(generation): $(of weight)"
sleep 3
[[ "$(generation): $(of weight)" == "$had" ]] || die "before: $had, then $(generation): $(of weight)"
# Servers that answer nothing report nothing of weight.
all_served "while smplbd was dead"
smplbd_start /tmp/smplbd.toml
for n in 1 2; do
	[[ "$(generation): $(of weight)" == "$had" ]] ||
		die "before: $had, after a restart $(generation): $(of weight): $(tail -n 20 /tmp/smplbd.log)"
	sleep 1
done

echo "==> the slow server has its CPU again, and gets its share again"
cpu_of b3 $FULL
load_begin $rate
again() { within "27-40 27-40 27-40" $(wanted); }
expect "equal shares again, wanted $(wanted)" eventually "$(slow 90)" again
all_served "while a server got faster"

echo "==> a server dies: only its own requests fail"
load_begin $rate
sleep 3
read -ra made <<<"$(of connections)"
read -ra active <<<"$(of active)"
echo 1 >"$(group b2)/cgroup.kill"
down() { within "1-65535 0-0 1-65535" $(of weight); }
expect "marked down, weights $(of weight)" eventually "$(slow 15)" down
sleep 1
read -ra now <<<"$(of connections)"
load_end
# Connections that it had, was given until it was down, and those made between two looks.
its=$((active[1] + now[1] - made[1]))
echo "$TOLD, the server had $its connections"
[[ $(json "d['errors'] <= $its" <<<"$TOLD") == True ]] || die "more requests failed than the server had"
told_down() { [[ $(metric smplb_backend_state 10.2.0.12) == 0 ]]; }
expect "its state, $(metrics smplb_backend_state)" eventually 5 told_down
load_begin $rate
shares=$(got 3)
within "35-65 0-0 35-65" $shares || die "shares without it: $shares"
all_served "without the dead server"

echo "==> it comes back slowly"
load_begin $rate
server b2 $FULL
back() { (($(of weight | cut -d ' ' -f 2) > 0)); }
expect "it is back" eventually "$(slow 20)" back
shares=$(wanted)
echo "wanted $shares"
within "30-70 1-22 30-70" $shares || die "it has too much at once: $shares"
expect "all of its share, wanted $(wanted)" eventually "$(slow 90)" again
all_served "while a server came back"

for reason in backend-gone no-service no-backend; do
	(($(drops $reason) == 0)) || die "$(drops $reason) packets dropped: $reason"
done
kill -TERM $SMPLBD
wait $SMPLBD || die "smplbd does not end well: $(tail /tmp/smplbd.log)"
