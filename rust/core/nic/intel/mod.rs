// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Queues of Intel's Ethernet controllers: one engine for receiving and one for sending, over the
//! descriptor formats of three families, and the registers of each family.
//!
//! Descriptors of 16 octets lie in a ring; the driver fills them in order and writes the index
//! behind the last one into a tail register, the NIC finishes them in order and sets a bit, DD, in
//! each one (receive) or in those that ask for it (transmit). The driver owns the descriptors from
//! the first one that is not yet finished back to the tail; one of them always stays empty, because
//! equal indices mean an empty ring to the NIC. Head registers are never read.

use super::queue::Condition;

pub mod regs;
pub mod rx;
pub mod tx;

/// Octets of a descriptor. The NICs want rings whose length is a multiple of 128 octets.
pub const DESCRIPTOR: usize = 16;
/// Least descriptors of a ring.
pub const MIN_SIZE: usize = 8;
/// Most descriptors of a ring.
pub const MAX_SIZE: usize = 4096;

/// Receive status: the descriptor is done.
const RX_DD: u32 = 1 << 0;
/// Receive status: the frame ends in this buffer.
const RX_EOP: u32 = 1 << 1;
/// Transmit status: the descriptor is done; in its second word.
const TX_DD: u64 = 1 << 32;

/// Transmit command of all formats: the frame ends in this buffer (`EOP`), and the NIC appends the
/// frame check sequence (`IFCS`).
const TX_WHOLE: u64 = 1 << 24 | 1 << 25;
/// Transmit command: set DD when this is done (`RS`).
const TX_RS: u64 = 1 << 27;

/// The descriptor format of a family of NICs.
pub trait Layout {
    /// Receive status: the transport checksum has been checked.
    const CHECKED: u32;
    /// Receive status: what [`Layout::CHECKED`] says is to be ignored.
    const IGNORE: u32;
    /// Receive errors: a checksum is wrong.
    const BAD: u32;
    /// Receive errors: the frame is damaged.
    const DAMAGED: u32;

    /// The second word of a transmit descriptor for a whole frame of `len` octets.
    fn transmit(len: u16) -> u64;

    /// What the status of a received frame says.
    #[inline(always)]
    fn condition(status: u32) -> Condition {
        if status & (Self::DAMAGED | RX_EOP) != RX_EOP {
            Condition::Damaged
        } else if status & Self::CHECKED == 0 || status & Self::IGNORE != 0 {
            Condition::Unchecked
        } else if status & Self::BAD != 0 {
            Condition::BadChecksum
        } else {
            Condition::Good
        }
    }
}

/// 82574 (e1000e): extended receive descriptors (`RFCTL.EXTEN`) and legacy transmit descriptors.
#[derive(Clone, Copy, Debug)]
pub struct E1000e;

/// 82576 and its kin (igb: i350, i210): advanced descriptors.
#[derive(Clone, Copy, Debug)]
pub struct Igb;

/// 82599 and its kin (ixgbe: X540, X550): advanced descriptors, with other errors.
#[derive(Clone, Copy, Debug)]
pub struct Ixgbe;

/// An advanced data descriptor (`DEXT`, `DTYP` 3), the length in `PAYLEN` once more.
#[inline(always)]
fn advanced(len: u16) -> u64 {
    let len = u64::from(len);
    len | 3 << 20 | 1 << 29 | TX_WHOLE | len << 46
}

impl Layout for E1000e {
    /// `UDPCS`, `TCPCS`.
    const CHECKED: u32 = 1 << 4 | 1 << 5;
    /// `IXSM`.
    const IGNORE: u32 = 1 << 2;
    /// `TCPE`, `IPE`.
    const BAD: u32 = 1 << 29 | 1 << 30;
    /// `CE`, `SE`, `SEQ`, `CXE`, `RXE`.
    const DAMAGED: u32 = 1 << 24 | 1 << 25 | 1 << 26 | 1 << 28 | 1 << 31;

    #[inline(always)]
    fn transmit(len: u16) -> u64 {
        u64::from(len) | TX_WHOLE
    }
}

impl Layout for Igb {
    /// `UDPCS`, `L4CS`.
    const CHECKED: u32 = 1 << 4 | 1 << 5;
    const IGNORE: u32 = 1 << 2;
    /// `L4E`, `IPE`.
    const BAD: u32 = 1 << 29 | 1 << 30;
    /// `CE`, `SE`, `SEQ`, `CXE` (reserved in later ones), `RXE`.
    const DAMAGED: u32 = 1 << 24 | 1 << 25 | 1 << 26 | 1 << 28 | 1 << 31;

    #[inline(always)]
    fn transmit(len: u16) -> u64 {
        advanced(len)
    }
}

impl Layout for Ixgbe {
    /// `UDPCS`, `L4I`.
    const CHECKED: u32 = 1 << 4 | 1 << 5;
    /// None: bit 2 is `FLM`.
    const IGNORE: u32 = 0;
    /// `TCPE`, `IPE`.
    const BAD: u32 = 1 << 30 | 1 << 31;
    /// `CE`, `LE`, `PE`, `OSE`, `USE`.
    const DAMAGED: u32 = 1 << 24 | 1 << 25 | 1 << 27 | 1 << 28 | 1 << 29;

    #[inline(always)]
    fn transmit(len: u16) -> u64 {
        advanced(len)
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_intel))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn what_the_status_says() {
        let done = RX_DD | RX_EOP;
        let said = [
            (done, Condition::Unchecked),
            (done | 1 << 5, Condition::Good),
            (done | 1 << 4, Condition::Good),
            (done | 1 << 2 | 1 << 5, Condition::Unchecked),
            (done | 1 << 5 | 1 << 29, Condition::BadChecksum),
            (done | 1 << 5 | 1 << 30, Condition::BadChecksum),
            (done | 1 << 31, Condition::Damaged),
            (RX_DD, Condition::Damaged),
        ];
        for (status, condition) in said {
            assert_eq!(E1000e::condition(status), condition);
            assert_eq!(Igb::condition(status), condition);
        }
        // 82599: bit 2 is a match of a filter, and the errors begin two bits higher.
        assert_eq!(Ixgbe::condition(done | 1 << 2 | 1 << 5), Condition::Good);
        assert_eq!(Ixgbe::condition(done | 1 << 2), Condition::Unchecked);
        let bad = done | 1 << 5 | 1 << 31;
        assert_eq!(Ixgbe::condition(bad), Condition::BadChecksum);
        assert_eq!(Ixgbe::condition(done | 1 << 29), Condition::Damaged);
    }

    /// Second words as the datasheets draw them.
    #[test]
    fn what_is_sent() {
        assert_eq!(E1000e::transmit(60), 0x0300_003c);
        assert_eq!(Igb::transmit(60), 60 << 46 | 0x2330_003c);
        assert_eq!(Ixgbe::transmit(1514), 1514 << 46 | 0x2330_05ea);
        assert_eq!(Igb::transmit(60) | TX_RS, 60 << 46 | 0x2b30_003c);
    }
}
