# SPDX-License-Identifier: GPL-2.0
# The generator of `xtask vm run --generator`, which eth0 is cabled to. Source it
# after lib.sh.

GENERATOR=$(grep -lx generator /sys/class/virtio-ports/*/name) || die "no generator: xtask vm run --generator"
GENERATOR=${GENERATOR%/name}
exec 7<>"/dev/${GENERATOR##*/}"

# UDP packets of 60 octets to eth0, each flow with an address and port of its
# own, beginning with 10.1.0.2 port 1024: send COUNT FLOWS MAC ADDRESS PORT.
# Returns when the last one is on its way.
send() {
	local answer
	echo "send $*" >&7
	read -r -u 7 answer || die "the generator has gone"
	[[ $answer == sent ]] || die "the generator: $answer"
}
