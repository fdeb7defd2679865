// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Registers in BAR 0 of Intel's NICs: a map for each family, with the names of its datasheet, and
//! what the maps have in common.

pub mod common;
pub mod e1000e;
pub mod igb;
pub mod ixgbe;

/// A register of 32 bits, by its offset in BAR 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Register(pub u32);

impl Register {
    /// Element `i` of an array of registers of which this is the first.
    const fn at(self, i: u16, step: u32) -> Self {
        Self(self.0.wrapping_add((i as u32).wrapping_mul(step)))
    }
}

/// The registers of one ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingRegisters {
    /// `RDBAL`, `TDBAL`: low half of the ring's address.
    pub base_low: Register,
    /// `RDBAH`, `TDBAH`: high half of it.
    pub base_high: Register,
    /// `RDLEN`, `TDLEN`: length of the ring in octets.
    pub len: Register,
    /// `RDH`, `TDH`: 0 before the ring is enabled.
    pub head: Register,
    /// `RDT`, `TDT`: the doorbell.
    pub tail: Register,
    /// `RXDCTL`, `TXDCTL`.
    pub control: Register,
}

impl RingRegisters {
    /// The layout all families have in common.
    const fn at(base: Register) -> Self {
        Self {
            base_low: base,
            base_high: base.at(1, 0x04),
            len: base.at(1, 0x08),
            head: base.at(1, 0x10),
            tail: base.at(1, 0x18),
            control: base.at(1, 0x28),
        }
    }
}

/// Where a cause of interrupts is given a vector: a field of an `IVAR` register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The register.
    pub register: Register,
    /// Position of the field.
    shift: u32,
    /// Bits of the field; its highest one says that it is valid.
    bits: u32,
}

impl Route {
    /// What to write to the register, which held `word`, so that the cause raises `vector`.
    pub fn set(self, word: u32, vector: u8) -> u32 {
        let valid = 1u32.wrapping_shl(self.bits.wrapping_sub(1));
        let mask = valid.wrapping_mul(2).wrapping_sub(1);
        let field = valid | (u32::from(vector) & mask);
        (word & !mask.wrapping_shl(self.shift)) | field.wrapping_shl(self.shift)
    }
}

/// A counter of the NIC, which reading clears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// What it counts.
    pub count: Count,
    /// The register, or the low half; to be read first.
    pub low: Register,
    /// The high half of a counter that has more than 32 bits.
    pub high: Option<Register>,
}

impl Counter {
    const fn new(count: Count, low: u32) -> Self {
        Self {
            count,
            low: Register(low),
            high: None,
        }
    }

    const fn wide(count: Count, low: u32, high: u32) -> Self {
        Self {
            count,
            low: Register(low),
            high: Some(Register(high)),
        }
    }
}

/// What counters count; the registers' names are those of the datasheets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// `GPRC`: good packets received.
    RxPackets,
    /// `GORCL`, `GORCH`: octets of them.
    RxOctets,
    /// `GPTC`: good packets sent.
    TxPackets,
    /// `GOTCL`, `GOTCH`: octets of them.
    TxOctets,
    /// `MPC`: packets missed, since the NIC's memory was full.
    RxMissed,
    /// `RNBC`: packets that came when there was no free descriptor.
    RxNoBuffer,
    /// `CRCERRS`: packets with a wrong frame check sequence.
    RxCrc,
    /// `RLEC`: packets of a wrong length.
    RxLength,
    /// `ROC`: packets too long.
    RxOversize,
    /// `RUC`: packets too short.
    RxUndersize,
}

/// What the driver needs of a family of NICs to run queues.
pub trait Family {
    /// Most receive queues, and most transmit queues.
    const QUEUES: u16;
    /// Counters of the whole NIC.
    const COUNTERS: &'static [Counter];

    /// Registers of a receive ring.
    fn rx(queue: u16) -> Option<RingRegisters>;

    /// Registers of a transmit ring.
    fn tx(queue: u16) -> Option<RingRegisters>;

    /// Where the vector of a receive queue is set.
    fn rx_route(queue: u16) -> Option<Route>;

    /// Where the vector of a transmit queue is set.
    fn tx_route(queue: u16) -> Option<Route>;

    /// Where the vector of other causes is set: link status.
    fn other_route() -> Route;

    /// How an entry of the redirection table names a queue.
    fn redirection(queue: u8) -> u8;
}

/// Redirection table, 32 registers with four entries each. All families.
pub const RETA: Register = Register(0x5c00);
/// Key of the receive-side scaling hash, 10 registers. All families.
pub const RSSRK: Register = Register(0x5c80);
/// Multiple receive queues command. All families.
pub const MRQC: Register = Register(0x5818);
/// `MRQC`: hash over TCP/IPv4 addresses and ports.
pub const MRQC_RSS_FIELD_IPV4_TCP: u32 = 1 << 16;
/// `MRQC`: hash over IPv4 addresses.
pub const MRQC_RSS_FIELD_IPV4: u32 = 1 << 17;
/// `MRQC`: hash over IPv6 addresses.
pub const MRQC_RSS_FIELD_IPV6: u32 = 1 << 20;
/// `MRQC`: hash over TCP/IPv6 addresses and ports.
pub const MRQC_RSS_FIELD_IPV6_TCP: u32 = 1 << 21;
/// `MRQC`: hash over UDP/IPv4 addresses and ports; not 82574.
pub const MRQC_RSS_FIELD_IPV4_UDP: u32 = 1 << 22;
/// `MRQC`: hash over UDP/IPv6 addresses and ports; not 82574.
pub const MRQC_RSS_FIELD_IPV6_UDP: u32 = 1 << 23;

/// What to write where, so that flows are spread evenly over the first `queues` queues.
pub fn redirection_table<F: Family>(queues: u8) -> impl Iterator<Item = (Register, u32)> {
    let queues = queues.max(1);
    let entry = move |i: u16| F::redirection(i.checked_rem(queues.into()).unwrap_or(0) as u8);
    (0..32u16).map(move |word| {
        let entries = [0, 1, 2, 3].map(|i| entry(word.wrapping_mul(4) | i));
        (RETA.at(word, 4), u32::from_le_bytes(entries))
    })
}

/// What to write where for a key.
pub fn rss_key(key: &[u8; 40]) -> impl Iterator<Item = (Register, u32)> + '_ {
    let words = key.chunks_exact(4).zip(0u16..);
    words.map(|(octets, i)| {
        let word = octets
            .first_chunk()
            .map_or(0, |word| u32::from_le_bytes(*word));
        (RSSRK.at(i, 4), word)
    })
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_regs))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::{E1000e, Igb, Ixgbe};
    use super::*;

    /// Whether the registers of each queue are in order, on 4 octets, and apart from those of others.
    fn apart<F: Family>(queue: u16, before: Register) -> Option<Register> {
        let (rx, tx) = (F::rx(queue)?, F::tx(queue)?);
        let in_order = rx.base_low > before && rx.base_low < rx.tail && rx.tail < rx.control;
        let apart = rx.base_low.0.abs_diff(tx.base_low.0) > 0x28;
        let aligned = (tx.tail.0 | rx.tail.0) & 3 == 0 && tx.control.0 < 0x2_0000;
        let routes = F::rx_route(queue)? != F::tx_route(queue)?;
        (in_order && apart && aligned && routes).then_some(rx.base_low)
    }

    fn all_apart<F: Family>() -> bool {
        let last = (0..F::QUEUES).try_fold(Register(0), |before, queue| apart::<F>(queue, before));
        let beyond = F::rx(F::QUEUES).is_none() && F::tx(F::QUEUES).is_none();
        let routes = F::rx_route(F::QUEUES).is_none() && F::tx_route(F::QUEUES).is_none();
        last.is_some() && beyond && routes
    }

    fn counted_once<F: Family>() -> bool {
        let same = |counter: &Counter| {
            let same = F::COUNTERS
                .iter()
                .filter(|other| other.count == counter.count);
            same.count()
        };
        F::COUNTERS.iter().all(|counter| same(counter) == 1)
    }

    #[test]
    fn queues_have_registers_of_their_own() {
        assert!(all_apart::<E1000e>());
        assert!(all_apart::<Igb>());
        assert!(all_apart::<Ixgbe>());
    }

    #[test]
    fn each_thing_is_counted_once() {
        assert!(counted_once::<E1000e>());
        assert!(counted_once::<Igb>());
        assert!(counted_once::<Ixgbe>());
    }

    #[test]
    fn flows_are_spread() {
        let mut words = redirection_table::<Igb>(3);
        assert_eq!(words.next(), Some((Register(0x5c00), 0x0002_0100)));
        assert_eq!(words.next(), Some((Register(0x5c04), 0x0100_0201)));
        assert_eq!(words.last(), Some((Register(0x5c7c), 0x0100_0201)));
        // 82574 has the queue in the highest bit.
        let mut words = redirection_table::<E1000e>(2);
        assert_eq!(words.next(), Some((Register(0x5c00), 0x8000_8000)));
        assert_eq!(redirection_table::<Ixgbe>(0).count(), 32);
    }

    #[test]
    fn keys() {
        let mut key = [0; 40];
        key[0] = 1;
        key[39] = 0x80;
        let mut words = rss_key(&key);
        assert_eq!(words.next(), Some((Register(0x5c80), 1)));
        assert_eq!(words.last(), Some((Register(0x5ca4), 0x8000_0000)));
    }

    #[test]
    fn vectors() {
        let set = |route: Option<Route>, word, vector| {
            route.map(|route| (route.register.0, route.set(word, vector)))
        };
        assert_eq!(set(E1000e::rx_route(1), 0xffff, 2), Some((0xe4, 0xffaf)));
        assert_eq!(set(E1000e::tx_route(0), 0, 1), Some((0xe4, 0x900)));
        assert_eq!(E1000e::other_route().set(0, 4), 0xc_0000);
        assert_eq!(set(Igb::rx_route(9), 0, 9), Some((0x1704, 0x0089_0000)));
        assert_eq!(set(Igb::tx_route(9), 0, 9), Some((0x1704, 0x8900_0000)));
        assert_eq!(
            set(Igb::tx_route(2), u32::MAX, 3),
            Some((0x1708, 0xffff_83ff))
        );
        assert_eq!(set(Ixgbe::rx_route(5), 0, 5), Some((0x908, 0x0085_0000)));
        assert_eq!(set(Ixgbe::tx_route(4), 0, 63), Some((0x908, 0xbf00)));
        assert_eq!(Ixgbe::other_route().set(0, 1), 0x8100);
    }
}
