// SPDX-License-Identifier: MIT OR Apache-2.0

//! A shell for tests and benches: it owns the tables of a switch as the kernel module would.

#![allow(dead_code)]

mod memory;
pub mod packet;

use smplb_core::channel::wants::{Rule, Sieve, Wants};
use smplb_core::config::build::{HalfMut, Summary};
use smplb_core::config::error::ConfigError;
use smplb_core::config::view::View;
use smplb_core::config::{Mode, ServiceKey, ServiceOptions};
use smplb_core::connection::stash::Stash;
use smplb_core::connection::sweep::{ConnectionInfo, Swept};
use smplb_core::counters::sum::TotalsSum;
use smplb_core::counters::Lane;
use smplb_core::engine::Engine;
use smplb_core::frame::{Burst, Checksum, Frame, Origin, PortId, MAX_PORTS};
use smplb_core::neighbour::{Neighbours, Slot};
use smplb_core::pipeline::{process_burst, Switch};
use smplb_core::route::{flatten, Hop, PortInfo, Prefix, Range, Routes};
use smplb_core::verdict::{DropReason, Verdict};
use smplb_core::StdAtom;

use memory::many;
pub use memory::{EngineMemory, Half, LaneMemory, Table};

/// The service of [`World::with_service`].
pub const VIP: ([u8; 4], u16) = ([192, 0, 2, 1], 80);
/// A client beyond the gateway.
pub const CLIENT: ([u8; 4], u16) = ([198, 51, 100, 7], 40000);
/// The first server of [`World::with_service`]; the next ones follow.
pub const SERVER: [u8; 4] = [10, 0, 0, 1];

/// MAC address of a port.
pub fn mac(port: u16) -> [u8; 6] {
    [2, 0, 0, 0, 0xaa, port as u8]
}

/// A frame in a burst, and what became of it.
#[derive(Clone, Debug)]
pub struct Sent {
    pub frame: Vec<u8>,
    pub checksum: Checksum,
    pub segment_len: u32,
    pub verdict: Option<Verdict>,
}

impl From<Vec<u8>> for Sent {
    fn from(frame: Vec<u8>) -> Self {
        Self {
            frame,
            checksum: Checksum::Complete,
            segment_len: 0,
            verdict: None,
        }
    }
}

impl Sent {
    fn frame(&mut self) -> Frame<'_> {
        let len = self.frame.len() as u32;
        Frame {
            head: &mut self.frame,
            len,
            checksum: self.checksum,
            segment_len: self.segment_len,
        }
    }
}

/// A burst of frames in vectors.
pub struct Frames(pub Vec<Sent>);

impl Burst for Frames {
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    fn frames(&mut self) -> impl Iterator<Item = Frame<'_>> {
        self.0.iter_mut().map(Sent::frame)
    }

    #[inline(always)]
    fn decide<T>(
        &mut self,
        notes: impl Iterator<Item = T>,
        mut decide: impl FnMut(T, Frame<'_>) -> Verdict,
    ) {
        for (sent, note) in self.0.iter_mut().zip(notes) {
            let verdict = decide(note, sent.frame());
            assert!(
                sent.verdict.replace(verdict).is_none(),
                "two verdicts for one frame"
            );
        }
    }
}

/// A switch with one engine.
pub struct World {
    halves: [Half; 2],
    active: usize,
    generation: u64,
    pub prefixes: Vec<Prefix>,
    ranges: Vec<Range>,
    routes_generation: u32,
    pub ports: [PortInfo; MAX_PORTS],
    neighbours: Vec<Slot<StdAtom>>,
    pub table: Table,
    lanes: Vec<LaneMemory>,
    pub engine: EngineMemory,
    pub control: Stash,
    pub now: u32,
    /// What applications want, as `arrange` has it.
    pub rules: Vec<Rule>,
}

impl World {
    /// Two ports, 0 (clients, 192.0.2.0/24 and everything else by gateway 192.0.2.254) and 1 (servers, 10.0.0.0/24); room for
    /// that many connections.
    pub fn new(connections: usize) -> Self {
        let mut world = Self {
            halves: [Half::new(), Half::new()],
            active: 0,
            generation: 0,
            prefixes: vec![
                Prefix::new(0xc000_0200, 24, Hop::Direct(PortId(0))),
                Prefix::new(0x0a00_0000, 24, Hop::Direct(PortId(1))),
                Prefix::new(0, 0, Hop::Gateway(PortId(0), [192, 0, 2, 254])),
            ],
            ranges: Vec::new(),
            routes_generation: 0,
            ports: [PortInfo::default(); MAX_PORTS],
            neighbours: many(1024),
            table: Table::new(connections),
            lanes: (0..2).map(|_| LaneMemory::new()).collect(),
            engine: EngineMemory::new(),
            control: Stash::default(),
            now: 1000,
            rules: Vec::new(),
        };
        for port in 0..2 {
            world.ports[usize::from(port)] = PortInfo::new(mac(port), 1500, true);
        }
        world.publish_routes();
        world
            .neighbours()
            .set(PortId(0), [192, 0, 2, 254], [2, 0, 0, 0, 0xcc, 254]);
        world
    }

    /// The same with small halves of the configuration table.
    pub fn small(connections: usize) -> Self {
        Self {
            halves: [Half::small(), Half::small()],
            ..Self::new(connections)
        }
    }

    /// The service [`VIP`] with that many servers of equal weight, all of them neighbours on port 1.
    pub fn with_service(protocol: u8, mode: Mode, servers: u8) -> Self {
        let mut world = Self::new(64);
        let key = ServiceKey {
            protocol,
            addr: VIP.0,
            port: VIP.1,
        };
        let options = ServiceOptions {
            mode: Some(mode),
            ..ServiceOptions::default()
        };
        let built = world.change(|half| {
            half.service_add(key, options)?;
            for server in 0..servers {
                half.backend_add(key, [10, 0, 0, 1 + server], VIP.1, 1)?;
            }
            Ok(())
        });
        built.expect("a small configuration");
        for server in 1..=servers {
            let known =
                world
                    .neighbours()
                    .set(PortId(1), [10, 0, 0, server], [2, 0, 0, 0, 0xbb, server]);
            assert!(known);
        }
        world
    }

    /// Publishes prefixes and ports.
    pub fn publish_routes(&mut self) {
        let mut prefixes = self.prefixes.clone();
        let mut ranges = vec![Range::default(); prefixes.len() * 2 + 1];
        let len = flatten(&mut prefixes, &mut ranges).expect("there is room");
        ranges.truncate(len);
        self.ranges = ranges;
        self.routes_generation += 1;
    }

    pub fn neighbours(&self) -> Neighbours<'_, StdAtom> {
        Neighbours {
            slots: &self.neighbours,
        }
    }

    pub fn view(&self) -> View<'_> {
        self.halves[self.active].view()
    }

    pub fn lanes(&self) -> Vec<Lane<'_, StdAtom>> {
        self.lanes.iter().map(LaneMemory::lane).collect()
    }

    /// Publishes a new generation.
    pub fn change(
        &mut self,
        change: impl FnOnce(&mut HalfMut<'_>) -> Result<(), ConfigError>,
    ) -> Result<Summary, ConfigError> {
        let (left, right) = self.halves.split_at_mut(1);
        let (active, standby) = match self.active {
            0 => (&left[0], &mut right[0]),
            _ => (&right[0], &mut left[0]),
        };
        let mut half = standby.lend();
        half.begin(&active.view(), self.generation + 1);
        change(&mut half)?;
        let summary = half.finish(&active.view())?;
        self.generation += 1;
        self.active ^= 1;
        Ok(summary)
    }

    /// Makes the other half active again.
    pub fn roll_back(&mut self) {
        self.active ^= 1;
    }

    /// Lends the tables and the engine, as a shell does for a burst.
    pub fn lend<T>(
        &mut self,
        work: impl FnOnce(&Switch<'_, StdAtom>, &mut Engine<'_, StdAtom>, u32) -> T,
    ) -> T {
        let lanes: Vec<_> = self.lanes.iter().map(LaneMemory::lane).collect();
        let loads = lanes.as_slice();
        let sieve = Sieve::of(&self.rules);
        let switch = Switch {
            config: self.halves[self.active].view(),
            routes: Routes {
                generation: self.routes_generation,
                ranges: &self.ranges,
                ports: &self.ports,
            },
            neighbours: Neighbours {
                slots: &self.neighbours,
            },
            connections: self.table.lend(),
            wants: Wants::new(&self.rules, &sieve),
            loads: &loads,
        };
        let mut engine = Engine {
            lane: lanes[0],
            positions: &mut self.engine.positions,
            recent: &mut self.engine.recent,
            state: &mut self.engine.state,
            scratch: &mut self.engine.scratch,
        };
        work(&switch, &mut engine, self.now)
    }

    /// Runs a burst. What is told to become of all of it is what becomes of each.
    pub fn run(&mut self, origin: Origin, burst: &mut Frames) -> Option<Verdict> {
        let whole =
            self.lend(|switch, engine, now| process_burst(switch, engine, origin, now, burst));
        if whole.is_some() {
            assert!(burst.0.iter().all(|sent| sent.verdict == whole));
        }
        whole
    }

    /// Sends one frame through the switch.
    pub fn send(&mut self, origin: Origin, frame: impl Into<Sent>) -> (Verdict, Vec<u8>) {
        let mut burst = Frames(vec![frame.into()]);
        self.run(origin, &mut burst);
        let sent = burst.0.remove(0);
        (
            sent.verdict.expect("every frame gets a verdict"),
            sent.frame,
        )
    }

    /// A frame that port 0 received.
    pub fn client(&mut self, frame: impl Into<Sent>) -> (Verdict, Vec<u8>) {
        self.send(Origin::Port(PortId(0)), frame)
    }

    /// A frame that port 1 received.
    pub fn server(&mut self, frame: impl Into<Sent>) -> (Verdict, Vec<u8>) {
        self.send(Origin::Port(PortId(1)), frame)
    }

    /// Frames that port 0 received together.
    pub fn burst(&mut self, frames: &[Vec<u8>]) -> Vec<(Verdict, Vec<u8>)> {
        let mut burst = Frames(frames.iter().cloned().map(Sent::from).collect());
        self.run(Origin::Port(PortId(0)), &mut burst);
        let sent = burst.0.into_iter();
        sent.map(|sent| {
            (
                sent.verdict.expect("every frame gets a verdict"),
                sent.frame,
            )
        })
        .collect()
    }

    /// Packets that came to nothing for a reason.
    pub fn drops(&self, reason: DropReason) -> u64 {
        let mut sum = TotalsSum::default();
        self.lanes().iter().for_each(|lane| sum.add(lane));
        sum.drops[reason as usize]
    }

    /// Goes once over the whole connection table.
    pub fn sweep(&mut self) -> Swept {
        let view = self.halves[self.active].view();
        let mut cursor = 0;
        let budget = self.table.entries.len() as u32;
        let lane = self.lanes[1].lane();
        self.table.lend().sweep(
            &view,
            &lane,
            &mut self.control,
            self.now,
            &mut cursor,
            budget,
        )
    }

    pub fn list(&self) -> Vec<ConnectionInfo> {
        let mut cursor = 0;
        let table = self.table.lend();
        std::iter::from_fn(|| table.list(&self.view(), self.now, &mut cursor)).collect()
    }
}
