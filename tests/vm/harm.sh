# SPDX-License-Identifier: GPL-2.0
# Shared by the scenarios of NICs that fail: what harms them, and what is said of
# it. Source it, after nics.sh.

told() { dmesg | grep -c "smplb[0-9].*: the NIC $1"; }

# The device's memory can be reached no more, and it reaches none.
deafen() { # PLACE
	printf '\0\0' | dd of="$PCI/devices/$1/config" bs=1 seek=4 conv=notrunc status=none
}

# Writes to registers of a device, behind the driver's back: poke PLACE BAR
# [OFFSET:OCTETS=VALUE...]
poke() {
	python3 -ESc 'import mmap, struct, sys
with open(sys.argv[1], "r+b") as f:
    registers = mmap.mmap(f.fileno(), 4096)
    for poke in sys.argv[2:]:
        place, value = poke.split("=")
        offset, octets = map(int, place.split(":"))
        format = {1: "B", 2: "<H", 4: "<I"}[octets]
        struct.pack_into(format, registers, offset, int(value, 0))' "$PCI/devices/$1/resource$2" "${@:3}"
}

# Registers of a modern virtio device, which QEMU has in BAR 4: see VIRTIO 1.2,
# 4.1.4.3. A queue cannot be disabled: that makes the device ask for a reset.
stop_virtio() { poke "$1" 4 20:1=0; }
confuse_virtio() { poke "$1" 4 22:2=0 28:2=0; }
# Its transmit queue has 16 elements from now on. With VIRTIO_F_EVENT_IDX it asks for
# doorbells where nobody looks; without, it soon finishes descriptors that the
# driver, whose ring is new, has never filled.
shrink_virtio() {
	poke "$1" 4 22:2=1 24:2=16
	ping -q -f -c 100 -w 1 "${HARMED:?where the NIC is to send to}" >/dev/null
}
# RCTL, and TCTL.
stop_intel() { poke "$1" 0 256:4=0; }
stop_intel_tx() { poke "$1" 0 1024:4=0; }

# Until something is so, no longer than a second: within_a_second COMMAND...
within_a_second() {
	local end=$((${EPOCHREALTIME/./} + 1000000))
	until "$@"; do
		((${EPOCHREALTIME/./} < end)) || return 1
		sleep 0.02
	done
}

# Whether the log's last word about a NIC that HOW came within a second after a
# moment of /proc/uptime: prompt HOW MOMENT
prompt() {
	dmesg | awk -v how="$1" -v since="$2" '
		index($0, ": the NIC " how) { sub(/^\[ */, ""); at = $1 + 0 }
		END { print "told after", at - since, "s"; exit !(at && at - since <= 1) }'
}

# Breaks a NIC, which is seen within a second, and it comes back: breaks PLACE NAME
# HOW HARM...
breaks() {
	local place=$1 name=$2 how=$3 before told again since
	shift 3
	before=$(port "$name" resets) told=$(told "$how") again=$(told "was reset and works again")
	"$@" "$place"
	read -r since _ </proc/uptime
	reset() { (($(port "$name" resets) > before)); }
	expect "$name is reset after $*" eventually 4 reset
	expect "$name has a link again" eventually 6 carrier "$name" 1
	prompt "$how" "$since" || die "$*: not told within a second: $(dmesg | grep 'the NIC')"
	(($(told "$how") == told + 1)) || die "$*: $(dmesg | grep 'the NIC')"
	(($(told "was reset and works again") == again + 1)) || die "$*: $(dmesg | grep 'the NIC')"
	adds_up
}
