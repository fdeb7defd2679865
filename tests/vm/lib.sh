# SPDX-License-Identifier: GPL-2.0
# Shared by the scenarios: a small world of network namespaces, and words to
# say what is expected of it. Source it; it sets up nothing by itself.
#
#   [client] c0 ---- d0 |         switch          | d1 ---- s0 [lan] (bridge)
#   10.1.0.2            | smplb0           smplb1 |              |-- [b1] 10.2.0.11
#                       | 10.1.0.1       10.2.0.1 |              |-- [b2] 10.2.0.12
#                       |   VIP 192.0.2.10        |              |-- [b3] 10.2.0.13

set -u

HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
VIP=192.0.2.10
CLIENT=10.1.0.2

die() {
	echo "FAILED: $*" >&2
	exit 1
}

# undo COMMAND: done at the end, for what outlives a scenario in the same guest.
UNDO=
undo() {
	UNDO+="$1 2>/dev/null;"
	# shellcheck disable=SC2064
	trap "$UNDO" EXIT
}

# expect WHAT COMMAND...: the command must succeed.
expect() {
	local what=$1
	shift
	"$@" || die "$what: $*"
}

# refuse WHAT PATTERN COMMAND...: the command must fail and say PATTERN.
refuse() {
	local what=$1 pattern=$2 out
	shift 2
	out=$("$@" 2>&1) && die "$what: not refused: $*"
	grep -qiE -- "$pattern" <<<"$out" || die "$what: refused with '$out', not '$pattern'"
}

# eventually SECONDS COMMAND...: the command succeeds within that time.
eventually() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.2
	done
}

# What is to be killed is begun by `ip netns exec NS COMMAND &`: here the shell
# between would be killed.
in_ns() {
	local ns=$1
	shift
	ip netns exec "$ns" "$@"
}

# A helper of this directory, in this or another namespace ("-" is this one):
# helper NS NAME ARGS...
helper() {
	local ns=$1 name=$2
	shift 2
	if [[ $ns == - ]]; then
		python3 -ES "$HERE/$name.py" "$@"
	else
		ip netns exec "$ns" python3 -ES "$HERE/$name.py" "$@"
	fi
}

# A number out of JSON: json EXPRESSION, with the document on standard input.
json() {
	python3 -ESc 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1], {"d": d, "sum": sum, "len": len, "sorted": sorted}))' "$1"
}

# A counter of a port: port NAME KEY.
port() {
	smplbctl -j port list | json "sum(p['$2'] for p in d if p['ifname'] == '$1')"
}

# The drop counter of a reason.
drops() {
	smplbctl -j stats | json "sum(x['packets'] for x in d['drops'] if x['reason'] == '$1')"
}

# All drops but those of some reasons: lost [REASON...].
lost() {
	smplbctl -j stats | json "sum(x['packets'] for x in d['drops'] if x['reason'] not in '$*'.split())"
}

# A number of the pool, and whether its counts add up: pool KEY.
pool() { smplbctl -j pool | json "d['$1']"; }
adds_up() {
	[[ $(smplbctl -j pool | json "d['buffers'] > 1000 and d['misuses'] == 0 and d['buffers'] == sum([d['free'], d['channels'], d['other']] +
		[p['rx'] + p['tx'] + p['host'] for p in d['ports']] + [e['buffers'] for e in d['engines']])") == True ]] ||
		die "the pool: $(smplbctl -j pool)"
}

# Packets that went to applications.
to_channels() { smplbctl -j stats | json "sum(e['channel'] for e in d['engines'])"; }

# Runs an application in the background until it says PATTERN: app LOG PATTERN COMMAND...;
# its number is in APP.
app() {
	local log=$1 pattern=$2
	shift 2
	"$@" >"$log" 2>&1 &
	APP=$!
	undo "kill -9 $APP 2>/dev/null"
	eventually 10 grep -q "$pattern" "$log" || die "$*: $(cat "$log")"
}

# Kills it, or another one: end_app [PID].
end_app() {
	local app=${1:-$APP}
	kill -9 "$app"
	wait "$app" 2>/dev/null || true
}

# Pages of memory that are free, those that CPUs have at hand among them.
free_pages() { awk '$1 == "nr_free_pages" || $1 == "count:" { n += $2 } END { print n }' /proc/zoneinfo; }

# A command for QEMU: monitor COMMAND...
monitor() {
	local name
	name=$(grep -lx monitor /sys/class/virtio-ports/*/name) || die "no monitor of QEMU"
	name=${name%/name}
	echo "$*" >"/dev/${name##*/}"
}

load() {
	modprobe smplb "$@" || die "modprobe smplb"
}

# IPVS, and a kernel that forwards packets of whatever source.
ipvs_ready() {
	local module key
	for module in ip_vs ip_vs_rr; do modprobe $module || die "no $module"; done
	for key in ip_forward=1 conf.all.rp_filter=0 conf.default.rp_filter=0; do
		sysctl -qw "net.ipv4.$key"
	done
}

# A veth pair: cable NS1 IF1 NS2 IF2; "-" is this namespace.
cable() {
	local a=() b=()
	[[ $1 == - ]] || a=(netns "$1")
	[[ $3 == - ]] || b=(netns "$3")
	ip link add "$2" "${a[@]}" type veth peer name "$4" "${b[@]}" || die "veth $2 $4"
}

# Namespaces with their loopback up.
namespaces() {
	local ns
	for ns; do
		ip netns add "$ns" || die "netns $ns"
		ip -n "$ns" link set lo up
	done
}

# The left side of the picture above: the client, up to d0.
clients() {
	namespaces client
	cable client c0 - d0
	client_end
	ip link set d0 up
}

# The client, which has a NIC c0 already.
client_end() {
	ip -n client addr add "$CLIENT/24" dev c0
	ip -n client link set c0 up
	ip -n client route add default via 10.1.0.1
}

# The right side: the bridge and as many servers as wanted, up to d1.
servers() {
	namespaces lan
	cable lan s0 - d1
	lan_end "$1"
	ip link set d1 up
}

# The bridge and the servers behind it; lan has a NIC s0 already.
lan_end() {
	local n
	ip -n lan link add br0 type bridge
	ip -n lan link set br0 up
	ip -n lan link set s0 master br0 up
	for ((n = 1; n <= $1; n++)); do
		namespaces "b$n"
		cable "b$n" eth0 lan "p$n"
		ip -n lan link set "p$n" master br0 up
		ip -n "b$n" addr add "10.2.0.1$n/24" dev eth0
		ip -n "b$n" link set eth0 up
		ip -n "b$n" route add default via 10.2.0.1
	done
}

# The same with four virtio NICs in the place of veth: eth0, which is cabled to
# the client, for d0, and eth2 for d1: virtio_world [SERVERS].
virtio_world() {
	modprobe virtio_net
	expect "four NICs" eventually 10 test -e /sys/class/net/eth3
	namespaces client lan
	ip link set eth1 netns client name c0
	ip link set eth3 netns lan name s0
	client_end
	lan_end "${1:-3}"
}

# All of the picture, with the NICs claimed: world [SERVERS].
world() {
	clients
	servers "${1:-3}"
	claim
}

claim() {
	expect "claim d0" smplbctl port add d0 --name smplb0
	expect "claim d1" smplbctl port add d1 --name smplb1
	ip addr add 10.1.0.1/24 dev smplb0
	ip addr add 10.2.0.1/24 dev smplb1
	expect "smplb0 up" ip link set smplb0 up
	expect "smplb1 up" ip link set smplb1 up
}

# nginx as a back-end that answers with its name: web NS PORT. /blob is a file
# of random octets.
web() {
	local ns=$1 port=$2 dir=/tmp/web-$1-$2
	mkdir -p "$dir"
	dd if=/dev/urandom of="$dir/blob" bs=1M count=2 status=none
	cat >"$dir/conf" <<-CONF
		pid $dir/pid;
		error_log $dir/error;
		worker_processes 1;
		events { worker_connections 4096; }
		http {
			access_log off;
			client_body_temp_path $dir; proxy_temp_path $dir;
			fastcgi_temp_path $dir; uwsgi_temp_path $dir; scgi_temp_path $dir;
			server {
				listen $port backlog=4096;
				location / { return 200 "$ns\n"; }
				location /blob { root $dir; }
			}
		}
	CONF
	if [[ $ns == - ]]; then
		nginx -c "$dir/conf" || die "nginx here"
	else
		in_ns "$ns" nginx -c "$dir/conf" || die "nginx in $ns"
	fi
}

# requests N URL: each in a connection of its own; prints "count name" lines.
requests() {
	in_ns client curl -sS --max-time 120 -H 'Connection: close' "$2/[1-$1]" | sort | uniq -c
}

# A file goes whole from the client by VIP:PORT to b1, which takes it at its port
# 9000: upload PORT FILE
upload() {
	local server
	in_ns b1 nc -Nl 10.2.0.11 9000 >/tmp/uploaded </dev/null &
	server=$!
	sleep 0.3
	in_ns client nc -N "$VIP" "$1" <"$2" && wait $server && cmp /tmp/uploaded "$2"
}

# What a namespace has learned of the MTU of a path: mtu_of NS ADDRESS
mtu_of() { ip -n "$1" route get "$2" | grep -o 'mtu [0-9]*'; }

# A service with its backends: balance SERVICE [OPTION...] -- BACKEND[=WEIGHT]...
balance() {
	local service=$1 options=() backend
	shift
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	expect "service $service" smplbctl service add "$service" "${options[@]}"
	for backend; do
		expect "backend $backend" smplbctl backend add "$service" "${backend%=*}" \
			--weight "$([[ $backend == *=* ]] && echo "${backend#*=}" || echo 1)"
	done
}
