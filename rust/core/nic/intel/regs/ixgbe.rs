// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Registers of the 82599, as in its datasheet (revision 3.4, section 8).
//!
//! To reset: mask all interrupts (`EIMC`, `eimc_ex`), disable every queue, set `CTRL_PCIE_MASTER_DISABLE`
//! until `STATUS_PCIE_MASTER_ENABLE` falls, set `CTRL_RST` (and `CTRL_LRST` when the link is to be reset
//! too), wait 10 ms, mask and read all interrupts, wait for `EEC_AUTO_RD` and `RDRXCTL_DMAIDONE`.
//!
//! To receive: `HLREG0` and `RDRXCTL` strip the frame check sequence, `MAXFRS` (without
//! `HLREG0_JUMBOEN` 1,518 octets and tags) limits frames, `srrctl` chooses descriptors and size of
//! buffers. Rings, `RXDCTL_ENABLE` until it reads as set, the tail; then, with `SECRXCTRL_RX_DIS` set
//! until `SECRXSTAT_SECRX_RDY`, `RXCTRL_RXEN`, and `SECRXCTRL_RX_DIS` cleared. To send: `DMATXCTL_TE`
//! before any `TXDCTL_ENABLE`; set and clear `RTTDCS_ARBDIS` around a change of `MTQC`.

use super::super::Ixgbe;
use super::{Count, Counter, Family, Register, RingRegisters, Route};

/// Device control.
pub const CTRL: Register = Register(0x0000);
/// No more requests on the bus.
pub const CTRL_PCIE_MASTER_DISABLE: u32 = 1 << 2;
/// Link reset.
pub const CTRL_LRST: u32 = 1 << 3;
/// Software reset.
pub const CTRL_RST: u32 = 1 << 26;
/// Device status.
pub const STATUS: Register = Register(0x0008);
/// Requests on the bus are not yet disabled.
pub const STATUS_PCIE_MASTER_ENABLE: u32 = 1 << 19;
/// Extended device control.
pub const CTRL_EXT: Register = Register(0x0018);
/// No snooping disabled.
pub const CTRL_EXT_NS_DIS: u32 = 1 << 16;
/// A driver is loaded; for the firmware.
pub const CTRL_EXT_DRV_LOAD: u32 = 1 << 28;
/// EEPROM control.
pub const EEC: Register = Register(0x10010);
/// The EEPROM has been read after a reset.
pub const EEC_AUTO_RD: u32 = 1 << 9;

/// Extended interrupt cause: bits 0 to 15 for queues, as `IVAR` says.
pub const EICR: Register = Register(0x0800);
/// Extended interrupt cause set.
pub const EICS: Register = Register(0x0808);
/// Extended interrupt auto clear.
pub const EIAC: Register = Register(0x0810);
/// Extended interrupt mask set.
pub const EIMS: Register = Register(0x0880);
/// Extended interrupt mask clear.
pub const EIMC: Register = Register(0x0888);
/// Extended interrupt auto mask.
pub const EIAM: Register = Register(0x0890);
/// Cause: link status change.
pub const INT_LSC: u32 = 1 << 20;
/// General purpose interrupt enable.
pub const GPIE: Register = Register(0x0898);
/// A vector for each cause.
pub const GPIE_MULTIPLE_MSIX: u32 = 1 << 4;
/// Other causes are not cleared by auto clear.
pub const GPIE_OCD: u32 = 1 << 5;
/// Raising a vector masks it as `EIAM` says.
pub const GPIE_EIAME: u32 = 1 << 30;
/// Pending bits of MSI-X.
pub const GPIE_PBA_SUPPORT: u32 = 1 << 31;
/// Vectors of other causes.
pub const IVAR_MISC: Register = Register(0x0a00);

/// Mask of vectors `32 * i` and up, set.
pub const fn eims_ex(i: u16) -> Register {
    Register(0x0aa0).at(i, 4)
}

/// Mask of vectors `32 * i` and up, clear.
pub const fn eimc_ex(i: u16) -> Register {
    Register(0x0ab0).at(i, 4)
}

/// Interrupt throttling of a vector.
pub const fn eitr(vector: u16) -> Register {
    if vector < 24 {
        Register(0x0820).at(vector, 4)
    } else {
        Register(0x12300).at(vector.wrapping_sub(24), 4)
    }
}

/// Receive control.
pub const RXCTRL: Register = Register(0x3000);
/// Receive.
pub const RXCTRL_RXEN: u32 = 1 << 0;
/// Receive DMA control.
pub const RDRXCTL: Register = Register(0x2f00);
/// Strip the frame check sequence; as in `HLREG0`.
pub const RDRXCTL_CRCSTRIP: u32 = 1 << 1;
/// The DMA engine is ready after a reset.
pub const RDRXCTL_DMAIDONE: u32 = 1 << 3;
/// Size of coalesced packets; to be 0.
pub const RDRXCTL_RSCFRSTSIZE: u32 = 0x1f << 17;
/// To be set.
pub const RDRXCTL_RSCACKC: u32 = 1 << 25;
/// To be set.
pub const RDRXCTL_FCOE_WRFIX: u32 = 1 << 26;
/// `RXDCTL`: the queue works.
pub const RXDCTL_ENABLE: u32 = 1 << 25;
/// `RXDCTL`: strip VLAN tags.
pub const RXDCTL_VME: u32 = 1 << 30;
/// `TXDCTL`: the queue works.
pub const TXDCTL_ENABLE: u32 = 1 << 25;

/// Split and replication receive control of a queue.
pub const fn srrctl(queue: u16) -> Register {
    if queue < 16 {
        Register(0x2100).at(queue, 4)
    } else if queue < 64 {
        Register(0x1014).at(queue, 0x40)
    } else {
        Register(0xd014).at(queue.wrapping_sub(64), 0x40)
    }
}

/// `SRRCTL`: buffers of 2 KiB, in units of 1 KiB.
pub const SRRCTL_BSIZEPACKET_2K: u32 = 2;
/// `SRRCTL`: advanced descriptors with one buffer.
pub const SRRCTL_DESCTYPE_ADV_ONEBUF: u32 = 1 << 25;
/// `SRRCTL`: drop frames when there is no descriptor, so that one queue does not hold up the others.
pub const SRRCTL_DROP_EN: u32 = 1 << 28;

/// MAC core control 0.
pub const HLREG0: Register = Register(0x4240);
/// Append the frame check sequence.
pub const HLREG0_TXCRCEN: u32 = 1 << 0;
/// Strip the frame check sequence.
pub const HLREG0_RXCRCSTRP: u32 = 1 << 1;
/// Frames up to `MAXFRS`.
pub const HLREG0_JUMBOEN: u32 = 1 << 2;
/// Pad short frames.
pub const HLREG0_TXPADEN: u32 = 1 << 10;
/// Longest frame, in the upper half.
pub const MAXFRS: Register = Register(0x4268);
/// Link status.
pub const LINKS: Register = Register(0x42a4);
/// Link up.
pub const LINKS_UP: u32 = 1 << 30;
/// Speed: 1 for 100 Mbit/s, 2 for 1 Gbit/s, 3 for 10 Gbit/s.
pub const LINKS_SPEED: u32 = 3 << 28;

/// Transmit DMA control.
pub const DMATXCTL: Register = Register(0x4a80);
/// Transmit.
pub const DMATXCTL_TE: u32 = 1 << 0;
/// Transmit arbiter.
pub const RTTDCS: Register = Register(0x4900);
/// The arbiter is disabled.
pub const RTTDCS_ARBDIS: u32 = 1 << 6;
/// Multiple transmit queues command; 0 for one traffic class.
pub const MTQC: Register = Register(0x8120);
/// Receive security block.
pub const SECRXCTRL: Register = Register(0x8d00);
/// Receiving disabled.
pub const SECRXCTRL_RX_DIS: u32 = 1 << 1;
/// Its status.
pub const SECRXSTAT: Register = Register(0x8d04);
/// It is empty.
pub const SECRXSTAT_SECRX_RDY: u32 = 1 << 0;

/// Receive checksum control.
pub const RXCSUM: Register = Register(0x5000);
/// The RSS hash takes the place of the packet checksum; needed for RSS.
pub const RXCSUM_PCSD: u32 = 1 << 13;
/// Filter control.
pub const FCTRL: Register = Register(0x5080);
/// All multicast frames.
pub const FCTRL_MPE: u32 = 1 << 8;
/// All unicast frames.
pub const FCTRL_UPE: u32 = 1 << 9;
/// Broadcast frames.
pub const FCTRL_BAM: u32 = 1 << 10;
/// `MRQC`: spread flows over queues.
pub const MRQC_RSS: u32 = 1;

/// MAC address `i`, of 128: octets 0 to 3.
pub const fn ral(i: u16) -> Register {
    Register(0xa200).at(i, 8)
}

/// MAC address `i`: octets 4 and 5.
pub const fn rah(i: u16) -> Register {
    Register(0xa204).at(i, 8)
}

/// The address is valid.
pub const RAH_AV: u32 = 1 << 31;

/// Multicast table, 128 registers.
pub const fn mta(i: u16) -> Register {
    Register(0x5200).at(i, 4)
}

const fn route(queue: u16, tx: u32) -> Route {
    Route {
        register: Register(0x0900).at(queue >> 1, 4),
        shift: (((queue as u32) & 1) << 4) | tx,
        bits: 8,
    }
}

impl Family for Ixgbe {
    const QUEUES: u16 = 128;
    const COUNTERS: &'static [Counter] = &[
        Counter::new(Count::RxPackets, 0x4074),
        Counter::wide(Count::RxOctets, 0x4088, 0x408c),
        Counter::new(Count::TxPackets, 0x4080),
        Counter::wide(Count::TxOctets, 0x4090, 0x4094),
        Counter::new(Count::RxMissed, 0x3fa0),
        Counter::new(Count::RxCrc, 0x4000),
        Counter::new(Count::RxLength, 0x4040),
        Counter::new(Count::RxOversize, 0x40ac),
        Counter::new(Count::RxUndersize, 0x40a4),
    ];

    fn rx(queue: u16) -> Option<RingRegisters> {
        let base = if queue < 64 {
            Register(0x1000).at(queue, 0x40)
        } else {
            Register(0xd000).at(queue.wrapping_sub(64), 0x40)
        };
        (queue < Self::QUEUES).then_some(RingRegisters::at(base))
    }

    fn tx(queue: u16) -> Option<RingRegisters> {
        let base = Register(0x6000).at(queue, 0x40);
        (queue < Self::QUEUES).then_some(RingRegisters::at(base))
    }

    fn rx_route(queue: u16) -> Option<Route> {
        (queue < Self::QUEUES).then_some(route(queue, 0))
    }

    fn tx_route(queue: u16) -> Option<Route> {
        (queue < Self::QUEUES).then_some(route(queue, 8))
    }

    fn other_route() -> Route {
        Route {
            register: IVAR_MISC,
            shift: 8,
            bits: 8,
        }
    }

    fn redirection(queue: u8) -> u8 {
        queue & 15
    }
}
