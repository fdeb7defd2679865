// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What one engine keeps for one switch from burst to burst.

use super::bits;
use super::channel::wants::{ChannelId, Wants};
use super::connection::entry::Entry;
use super::connection::free::Free;
use super::connection::key::Key;
use super::connection::stash::Stash;
use super::connection::table::Connections;
use super::counters::Lane;
use super::env::Atom;
use super::filter::Filter;
use super::frame::{Frame, BURST};
use super::limiter::Limiter;
use super::recent::{self, Mark};

/// What the first look at a frame found; of a packet with [`SAME`] only the flags.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packet {
    /// Addresses, ports and protocol; protocol 0 if it is no packet of a flow.
    pub(super) key: Key,
    /// Hash of the key, if it was computed.
    pub(super) hash: u64,
    /// Entry that is likely its connection; 0 for none. With [`WANTED`] the channel that wants it.
    pub(super) candidate: u32,
    /// [`Flow::flags`](super::filter::Flow::flags).
    pub(super) flags: u16,
}

impl Packet {
    /// The packet with the hash of its key.
    pub(super) fn hashed<A: Atom>(&self, connections: &Connections<'_, A>) -> Self {
        Self {
            hash: connections.secret.hash(self.key),
            ..*self
        }
    }

    /// The channel that wants it, whatever connections there are.
    #[inline(always)]
    pub(super) fn wanted(&self) -> Option<ChannelId> {
        (self.flags & WANTED != 0).then_some(ChannelId(self.candidate as u16))
    }

    /// With what is known of its flow by the first packet of that.
    #[inline(always)]
    pub(super) fn of_flow(&self, first: &Self) -> Self {
        Self {
            flags: self.flags,
            ..*first
        }
    }

    /// Flags of the TCP segment.
    pub(super) fn tcp_flags(&self) -> u8 {
        self.flags as u8
    }
}

/// Flag of a packet of the same flow as the one before it, above those of TCP.
pub(super) const SAME: u16 = 0x100;

/// Flag of the first packet of a flow that a channel wants, whatever connections there are.
pub(super) const WANTED: u16 = 0x200;

/// The first look at the frames of a burst, one after another.
pub(super) struct Scout<'r> {
    filter: Filter,
    wants: Wants<'r>,
    recent: &'r [u64],
    /// Key of the frame before.
    last: Key,
    /// A bit for each flow whose connection the engine does not remember: that of the first packet.
    unknown: u64,
}

impl<'r> Scout<'r> {
    /// For a burst of frames that `filter` tells what they are, and that may be wanted.
    #[inline(always)]
    pub(super) fn new(filter: Filter, wants: Wants<'r>, recent: &'r [u64]) -> Self {
        Self {
            filter,
            wants,
            recent,
            last: Key::default(),
            unknown: 0,
        }
    }

    /// Reads the headers of the next frame, the `nth` of the burst. If the engine remembers the entry
    /// that is likely its connection, finds that, and asks for its memory.
    #[inline(always)]
    pub(super) fn read<A: Atom>(
        &mut self,
        nth: usize,
        packet: &mut Packet,
        frame: &Frame<'_>,
        connections: &Connections<'_, A>,
    ) {
        let Some(flow) = self.filter.flow(frame) else {
            *packet = Packet::default();
            self.last = Key::default();
            return;
        };
        if flow.key == self.last {
            packet.flags = flow.flags | SAME;
        } else {
            packet.flags = flow.flags;
            packet.key = flow.key;
            self.recall(packet, nth, connections);
        }
    }

    /// The first packet of a flow.
    // A call, so that the reading of headers has the registers for itself.
    #[inline(never)]
    fn recall<A: Atom>(
        &mut self,
        packet: &mut Packet,
        nth: usize,
        connections: &Connections<'_, A>,
    ) {
        self.last = packet.key;
        match self.wants.may_be_local(packet.key) {
            false => self.find(packet, nth, connections),
            true => self.claim(packet, nth, connections),
        }
    }

    /// Of a flow that a channel may want. Apart: most never come here.
    #[inline(never)]
    fn claim<A: Atom>(
        &mut self,
        packet: &mut Packet,
        nth: usize,
        connections: &Connections<'_, A>,
    ) {
        match self.wants.local(packet.key) {
            Some(channel) => {
                packet.flags |= WANTED;
                packet.candidate = channel.0.into();
            }
            None => self.find(packet, nth, connections),
        }
    }

    /// Of a flow that no channel wants.
    #[inline(always)]
    fn find<A: Atom>(&mut self, packet: &mut Packet, nth: usize, connections: &Connections<'_, A>) {
        packet.candidate = recent::recall(self.recent, Mark::of(packet.key));
        match packet.candidate {
            // No more than one packet for each bit comes.
            0 => self.unknown |= 1u64.wrapping_shl(nth as u32),
            candidate => connections.prefetch_entry(candidate),
        }
    }

    /// A bit for each flow whose connection the engine does not remember, that of the first packet.
    #[inline(always)]
    pub(super) fn unknown(&self) -> u64 {
        self.unknown
    }
}

/// Finds for each flow of `unknown` the entry that is likely its connection, and asks for it.
#[inline(never)]
pub(super) fn look_up<A: Atom>(
    packets: &mut [Packet],
    unknown: u64,
    recent: &mut [u64],
    connections: &Connections<'_, A>,
) {
    each(packets, unknown, |packet| {
        packet.hash = connections.secret.hash(packet.key);
        connections.prefetch_bucket(packet.hash);
    });
    each(packets, unknown, |packet| {
        packet.candidate = connections.candidate(packet.hash);
        connections.prefetch_entry(packet.candidate);
        recent::remember(recent, Mark::of(packet.key), packet.candidate);
    });
}

/// Visits the packets whose bits are in `which`.
#[inline(always)]
fn each(packets: &mut [Packet], which: u64, mut visit: impl FnMut(&mut Packet)) {
    bits::each(which, |nth| {
        if let Some(packet) = packets.get_mut(nth as usize) {
            visit(packet);
        }
    });
}

/// Room for the packets of one burst. One serves all switches of an engine; it needs no clearing.
#[derive(Clone, Copy, Debug)]
pub struct Scratch(pub(super) [Packet; BURST]);

impl Default for Scratch {
    fn default() -> Self {
        Self([Packet::default(); BURST])
    }
}

/// Plain data of one engine in one switch.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineState {
    /// Free pairs of connection entries in hand.
    pub stash: Stash,
    /// Limit of resets and ICMP errors.
    pub limiter: Limiter,
}

impl EngineState {
    /// Gives back what the engine holds of the common tables: when it stops.
    pub fn release<A: Atom>(&mut self, free: &Free<A>, entries: &[Entry<A>]) {
        self.stash.release(free, entries);
    }
}

/// One engine in one switch, as the shell lends it for a burst.
#[derive(Debug)]
pub struct Engine<'a, A> {
    /// The engine's own counters.
    pub lane: Lane<'a, A>,
    /// Its place in the slot list of each service, [`MAX_SERVICES`](super::config::MAX_SERVICES)
    /// elements. Starting from different numbers keeps engines from choosing the same backends at
    /// the same time.
    pub positions: &'a mut [u32],
    /// Its memory of recent flows, [`RECENT_LEN`](recent::RECENT_LEN) elements, at first 0.
    pub recent: &'a mut [u64],
    /// Its plain data.
    pub state: &'a mut EngineState,
    /// Room for a burst.
    pub scratch: &'a mut Scratch,
}
