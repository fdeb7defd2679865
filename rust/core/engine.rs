// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What one engine keeps for one switch from burst to burst.

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

/// What the first look at a frame found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packet {
    /// Addresses, ports and protocol; protocol 0 if it is no packet of a flow.
    pub(super) key: Key,
    /// Hash of the key, if it was computed.
    pub(super) hash: u64,
    /// Entry that is likely its connection; 0 for none.
    pub(super) candidate: u32,
    /// [`Flow::flags`](super::filter::Flow::flags).
    pub(super) flags: u16,
}

impl Packet {
    /// Reads the headers of the frame.
    #[inline(always)]
    pub(super) fn read(&mut self, filter: &Filter, frame: &Frame<'_>) {
        match filter.flow(frame) {
            Some(flow) => {
                self.key = flow.key;
                self.flags = flow.flags;
            }
            None => *self = Self::default(),
        }
    }

    #[inline(always)]
    fn is_sought(&self) -> bool {
        self.candidate == 0 && self.key.protocol() != 0
    }

    /// The packet with the hash of its key.
    pub(super) fn hashed<A: Atom>(&self, connections: &Connections<'_, A>) -> Self {
        Self {
            hash: connections.secret.hash(self.key),
            ..*self
        }
    }

    /// Flags of the TCP segment.
    pub(super) fn tcp_flags(&self) -> u8 {
        self.flags as u8
    }
}

/// Finds for each packet the entry that is likely its connection, if the engine remembers it, and
/// asks for it. False if there is one that it does not remember: [`look_up`] finds that.
#[inline(always)]
pub(super) fn recall<A: Atom>(
    packets: &mut [Packet],
    recent: &[u64],
    connections: &Connections<'_, A>,
) -> bool {
    let Some(recent) = recent.first_chunk() else {
        packets.iter_mut().for_each(|packet| packet.candidate = 0);
        return false;
    };
    let mut unknown = 0u64;
    for packet in packets {
        packet.candidate = recent::recall(recent, Mark::of(packet.key));
        connections.prefetch_entry(packet.candidate);
        unknown = unknown.wrapping_add((packet.candidate == 0).into());
    }
    unknown == 0
}

/// Finds for each packet that the engine does not remember the entry that is likely its connection,
/// and asks for it.
#[inline(never)]
pub(super) fn look_up<A: Atom>(
    packets: &mut [Packet],
    recent: &mut [u64],
    connections: &Connections<'_, A>,
) {
    for packet in packets.iter_mut().filter(|packet| packet.is_sought()) {
        packet.hash = connections.secret.hash(packet.key);
        connections.prefetch_bucket(packet.hash);
    }
    for packet in packets.iter_mut().filter(|packet| packet.is_sought()) {
        packet.candidate = connections.candidate(packet.hash);
        connections.prefetch_entry(packet.candidate);
        recent::remember(recent, Mark::of(packet.key), packet.candidate);
    }
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
