// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The data path: what happens to a burst of packets, on one screen.

use super::channel::wants::{ChannelId, Wants};
use super::config::view::View;
use super::connection::table::Connections;
use super::counters::sum::Loads;
use super::engine::{look_up, Engine, Packet, Scout};
use super::env::Atom;
use super::frame::{Burst, Frame, Origin};
use super::neighbour::Neighbours;
use super::round::Round;
use super::route::Routes;
use super::run::{Run, Ways};
use super::verdict::Verdict;

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
    /// What applications want to receive.
    pub wants: Wants<'a>,
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
/// Returns what becomes of all of them, if they leave by one port or are for one channel.
///
/// `now` is a monotonic clock in whole seconds, the same on all CPUs up to a second.
pub fn process_burst<A: Atom, B: Burst>(
    switch: &Switch<'_, A>,
    engine: &mut Engine<'_, A>,
    origin: Origin,
    now: u32,
    burst: &mut B,
) -> Option<Verdict> {
    let (mut round, packets) = Round::new(switch, engine, origin, now, burst.len());
    if let Some(channel) = round.whole_port() {
        let (verdict, bytes) = hand_over(&mut round, channel, burst);
        round.finish(burst.len(), bytes);
        return Some(verdict);
    }
    let (unknown, bytes) = read(round.scout(), &switch.connections, packets, burst);
    if unknown != 0 {
        look_up(packets, unknown, round.recent, &switch.connections);
    }
    let ways = pass(&mut round, packets, burst);
    round.finish(packets.len(), bytes);
    ways.one().filter(|_| packets.len() == burst.len())
}

/// An application wants all that the port receives: nothing of it is looked at.
#[cold]
fn hand_over<A: Atom, B: Burst>(
    round: &mut Round<'_, '_, '_, A>,
    channel: ChannelId,
    burst: &mut B,
) -> (Verdict, u64) {
    let (verdict, mut bytes) = (round.hand_over(channel, burst.len()), 0u64);
    burst.decide(::core::iter::repeat(()), |(), frame| {
        bytes = bytes.wrapping_add(u64::from(frame.len));
        verdict
    });
    (verdict, bytes)
}

/// Steps 202 and 204: takes each packet and reads its headers. Step 212: finds its connection, and
/// asks for the memory of that. Returns a bit for each packet whose connection is not remembered, and
/// the octets of all.
// Each loop has the registers for itself.
#[inline(never)]
fn read<A: Atom, B: Burst>(
    mut scout: Scout<'_>,
    connections: &Connections<'_, A>,
    packets: &mut [Packet],
    burst: &mut B,
) -> (u64, u64) {
    let mut bytes = 0u64;
    for (nth, (packet, frame)) in packets.iter_mut().zip(burst.frames()).enumerate() {
        bytes = bytes.wrapping_add(u64::from(frame.len));
        scout.read(nth, packet, &frame, connections);
    }
    (scout.unknown(), bytes)
}

/// Steps 206 to 224: a packet of a known connection is rewritten (220); for any other one it is
/// decided whether it is for a service (206), refused (208), or given a backend (210 to 218).
#[inline(never)]
fn pass<A: Atom, B: Burst>(
    round: &mut Round<'_, '_, '_, A>,
    packets: &[Packet],
    burst: &mut B,
) -> Ways {
    let mut run = Run::default();
    burst.decide(packets.iter(), |packet, frame| {
        let head = frame.head;
        let shown = Frame {
            head: &mut *head,
            ..frame
        };
        match round.express(packet, shown, &mut run) {
            Some(verdict) => verdict,
            None => {
                if run.is_known() {
                    round.end(&mut run);
                }
                let first = run.head_of(packet);
                let verdict = match first.wanted() {
                    Some(channel) => round.hand_over(channel, 1),
                    None => {
                        let packet = packet.of_flow(first);
                        // In parts, so that the frame need not be in memory for those above.
                        let checksum = (frame.checksum, frame.segment_len);
                        round.decide(&packet, head, frame.len, checksum)
                    }
                };
                run.ways.add(verdict);
                verdict
            }
        }
    });
    round.end(&mut run);
    run.ways
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_pipeline))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::config::ServiceOptions;
    use super::super::engine::{EngineState, Scratch};
    use super::super::fake::{
        frame, packet, service_key, Counters, Half, Table, TestAtom, CLIENT, MAC, PEER, SERVER, VIP,
    };
    use super::super::frame::{Frame, PortId, MAX_PORTS};
    use super::super::neighbour::Slot;
    use super::super::route::{Hop, PortInfo, Range};
    use super::super::verdict::DropReason;
    use super::super::wire::tcp::{ACK, SYN};
    use super::*;

    /// A burst of four frames.
    struct Four {
        frames: [[u8; 64]; 4],
        verdicts: [Option<Verdict>; 4],
    }

    impl Burst for Four {
        fn len(&self) -> usize {
            self.frames.len()
        }

        fn frames(&mut self) -> impl Iterator<Item = Frame<'_>> {
            self.frames.iter_mut().map(|head| frame(head))
        }

        fn decide<T>(
            &mut self,
            notes: impl Iterator<Item = T>,
            mut decide: impl FnMut(T, Frame<'_>) -> Verdict,
        ) {
            let places = self.verdicts.iter_mut().zip(self.frames.iter_mut());
            for ((place, head), note) in places.zip(notes) {
                *place = Some(decide(note, frame(head)));
            }
        }
    }

    #[test]
    fn one_burst() {
        let (mut half, before, counters) = (Half::default(), Half::default(), Counters::default());
        let mut change = half.lend();
        change.begin(&before.view(), 1);
        assert!(change
            .service_add(service_key(6), ServiceOptions::default())
            .is_ok());
        assert!(change
            .backend_add(service_key(6), SERVER.0, SERVER.1, 1)
            .is_ok());
        assert!(change.finish(&before.view()).is_ok());

        let mut ports = [PortInfo::default(); MAX_PORTS];
        ports[0] = PortInfo::new(MAC, 1500, true);
        let ranges = [Range {
            start: 0,
            hop: Hop::Direct(PortId(0)),
        }];
        let slots: [Slot<TestAtom>; 2] = Default::default();
        let (table, lane) = (Table::default(), counters.lane());
        let lanes = [lane];
        let switch = Switch {
            config: half.view(),
            routes: Routes {
                generation: 1,
                ranges: &ranges,
                ports: &ports,
            },
            neighbours: Neighbours { slots: &slots },
            connections: table.lend(),
            wants: Wants::none(),
            loads: &lanes.as_slice(),
        };
        assert!(switch.neighbours.set(PortId(0), SERVER.0, PEER));

        let mut burst = Four {
            frames: [
                packet(6, CLIENT, VIP, SYN),
                packet(6, SERVER, CLIENT, SYN | ACK),
                packet(17, CLIENT, VIP, 0),
                packet(6, CLIENT, SERVER, ACK),
            ],
            verdicts: [None; 4],
        };
        let (mut state, mut scratch) = (EngineState::default(), Scratch::default());
        let (positions, recent) = (&mut [0; 4], &mut []);
        let state = &mut state;
        let mut engine = Engine {
            lane,
            positions,
            recent,
            state,
            scratch: &mut scratch,
        };
        process_burst(&switch, &mut engine, Origin::Port(PortId(0)), 7, &mut burst);
        let expected = [
            Verdict::Forward(PortId(0)),
            Verdict::Resolve {
                port: PortId(0),
                addr: CLIENT.0,
            },
            Verdict::Drop(DropReason::NoService),
            Verdict::Stack,
        ];
        assert_eq!(burst.verdicts, expected.map(Some));
    }
}
