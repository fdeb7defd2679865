// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Registers of the 82576, as in its datasheet (revision 2.87, section 8), besides those in
//! [`common`](super::common). i350 and i210 have fewer queues and another order in `IVAR`; see
//! [`row_major_route`].
//!
//! To reset: mask all interrupts (`IMC`, `EIMC`), clear `RCTL` and `TCTL.EN`, set
//! `CTRL_GIO_MASTER_DISABLE` until `STATUS_GIO_MASTER_ENABLE` falls, set `CTRL_RST`, wait 1 ms and
//! then for `EECD_AUTO_RD`, mask and read all interrupts (`IMC`, `ICR`). Then set `CTRL_SLU`, clear the
//! multicast table, write the MAC address, set `GPIE` for MSI-X with a vector for each queue.
//!
//! To receive: `SRRCTL` chooses the descriptors and the size of buffers; `RCTL` without `RCTL_LPE`
//! keeps frames at 1,522 octets. Rings, `RXDCTL_ENABLE` until it reads as set, `RCTL_EN`, then the
//! tail, which must be 0 before. To send: `TXDCTL_ENABLE`, `TCTL_EN`.

use super::super::Igb;
use super::{Counter, Family, Register, RingRegisters, Route};

/// General purpose interrupt enable.
pub const GPIE: Register = Register(0x1514);
/// Reading `ICR` does not clear while nothing is unmasked.
pub const GPIE_NSICR: u32 = 1 << 0;
/// A vector for each cause.
pub const GPIE_MULTIPLE_MSIX: u32 = 1 << 4;
/// Raising a vector masks it as `EIAM` says.
pub const GPIE_EIAME: u32 = 1 << 30;
/// Pending bits of MSI-X.
pub const GPIE_PBA: u32 = 1 << 31;
/// Extended interrupt cause set: a bit for each vector, here and below.
pub const EICS: Register = Register(0x1520);
/// Extended interrupt mask set.
pub const EIMS: Register = Register(0x1524);
/// Extended interrupt mask clear.
pub const EIMC: Register = Register(0x1528);
/// Extended interrupt auto clear.
pub const EIAC: Register = Register(0x152c);
/// Extended interrupt auto mask.
pub const EIAM: Register = Register(0x1530);
/// Extended interrupt cause; clears.
pub const EICR: Register = Register(0x1580);
/// Vectors of other causes.
pub const IVAR_MISC: Register = Register(0x1740);

/// Interrupt throttling of a vector.
pub const fn eitr(vector: u16) -> Register {
    Register(0x1680).at(vector, 4)
}

/// Split and replication receive control of a queue.
pub const fn srrctl(queue: u16) -> Register {
    ring(queue, 0x2800, 0xc000).at(1, 0x0c)
}

/// Packets of a receive queue dropped for want of a descriptor.
pub const fn rqdpc(queue: u16) -> Register {
    Register(0xc030).at(queue, 0x40)
}

/// `SRRCTL`: buffers of 2 KiB, in units of 1 KiB.
pub const SRRCTL_BSIZEPACKET_2K: u32 = 2;
/// `SRRCTL`: advanced descriptors with one buffer.
pub const SRRCTL_DESCTYPE_ADV_ONEBUF: u32 = 1 << 25;
/// `SRRCTL`: drop frames when there is no descriptor, so that one queue does not hold up the others.
pub const SRRCTL_DROP_EN: u32 = 1 << 31;
/// `RXDCTL`: the queue works.
pub const RXDCTL_ENABLE: u32 = 1 << 25;
/// `TXDCTL`: the queue works.
pub const TXDCTL_ENABLE: u32 = 1 << 25;
/// Longest frame, with `RCTL_LPE`.
pub const RLPML: Register = Register(0x5004);
/// `MRQC`: spread flows over queues.
pub const MRQC_RSS: u32 = 2;

/// A ring's registers: those of the first four queues lie apart.
const fn ring(queue: u16, first: u32, others: u32) -> Register {
    if queue < 4 {
        Register(first).at(queue, 0x100)
    } else {
        Register(others).at(queue, 0x40)
    }
}

/// Vectors of queues in `IVAR`, one above the other in eight registers: 82576.
const fn route(queue: u16, tx: u32) -> Route {
    Route {
        register: Register(0x1700).at(queue & 7, 4),
        shift: (((queue as u32) & 8) << 1) | tx,
        bits: 8,
    }
}

/// Vectors of queues in `IVAR`, side by side: 82580, i350, i210.
pub fn row_major_route(queue: u16, transmit: bool) -> Option<Route> {
    let tx = if transmit { 8 } else { 0 };
    (queue < 8).then_some(Route {
        register: Register(0x1700).at(queue >> 1, 4),
        shift: ((u32::from(queue) & 1) << 4) | tx,
        bits: 8,
    })
}

impl Family for Igb {
    const QUEUES: u16 = 16;
    const COUNTERS: &'static [Counter] = <super::super::E1000e as Family>::COUNTERS;

    fn rx(queue: u16) -> Option<RingRegisters> {
        let base = ring(queue, 0x2800, 0xc000);
        (queue < Self::QUEUES).then_some(RingRegisters::at(base))
    }

    fn tx(queue: u16) -> Option<RingRegisters> {
        let base = ring(queue, 0x3800, 0xe000);
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
