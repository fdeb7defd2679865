// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Which traffic is for which channel.
//!
//! A list in the order of its keys, made anew whenever a channel wants something else. Before a packet
//! of a flow is looked for in the list, a sieve tells most that are in no rule about an address and
//! port: it costs others next to nothing that there are channels, even a thousand.

use super::super::connection::key::Key;
use super::super::frame::PortId;
use super::super::wire::ethernet::{self, ETH_HLEN, ETH_P_IP};
use super::super::wire::ipv4::{self, IP_HLEN};

/// The number of a channel in its switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelId(pub u16);

/// What an application wants to receive. Of two that a packet fits, the one that comes first here is
/// taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// All frames that a port receives.
    Port(PortId),
    /// TCP or UDP to an address and port of IPv4, whole packets only; those of connections that the
    /// switch has given to a backend, too.
    Local {
        /// `IPPROTO_TCP` or `IPPROTO_UDP`.
        protocol: u8,
        /// Destination address.
        addr: [u8; 4],
        /// Destination port.
        port: u16,
    },
    /// All of IPv4 to an address, but for connections that the switch has given to a backend.
    Address([u8; 4]),
    /// Frames of an Ethernet type that a port receives.
    EtherType(PortId, u16),
}

/// Kinds of keys, in their highest octet.
const KIND: u32 = 56;
const PORT: u64 = 1 << KIND;
const LOCAL: u64 = 2 << KIND;
const ADDRESS: u64 = 3 << KIND;
const ETHER_TYPE: u64 = 4 << KIND;

impl Want {
    fn key(&self) -> u64 {
        match *self {
            Self::Port(port) => PORT | u64::from(port.0),
            Self::Local {
                protocol,
                addr,
                port,
            } => local(protocol, addr, port),
            Self::Address(addr) => ADDRESS | u64::from(u32::from_be_bytes(addr)),
            Self::EtherType(port, ethertype) => {
                ETHER_TYPE | u64::from(port.0) << 16 | u64::from(ethertype)
            }
        }
    }
}

fn local(protocol: u8, addr: [u8; 4], port: u16) -> u64 {
    let addr = u64::from(u32::from_be_bytes(addr));
    LOCAL | u64::from(protocol) << 48 | addr << 16 | u64::from(port)
}

/// One line of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    key: u64,
    channel: ChannelId,
}

impl Rule {
    /// What a channel wants.
    pub fn new(want: Want, channel: ChannelId) -> Self {
        Self {
            key: want.key(),
            channel,
        }
    }

    /// Who wants it.
    pub fn channel(&self) -> ChannelId {
        self.channel
    }

    /// The key of a packet that it is about, if that is an address and port.
    fn local(&self) -> Option<Key> {
        let [kind, protocol, a, b, c, d, high, low] = self.key.to_be_bytes();
        let dest = ([a, b, c, d], u16::from_be_bytes([high, low]));
        let is_local = u64::from(kind) << KIND == LOCAL;
        is_local.then(|| Key::new(protocol, Default::default(), dest))
    }

    /// Whether it is about what one port receives.
    pub fn is_of(&self, port: PortId) -> bool {
        match self.key >> KIND << KIND {
            PORT => self.key & 0xffff == u64::from(port.0),
            ETHER_TYPE => self.key >> 16 & 0xffff == u64::from(port.0),
            _ => false,
        }
    }
}

/// Puts rules in order for [`Wants::new`]: quickly if all but the last ones are. False if two channels
/// want the same.
pub fn arrange(rules: &mut [Rule]) -> bool {
    for end in 1..rules.len() {
        let Some((last, before)) = rules.get(..=end).and_then(<[Rule]>::split_last) else {
            break;
        };
        let place = before.partition_point(|rule| rule.key <= last.key);
        if let Some(behind) = rules.get_mut(place..=end) {
            behind.rotate_right(1);
        }
    }
    rules
        .windows(2)
        .all(|pair| !matches!(pair, [a, b] if a.key == b.key))
}

/// A bit for each 4096th of all addresses and ports, set if a rule is about one of those.
#[derive(Debug)]
pub struct Sieve([u64; 64]);

impl Sieve {
    /// That of no rule.
    const EMPTY: &'static Self = &Self([0; 64]);

    /// That of a list.
    pub fn of(rules: &[Rule]) -> Self {
        let mut sieve = Self([0; 64]);
        for key in rules.iter().filter_map(Rule::local) {
            let (word, bit) = Self::place(key);
            if let Some(word) = sieve.0.get_mut(word) {
                *word |= bit;
            }
        }
        sieve
    }

    /// The word and the bit of a packet.
    #[inline(always)]
    fn place(key: Key) -> (usize, u64) {
        let hash = key.dest_word().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // The upper bits of the product are the best ones.
        (
            (hash >> 58) as usize,
            1u64.wrapping_shl((hash >> 52) as u32),
        )
    }

    #[inline(always)]
    fn may_have(&self, key: Key) -> bool {
        let (word, bit) = Self::place(key);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// What all channels of a switch want.
#[derive(Clone, Copy, Debug)]
pub struct Wants<'a> {
    /// In the order of [`arrange`].
    rules: &'a [Rule],
    sieve: &'a Sieve,
}

impl<'a> Wants<'a> {
    /// A list that [`arrange`] has put in order, and its sieve.
    pub fn new(rules: &'a [Rule], sieve: &'a Sieve) -> Self {
        Self { rules, sieve }
    }

    /// Nothing.
    #[inline(always)]
    pub fn none() -> Self {
        Self::new(&[], Sieve::EMPTY)
    }

    /// Whether nothing is wanted.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn find(&self, key: u64) -> Option<ChannelId> {
        let at = self.rules.binary_search_by_key(&key, |rule| rule.key);
        Some(self.rules.get(at.ok()?)?.channel)
    }

    /// Who wants all that a port receives.
    pub fn port(&self, port: PortId) -> Option<ChannelId> {
        self.find(Want::Port(port).key())
    }

    /// Whether [`Wants::local`] may know who wants a packet of a flow.
    #[inline(always)]
    pub(in super::super) fn may_be_local(&self, key: Key) -> bool {
        !self.is_empty() && self.sieve.may_have(key)
    }

    /// Who wants a packet of a flow, whatever connections there are.
    pub(in super::super) fn local(&self, key: Key) -> Option<ChannelId> {
        let (addr, port) = key.dest();
        self.find(local(key.protocol(), addr, port))
    }

    /// Who wants a packet of a flow that is no connection's, and that [`Wants::local`] is not about.
    pub(in super::super) fn flow(&self, key: Key) -> Option<ChannelId> {
        self.find(Want::Address(key.dest().0).key())
    }

    /// Who wants a frame that is no packet of a flow.
    pub fn other(&self, port: PortId, head: &[u8]) -> Option<ChannelId> {
        let (eth, rest) = head.split_first_chunk::<ETH_HLEN>()?;
        let ethertype = ethernet::h_proto(eth);
        let ip = rest
            .first_chunk::<IP_HLEN>()
            .filter(|_| ethertype == ETH_P_IP);
        ip.and_then(|ip| self.find(Want::Address(ipv4::daddr(ip)).key()))
            .or_else(|| self.find(Want::EtherType(port, ethertype).key()))
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_wants))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::{packet, CLIENT, SERVER, VIP};
    use super::super::super::wire::ipv4::{IPPROTO_TCP, IPPROTO_UDP};
    use super::*;

    #[test]
    fn the_closest_want_is_taken() {
        let to = |protocol, port| Want::Local {
            protocol,
            addr: VIP.0,
            port,
        };
        let [one, two, three, four] = [1, 2, 3, 4].map(ChannelId);
        let mut rules = [
            Rule::new(Want::EtherType(PortId(1), 0x88cc), four),
            Rule::new(Want::Address(VIP.0), two),
            Rule::new(Want::Port(PortId(3)), three),
            Rule::new(to(IPPROTO_UDP, VIP.1), one),
        ];
        assert!(arrange(&mut rules));
        let sieve = Sieve::of(&rules);
        let wants = Wants::new(&rules, &sieve);
        let of = |protocol, to| {
            let key = Key::new(protocol, CLIENT, to);
            (wants.local(key), wants.flow(key))
        };
        assert_eq!(of(IPPROTO_UDP, VIP), (Some(one), Some(two)));
        assert_eq!(of(IPPROTO_TCP, VIP), (None, Some(two)));
        assert_eq!(of(IPPROTO_UDP, SERVER), (None, None));
        // Some whose bit nobody has set, and some whose bit is set by another one.
        let mut passed: u32 = 0;
        for port in 1..50_000 {
            let key = Key::new(IPPROTO_UDP, CLIENT, (VIP.0, port));
            let may_be = wants.may_be_local(key);
            passed = passed.wrapping_add(may_be.into());
            assert_eq!(wants.local(key), (port == VIP.1).then_some(one));
            assert!(may_be || port != VIP.1);
        }
        assert!((2..50).contains(&passed));
        assert_eq!(
            (wants.port(PortId(3)), wants.port(PortId(1))),
            (Some(three), None)
        );
        // ICMP to the address, and a frame of the type.
        let mut frame = packet(1, CLIENT, VIP, 0);
        assert_eq!(wants.other(PortId(1), &frame), Some(two));
        if let Some(ethertype) = frame.get_mut(12..14) {
            ethertype.copy_from_slice(&[0x88, 0xcc]);
        }
        assert_eq!(wants.other(PortId(1), &frame), Some(four));
        assert_eq!(wants.other(PortId(2), &frame), None);
        let short = frame.get(..13).unwrap_or_default();
        assert_eq!(wants.other(PortId(1), short), None);
    }

    #[test]
    fn no_two_channels_want_the_same() {
        let want = Want::Address(VIP.0);
        let mut rules = [
            Rule::new(want, ChannelId(1)),
            Rule::new(Want::Port(PortId(1)), ChannelId(1)),
            Rule::new(want, ChannelId(2)),
        ];
        assert!(!arrange(&mut rules));
        let fewer = rules.get_mut(..2).unwrap_or_default();
        assert!(arrange(fewer) && arrange(&mut []));
    }
}
