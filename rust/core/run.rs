// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Packets of one connection that follow each other in a burst.

use super::channel::wants::ChannelId;
use super::connection::entry::{Entry, Rewrite};
use super::engine::{Packet, SAME};
use super::frame::PortId;
use super::verdict::Verdict;

/// How the packets of a burst leave, as far as they have been decided about: one word, as there is one
/// more for each flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways(u32);

impl Ways {
    /// There are none yet,
    pub(super) const NONE: Self = Self(u32::MAX);
    /// or several. What else there is is one port, or, with this flag, one channel.
    const SEVERAL: u32 = u32::MAX - 1;
    const CHANNEL: u32 = 1 << 16;

    /// One more packet.
    #[inline(always)]
    pub(super) fn add(&mut self, verdict: Verdict) {
        let way = match verdict {
            Verdict::Forward(PortId(port)) => u32::from(port),
            Verdict::Channel(ChannelId(channel)) => Self::CHANNEL | u32::from(channel),
            _ => Self::SEVERAL,
        };
        self.0 = match self.0 == way || self.0 == Self::NONE.0 {
            true => way,
            false => Self::SEVERAL,
        };
    }

    /// The way of all packets.
    pub(super) fn one(self) -> Option<Verdict> {
        match self.0 {
            Self::SEVERAL | u32::MAX => None,
            way if way & Self::CHANNEL != 0 => Some(Verdict::Channel(ChannelId(way as u16))),
            way => Some(Verdict::Forward(PortId(way as u16))),
        }
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
            ways: Ways::NONE,
        }
    }
}

impl<'p, A> Run<'p, '_, A> {
    /// Whether it is known where its packets go: then it is to be ended.
    #[inline(always)]
    pub(super) fn is_known(&self) -> bool {
        self.way.longest != 0
    }

    /// The first packet of the flow of a packet for which there is no short way.
    #[inline(always)]
    pub(super) fn head_of(&mut self, packet: &'p Packet) -> &'p Packet {
        if packet.flags & SAME == 0 {
            self.head = Some(packet);
        }
        self.head.unwrap_or(packet)
    }
}
