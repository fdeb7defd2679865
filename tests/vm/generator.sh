# SPDX-License-Identifier: GPL-2.0
# The generators of `xtask vm run --generator`, which eth0, eth2, … are cabled to.
# Source it after lib.sh.

GENERATOR=$(grep -lx generator /sys/class/virtio-ports/*/name) || die "no generator: xtask vm run --generator"
GENERATOR=${GENERATOR%/name}
exec 7<>"/dev/${GENERATOR##*/}"

# UDP packets of 60 octets, each flow with an address and port of its own,
# beginning with 10.1.0.2 port 1024: send COUNT FLOWS MAC ADDRESS PORT. They go to
# eth0; scripts/xtask/src/vm/generator.rs has what can be said besides.
# Returns when the last one is on its way; what is told of answers is in ANSWERS.
send() {
	local answer
	echo "send $*" >&7
	read -r -u 7 answer || die "the generator has gone"
	[[ $answer == sent* ]] || die "the generator: $answer"
	ANSWERS=${answer#sent}
}
