#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Control by others than smplbctl: the kernel tree's own netlink client with our
# specification; who may change what; namespaces apart; news of generations.
. "$(dirname "$0")/lib.sh"

spec=$HERE/../../Documentation/netlink/specs/smplb.yaml
source=$(realpath "/lib/modules/$(uname -r)/build/source")
ynl() { python3 "$source/tools/net/ynl/pyynl/cli.py" --spec "$spec" --no-schema --output-json "$@"; }
lines() { [[ $(wc -l <"$1") == "$2" ]]; }

load
clients
expect "claim" smplbctl port add d0 --name smplb0 --cpu 1

echo "==> the kernel's client changes everything"
smplbctl -j monitor --count 7 >/tmp/news &
monitor=$!
sleep 1
vip='"protocol": 6, "addr": "192.0.2.10", "port": 80'
svc="\"service\": {$vip}"
expect "changes" ynl \
	--multi service-new "{$vip, \"scheduler\": \"lc\"}" \
	--multi service-set "{$vip, \"scheduler\": \"wrr\", \"timeout\": 60}" \
	--multi backend-new "{$svc, \"addr\": \"10.2.0.11\", \"weight\": 5}" \
	--multi backend-new "{$svc, \"addr\": \"10.2.0.12\", \"port\": 8080}" \
	--multi backend-set "{$svc, \"addr\": \"10.2.0.12\", \"port\": 8080, \"weight\": 3}" \
	--multi backend-del "{$svc, \"addr\": \"10.2.0.11\"}" \
	--multi port-set '{"ifname": "smplb0", "cpu": [2]}' \
	--multi service-get "{$vip}" \
	--multi backend-get "{$svc, \"addr\": \"10.2.0.12\", \"port\": 8080}" \
	--multi port-get '{"ifname": "smplb0"}' \
	--multi generation-get '{}' \
	--multi stats-get '{}' >/tmp/ynl
echo "$(</tmp/ynl)" | tail -n 1 | json \
	"(lambda r: [r[0]['timeout'], r[0]['scheduler'], r[1]['weight'], r[2]['cpu'], r[3]['backends']])([x for x in d if x])" >/tmp/values
[[ $(</tmp/values) == "[60, 'wrr', 3, [2], 1]" ]] || die "values: $(</tmp/values), of $(</tmp/ynl)"
# Every reason that the specification names has a counter, in its order.
tail -n 1 /tmp/ynl | json "'\\n'.join(c['reason'] for x in d if x for c in x.get('drop', []))" >/tmp/counted
sed -n '/name: drop-reason/,/^ *type:/s/^        name: //p' "$spec" >/tmp/named
[[ -s /tmp/named ]] && diff /tmp/named /tmp/counted >/tmp/diff || die "reasons: $(</tmp/diff)"

echo "==> and lists it"
for list in port service backend engine connection; do
	expect "dump $list" ynl --dump $list-get >/tmp/$list
done
[[ $(json "(d[0]['addr'], d[0]['port'], d[0]['service']['addr'])" </tmp/backend) == "('10.2.0.12', 8080, '192.0.2.10')" ]] ||
	die "backend: $(</tmp/backend)"
[[ $(json "(d[0]['cpu'], d[0]['ports'])" </tmp/engine) == "(2, 1)" ]] || die "engine: $(</tmp/engine)"
[[ $(</tmp/connection) == "[]" ]] || die "connections: $(</tmp/connection)"
expect "apply" ynl --do config-apply --json "{\"service\": [{$vip}], \"backend\": [{\"service\": 0, \"addr\": \"10.2.0.13\"}]}" >/tmp/ynl
grep -q '"generation"' /tmp/ynl || die "apply: $(</tmp/ynl)"

echo "==> a refusal names the attribute and the reason"
refuse "weight" 'weight' ynl --do backend-new --json "{$svc, \"addr\": \"10.2.0.11\", \"weight\": 65536}"
refuse "no such service" "no such service.*|service" ynl --do service-del --json '{"protocol": 6, "addr": "192.0.2.77", "port": 80}'
refuse "missing" 'port of the service is missing' ynl --do service-new --json '{"protocol": 6, "addr": "192.0.2.10"}'
refuse "a CPU" "not online" ynl --do port-set --json '{"ifname": "smplb0", "cpu": 77}'

echo "==> news of generations"
expect "monitor ends after seven" eventually 5 lines /tmp/news 7
wait $monitor
[[ $(json "[g['active'] for g in d]" <<<"[$(paste -sd, /tmp/news)]") == "[1, 2, 3, 4, 5, 6, 7]" ]] ||
	die "news: $(</tmp/news)"

echo "==> who may"
as() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"; }
# Programs of the clone may lie where others cannot look.
install -m 755 "$(command -v smplbctl)" /tmp/smplbctl
expect "anybody may look" as /tmp/smplbctl service list >/dev/null
refuse "not change" "permi" as /tmp/smplbctl service add tcp:192.0.2.11:80
refuse "not claim" "permi" as /tmp/smplbctl port add d0
refuse "root of another user namespace neither" "permi" unshare -Ur smplbctl service add tcp:192.0.2.11:80
expect "but in a network namespace of its own" unshare -Urn bash -e -c '
	smplbctl service add tcp:192.0.2.11:80
	ip link add v0 type veth peer name v1
	smplbctl port add v0 --name smplb7
	smplbctl -j service list | grep -q 192.0.2.11
	smplbctl -j port list | grep -q smplb7'

echo "==> network namespaces apart"
namespaces other
cable other v0 other v1
expect "its own service" in_ns other smplbctl service add tcp:192.0.2.10:80 --scheduler lc
expect "its own port" in_ns other smplbctl port add v0 --name smplb0
[[ $(in_ns other smplbctl -j service list | json "[s['scheduler'] for s in d]") == "['lc']" ]] || die "not its own"
[[ $(smplbctl -j service list | json "[s['scheduler'] for s in d]") == "['wrr']" ]] || die "not apart"
[[ $(in_ns other smplbctl -j backend list) == "[]" ]] || die "backends of another namespace"
refuse "not across" "no network interface" in_ns other smplbctl port add d0
expect "delete with its namespace" ip netns del other
expect "ours is there" grep -q smplb0 <(smplbctl port list)
