// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The data path: what happens to a burst of packets, on one screen.

use super::config::view::View;
use super::connection::table::Connections;
use super::counters::sum::Loads;
use super::engine::Engine;
use super::env::Atom;
use super::frame::{Burst, Origin};
use super::neighbour::Neighbours;
use super::round::Round;
use super::route::Routes;

/// The tables of a switch, the same for a whole burst.
pub struct Switch<'a, A> {
    /// The active half of the configuration table.
    pub config: View<'a>,
    /// The active half of the routing table.
    pub routes: Routes<'a>,
    /// The neighbours.
    pub neighbours: Neighbours<'a, A>,
    /// The connections.
    pub connections: Connections<'a, A>,
    /// The connections of each backend, for the scheduler `lc`.
    pub loads: &'a dyn Loads,
}

impl<A> Switch<'_, A> {
    /// A number that is the same exactly as long as configuration and routes are (but for tens of
    /// thousands of changes of both): what a connection remembers about them is valid while its
    /// stamp is this.
    #[inline]
    pub(super) fn stamp(&self) -> u32 {
        let config = (self.config.header.generation as u32).wrapping_mul(0x9e37_79b1);
        config.wrapping_add(self.routes.generation.wrapping_mul(0x85eb_ca77))
    }
}

/// Decides about the packets of a burst and rewrites them. The steps are those of seed figure 6.
///
/// `now` is a monotonic clock in whole seconds, the same on all CPUs up to a second.
pub fn process_burst<A: Atom, B: Burst>(
    switch: &Switch<'_, A>,
    engine: &mut Engine<'_, A>,
    origin: Origin,
    now: u32,
    burst: &mut B,
) {
    let connections = &switch.connections;
    let (mut round, packets, recent) = Round::new(switch, engine, origin, now, burst.len());
    let (filter, mut bytes) = (round.filter(), 0u64);

    // Steps 202 and 204: take each packet and read its headers; ask for the memory of the next step.
    for (i, packet) in packets.iter_mut().enumerate() {
        let frame = burst.frame(i);
        bytes = bytes.wrapping_add(u64::from(frame.len));
        packet.read(&filter, &frame, recent, connections);
    }
    // Step 212: look each one up in the connection table; ask for the entry that was found.
    for packet in packets.iter_mut() {
        packet.look_up(recent, connections);
    }
    // Steps 206 to 224: a packet of a known connection is rewritten (220); for any other one it is
    // decided whether it is for a service (206), refused (208), or given a backend (210 to 218).
    for (i, packet) in packets.iter().enumerate() {
        let verdict = match round.express(packet, burst.frame(i)) {
            Some(verdict) => verdict,
            None => round.decide(packet, &mut burst.frame(i)),
        };
        burst.verdict(i, verdict);
    }
    round.finish(packets.len(), bytes);
}
