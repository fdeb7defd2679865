// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Packets of one connection that follow each other in a burst.

use super::connection::entry::{Entry, Rewrite};
use super::engine::{Packet, SAME};
use super::verdict::Verdict;

/// How the packets of a burst leave, as far as they have been decided about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Ways {
    #[default]
    None,
    /// All in this way: by a port, or to a channel.
    One(Verdict),
    Several,
}

impl Ways {
    /// One more packet.
    #[inline]
    pub(super) fn add(&mut self, verdict: Verdict) {
        *self = match (*self, verdict) {
            (Self::None, Verdict::Forward(_) | Verdict::Channel(_)) => Self::One(verdict),
            (Self::One(one), _) if is_same(one, verdict) => Self::One(one),
            _ => Self::Several,
        };
    }

    /// The way of all packets.
    pub(super) fn one(self) -> Option<Verdict> {
        match self {
            Self::One(verdict) => Some(verdict),
            _ => None,
        }
    }
}

/// Whether both say that packets leave by one port, or are for one channel. Less than `==` does.
#[inline(always)]
fn is_same(one: Verdict, other: Verdict) -> bool {
    match (one, other) {
        (Verdict::Forward(one), Verdict::Forward(other)) => one == other,
        (Verdict::Channel(one), Verdict::Channel(other)) => one == other,
        _ => false,
    }
}

/// A connection about which there is nothing to think.
pub(super) struct Known<'s, A> {
    pub(super) entry: &'s Entry<A>,
    pub(super) version: u64,
    pub(super) is_reply: bool,
}

/// Where the packets of a connection go.
#[derive(Default)]
pub(super) struct Way {
    pub(super) rewrite: Rewrite,
    /// The word of the next hop.
    pub(super) next: u64,
    /// [`ip_word`](super::route::PortInfo::ip_word) of the port.
    pub(super) source: u64,
    /// Octets of the longest frame that the port sends; 0 if it is not known where they go.
    pub(super) longest: u32,
}

/// Packets of one connection that follow each other: what is known of it is found once, and they are
/// counted together. A burst is one moment: a change that another engine makes meanwhile comes after
/// the run.
pub(super) struct Run<'p, 's, A> {
    /// The first of them.
    pub(super) head: Option<&'p Packet>,
    pub(super) known: Option<Known<'s, A>>,
    /// Where they go. Apart from what is known besides: that it is not known is a length of 0, which
    /// is asked for each of them anyway.
    pub(super) way: Way,
    /// How many of them there were,
    pub(super) packets: u64,
    /// and their octets.
    pub(super) bytes: u64,
    /// Of all packets of the burst.
    pub(super) ways: Ways,
}

impl<A> Default for Run<'_, '_, A> {
    fn default() -> Self {
        Self {
            head: None,
            known: None,
            way: Way::default(),
            packets: 0,
            bytes: 0,
            ways: Ways::None,
        }
    }
}

impl<'p, A> Run<'p, '_, A> {
    /// The first packet of the flow of a packet for which there is no short way.
    #[inline(always)]
    pub(super) fn head_of(&mut self, packet: &'p Packet) -> &'p Packet {
        if packet.flags & SAME == 0 {
            self.head = Some(packet);
        }
        self.head.unwrap_or(packet)
    }
}
