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

# All interrupts of a network device go to one CPU: interrupts_to CPU IFNAME.
interrupts_to() {
	local irq
	for irq in "/sys/class/net/$2/device/../msi_irqs"/*; do
		irq=/proc/irq/${irq##*/}
		[[ ! -e $irq/smp_affinity_list ]] || echo "$1" >"$irq/smp_affinity_list" || die "$irq"
	done
}

driver() { basename "$(readlink "$PCI/devices/$1/driver")"; }

# The kind of a NIC: the driver's name for users, and that of its stock driver.
kind() { [[ $(<"$PCI/devices/$1/vendor") == 0x8086 ]] && echo intel || echo virtio_net; }
stock() { [[ $(kind "$1") == intel ]] && echo e1000e || echo virtio-pci; }

# The network device with a MAC address.
device() {
	local dir
	for dir in /sys/class/net/*; do
		[[ $(<"$dir/address") == "$1" ]] && basename "$dir" && return
	done
	return 1
}

# Gives a device to a driver, and tells what that says: hand PLACE [DRIVER];
# without one to its stock driver.
hand() {
	local to=${2:-$(stock "$1")}
	echo "${2-}" >"$PCI/devices/$1/driver_override"
	[[ -e $PCI/devices/$1/driver ]] && echo "$1" >"$PCI/devices/$1/driver/unbind"
	echo "$1" >"$PCI/drivers/$to/bind" && [[ $(driver "$1") == "$to" ]]
}
