# SPDX-License-Identifier: GPL-2.0
# Devices of the PCI bus and their drivers, by sysfs. Source it after lib.sh.

PCI=/sys/bus/pci

# The place on the bus of a network device.
place() {
	local dir
	dir=$(readlink -f "/sys/class/net/$1/device")
	[[ ${dir##*/} == virtio* ]] && dir=${dir%/*}
	echo "${dir##*/}"
}

driver() { basename "$(readlink "$PCI/devices/$1/driver")"; }

# The network device with a MAC address.
device() {
	local dir
	for dir in /sys/class/net/*; do
		[[ $(<"$dir/address") == "$1" ]] && basename "$dir" && return
	done
	return 1
}

hand() { # PLACE DRIVER: "" is the stock driver
	echo "$2" >"$PCI/devices/$1/driver_override"
	[[ -e $PCI/devices/$1/driver ]] && echo "$1" >"$PCI/devices/$1/driver/unbind"
	echo "$1" >"$PCI/drivers_probe"
	[[ $(driver "$1") == "${2:-virtio-pci}" ]]
}
