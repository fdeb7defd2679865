// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Registers that the 82574 and the 82576 and its kin have in common.

use super::Register;

/// Device control.
pub const CTRL: Register = Register(0x0000);
/// Full duplex.
pub const CTRL_FD: u32 = 1 << 0;
/// No more requests on the bus.
pub const CTRL_GIO_MASTER_DISABLE: u32 = 1 << 2;
/// Set link up.
pub const CTRL_SLU: u32 = 1 << 6;
/// Device reset; clears itself.
pub const CTRL_RST: u32 = 1 << 26;
/// Receive flow control.
pub const CTRL_RFCE: u32 = 1 << 27;
/// Transmit flow control.
pub const CTRL_TFCE: u32 = 1 << 28;
/// Strip VLAN tags.
pub const CTRL_VME: u32 = 1 << 30;

/// Device status.
pub const STATUS: Register = Register(0x0008);
/// Full duplex.
pub const STATUS_FD: u32 = 1 << 0;
/// Link up.
pub const STATUS_LU: u32 = 1 << 1;
/// Speed: 0 for 10 Mbit/s, 1 for 100 Mbit/s, 2 or 3 for 1,000 Mbit/s.
pub const STATUS_SPEED: u32 = 3 << 6;
/// Requests on the bus are not yet disabled.
pub const STATUS_GIO_MASTER_ENABLE: u32 = 1 << 19;

/// EEPROM control.
pub const EECD: Register = Register(0x0010);
/// The EEPROM has been read after a reset.
pub const EECD_AUTO_RD: u32 = 1 << 9;

/// Extended device control.
pub const CTRL_EXT: Register = Register(0x0018);
/// A driver is loaded; for the firmware.
pub const CTRL_EXT_DRV_LOAD: u32 = 1 << 28;

/// MDI control: the PHY's registers.
pub const MDIC: Register = Register(0x0020);

/// Interrupt cause read; clears.
pub const ICR: Register = Register(0x00c0);
/// Interrupt cause set.
pub const ICS: Register = Register(0x00c8);
/// Interrupt mask set.
pub const IMS: Register = Register(0x00d0);
/// Interrupt mask clear.
pub const IMC: Register = Register(0x00d8);
/// Cause: link status change.
pub const INT_LSC: u32 = 1 << 2;

/// Receive control.
pub const RCTL: Register = Register(0x0100);
/// Receive.
pub const RCTL_EN: u32 = 1 << 1;
/// All unicast frames.
pub const RCTL_UPE: u32 = 1 << 3;
/// All multicast frames.
pub const RCTL_MPE: u32 = 1 << 4;
/// Frames longer than 1,522 octets.
pub const RCTL_LPE: u32 = 1 << 5;
/// Broadcast frames.
pub const RCTL_BAM: u32 = 1 << 15;
/// Strip the frame check sequence.
pub const RCTL_SECRC: u32 = 1 << 26;

/// Transmit control.
pub const TCTL: Register = Register(0x0400);
/// Transmit.
pub const TCTL_EN: u32 = 1 << 1;
/// Pad short frames.
pub const TCTL_PSP: u32 = 1 << 3;
/// Collision threshold.
pub const TCTL_CT_15: u32 = 15 << 4;
/// Collision distance of full duplex.
pub const TCTL_COLD_63: u32 = 63 << 12;
/// Retransmit on late collision.
pub const TCTL_RTLC: u32 = 1 << 24;

/// Receive checksum control.
pub const RXCSUM: Register = Register(0x5000);
/// Check IP headers.
pub const RXCSUM_IPOFL: u32 = 1 << 8;
/// Check TCP and UDP.
pub const RXCSUM_TUOFL: u32 = 1 << 9;
/// The RSS hash takes the place of the packet checksum; needed for RSS.
pub const RXCSUM_PCSD: u32 = 1 << 13;

/// Multicast table, 128 registers.
pub const fn mta(i: u16) -> Register {
    Register(0x5200).at(i, 4)
}

/// MAC address `i`, of 16: octets 0 to 3.
pub const fn ral(i: u16) -> Register {
    Register(0x5400).at(i, 8)
}

/// MAC address `i`: octets 4 and 5.
pub const fn rah(i: u16) -> Register {
    Register(0x5404).at(i, 8)
}

/// The address is valid.
pub const RAH_AV: u32 = 1 << 31;
