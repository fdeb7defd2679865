// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Registers of the 82574, as in its datasheet (revision 3.4, section 10), besides those in
//! [`common`](super::common).
//!
//! To reset: mask all interrupts (`IMC`), clear `RCTL` and `TCTL.EN`, set `CTRL_GIO_MASTER_DISABLE`
//! until `STATUS_GIO_MASTER_ENABLE` falls (at most 80 ms), set `CTRL_RST`, wait 1 ms and then for
//! `EECD_AUTO_RD`, wait 25 ms for the PHY, mask and read all interrupts (`IMC`, `ICR`). Then make the
//! errata settings `TXDCTL_COUNT_DESC`, `TARC0_ERRATA`, `CTRL_EXT_ERRATA_*`, `GCR_ERRATA` and
//! `GCR2_ERRATA`, set `CTRL_SLU`, clear the multicast table, write the MAC address.
//!
//! To receive: `RFCTL_EXTEN` chooses the descriptors of this driver; `RCTL` without `RCTL_LPE` keeps
//! frames at 1,522 octets, so that a buffer of 2,048 octets, the size for 0 in `RCTL.BSIZE`, is never
//! filled. Rings, then `RCTL_EN`, then the tail.

use super::super::E1000e;
use super::{Count, Counter, Family, Register, RingRegisters, Route};

/// `CTRL`: speed by auto-detection.
pub const CTRL_ASDE: u32 = 1 << 5;
/// `CTRL`: force speed.
pub const CTRL_FRCSPD: u32 = 1 << 11;
/// `CTRL`: force duplex.
pub const CTRL_FRCDPLX: u32 = 1 << 12;
/// `CTRL`: PHY reset.
pub const CTRL_PHY_RST: u32 = 1 << 31;

/// `CTRL_EXT`: to be set, for errata.
pub const CTRL_EXT_ERRATA_SET: u32 = 1 << 22;
/// `CTRL_EXT`: to be cleared, for errata.
pub const CTRL_EXT_ERRATA_CLEAR: u32 = 1 << 23;
/// `CTRL_EXT`: reading or writing `ICR` masks as `IAM` says.
pub const CTRL_EXT_IAME: u32 = 1 << 27;
/// `CTRL_EXT`: pending bits of MSI-X are cleared.
pub const CTRL_EXT_PBA_CLR: u32 = 1 << 31;

/// Interrupt auto clear, with MSI-X.
pub const EIAC: Register = Register(0x00dc);
/// Interrupt acknowledge auto mask.
pub const IAM: Register = Register(0x00e0);
/// Interrupt vector allocation.
pub const IVAR: Register = Register(0x00e4);
/// Cause: receiver overrun.
pub const INT_RXO: u32 = 1 << 6;
/// Cause: receive queue 0; queue 1 is the next bit.
pub const INT_RXQ0: u32 = 1 << 20;
/// Cause: transmit queue 0; queue 1 is the next bit.
pub const INT_TXQ0: u32 = 1 << 22;
/// Cause: others, with MSI-X.
pub const INT_OTHER: u32 = 1 << 24;

/// Interrupt throttling of each of the five vectors.
pub const fn eitr(vector: u16) -> Register {
    Register(0x00e8).at(vector, 4)
}

/// `TCTL`: several requests at once.
pub const TCTL_MULR: u32 = 1 << 28;
/// Inter-packet gap.
pub const TIPG: Register = Register(0x0410);
/// The gap of copper links.
pub const TIPG_COPPER: u32 = 8 | 8 << 10 | 6 << 20;

/// `RXDCTL`: descriptors, not cache lines, are counted.
pub const RXDCTL_GRAN: u32 = 1 << 24;
/// `TXDCTL`: the same.
pub const TXDCTL_GRAN: u32 = 1 << 24;
/// `TXDCTL`: to be set, for errata.
pub const TXDCTL_COUNT_DESC: u32 = 1 << 22;
/// Transmit arbitration count of queue 0.
pub const TARC0: Register = Register(0x3840);
/// To be set in `TARC0`, for errata.
pub const TARC0_ERRATA: u32 = 1 << 26;
/// To be cleared in `TARC0`, for errata.
pub const TARC0_ERRATA_CLEAR: u32 = 15 << 27;

/// Receive filter control.
pub const RFCTL: Register = Register(0x5008);
/// Extended receive descriptors.
pub const RFCTL_EXTEN: u32 = 1 << 15;

/// `MRQC`: spread flows over two queues.
pub const MRQC_RSS: u32 = 1;

/// PCIe control.
pub const GCR: Register = Register(0x5b00);
/// To be set, for errata.
pub const GCR_ERRATA: u32 = 1 << 22;
/// PCIe control 2.
pub const GCR2: Register = Register(0x5b64);
/// To be set, for errata.
pub const GCR2_ERRATA: u32 = 1;

/// A field of four bits.
const fn route(shift: u32) -> Route {
    Route {
        register: IVAR,
        shift,
        bits: 4,
    }
}

impl Family for E1000e {
    const QUEUES: u16 = 2;
    const COUNTERS: &'static [Counter] = &[
        Counter::new(Count::RxPackets, 0x4074),
        Counter::wide(Count::RxOctets, 0x4088, 0x408c),
        Counter::new(Count::TxPackets, 0x4080),
        Counter::wide(Count::TxOctets, 0x4090, 0x4094),
        Counter::new(Count::RxMissed, 0x4010),
        Counter::new(Count::RxNoBuffer, 0x40a0),
        Counter::new(Count::RxCrc, 0x4000),
        Counter::new(Count::RxLength, 0x4040),
        Counter::new(Count::RxOversize, 0x40ac),
        Counter::new(Count::RxUndersize, 0x40a4),
    ];

    fn rx(queue: u16) -> Option<RingRegisters> {
        let base = Register(0x2800).at(queue, 0x100);
        (queue < Self::QUEUES).then_some(RingRegisters::at(base))
    }

    fn tx(queue: u16) -> Option<RingRegisters> {
        let base = Register(0x3800).at(queue, 0x100);
        (queue < Self::QUEUES).then_some(RingRegisters::at(base))
    }

    fn rx_route(queue: u16) -> Option<Route> {
        match queue {
            0 => Some(route(0)),
            1 => Some(route(4)),
            _ => None,
        }
    }

    fn tx_route(queue: u16) -> Option<Route> {
        match queue {
            0 => Some(route(8)),
            1 => Some(route(12)),
            _ => None,
        }
    }

    fn other_route() -> Route {
        route(16)
    }

    fn redirection(queue: u8) -> u8 {
        (queue & 1) << 7
    }
}
