// SPDX-License-Identifier: MIT OR Apache-2.0

//! The data path against a naive model: random traffic, time, and changes of the configuration.

#[path = "model/naive.rs"]
mod naive;
mod world;

use std::collections::BTreeMap;

use proptest::prelude::*;
use smplb_core::config::{Mode, Scheduler, ServiceKey, ServiceOptions};
use smplb_core::frame::PortId;
use smplb_core::limiter::Limiter;
use smplb_core::verdict::{DropReason, Verdict};

use naive::{Backend, Config, Fate, Flow, Naive, ACK, FIN, RST, SYN};
use world::packet::{checksums_hold, tuple, Packet};
use world::World;

const CAPACITY: usize = 12;

#[derive(Clone, Debug)]
enum Action {
    /// Packets of clients in one burst.
    Requests(Vec<(Flow, u8)>),
    /// A packet of a server: protocol, server, client, flags.
    Reply(u8, u8, u8, u8),
    Wait(u32),
    Sweep,
    ServicePut(u8, u8, Mode, u32, Scheduler),
    ServiceDel(u8, u8),
    BackendPut(u8, u8, u8, u16),
    BackendDel(u8, u8, u8),
    Neighbour(u8, bool),
    Reroute,
}

fn protocol() -> impl Strategy<Value = u8> {
    prop_oneof![Just(6), Just(17)]
}

fn flags() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => Just(SYN),
        4 => Just(ACK),
        3 => Just(SYN | ACK),
        2 => Just(FIN | ACK),
        1 => Just(RST),
        1 => any::<u8>(),
    ]
}

fn flow() -> impl Strategy<Value = Flow> {
    (protocol(), 0..6u8, 0..2u8)
}

fn action() -> impl Strategy<Value = Action> {
    let mode = || prop_oneof![3 => Just(Mode::Nat), 1 => Just(Mode::Dr)];
    let scheduler = prop_oneof![Just(Scheduler::Wrr), Just(Scheduler::Lc)];
    prop_oneof![
        20 => prop::collection::vec((flow(), flags()), 1..6).prop_map(Action::Requests),
        15 => (protocol(), 0..3u8, 0..6u8, flags())
            .prop_map(|(protocol, server, client, flags)| Action::Reply(protocol, server, client, flags)),
        4 => (1..200u32).prop_map(Action::Wait),
        4 => Just(Action::Sweep),
        2 => (protocol(), 0..2u8, mode(), 20..400u32, scheduler)
            .prop_map(|(protocol, vip, mode, timeout, lc)| Action::ServicePut(protocol, vip, mode, timeout, lc)),
        1 => (protocol(), 0..2u8).prop_map(|(protocol, vip)| Action::ServiceDel(protocol, vip)),
        4 => (protocol(), 0..2u8, 0..3u8, 0..4u16)
            .prop_map(|(protocol, vip, server, weight)| Action::BackendPut(protocol, vip, server, weight)),
        3 => (protocol(), 0..2u8, 0..3u8)
            .prop_map(|(protocol, vip, server)| Action::BackendDel(protocol, vip, server)),
        2 => (0..3u8, any::<bool>()).prop_map(|(server, known)| Action::Neighbour(server, known)),
        1 => Just(Action::Reroute),
    ]
}

fn vip(number: u8) -> ([u8; 4], u16) {
    ([192, 0, 2, 1 + number], 80)
}

fn client(number: u8) -> ([u8; 4], u16) {
    ([198, 51, 100, 1 + number], 5000)
}

fn server(number: u8) -> ([u8; 4], u16) {
    ([10, 0, 0, 1 + number], 80)
}

fn key(protocol: u8, number: u8) -> ServiceKey {
    ServiceKey {
        protocol,
        addr: vip(number).0,
        port: 80,
    }
}

struct Both {
    world: World,
    naive: Naive,
    known: [bool; 3],
}

impl Both {
    fn new() -> Self {
        let mut world = World::small(CAPACITY);
        world.engine.state.limiter = Limiter::new(u32::MAX);
        let naive = Naive {
            capacity: CAPACITY,
            now: world.now,
            ..Naive::default()
        };
        Self {
            world,
            naive,
            known: [false; 3],
        }
    }

    fn run(&mut self, action: &Action) {
        match *action {
            Action::Requests(ref packets) => self.requests(packets),
            Action::Reply(protocol, from, to, flags) => self.reply(protocol, from, to, flags),
            Action::Wait(seconds) => {
                self.world.now += seconds;
                self.naive.now += seconds;
            }
            Action::Sweep => {
                self.world.sweep();
                self.naive.sweep();
            }
            Action::ServicePut(protocol, vip, mode, timeout, scheduler) => {
                let options = ServiceOptions {
                    mode: Some(mode),
                    timeout: Some(timeout),
                    scheduler: Some(scheduler),
                    announce: None,
                };
                let service = self.naive.services.entry((protocol, vip));
                let new = matches!(service, std::collections::btree_map::Entry::Vacant(_));
                let service = service.or_insert(Config {
                    mode,
                    timeout,
                    backends: BTreeMap::new(),
                });
                (service.mode, service.timeout) = (mode, timeout);
                let changed = self.world.change(|half| match new {
                    true => half.service_add(key(protocol, vip), options).map(|_| ()),
                    false => half.service_set(key(protocol, vip), options).map(|_| ()),
                });
                assert!(changed.is_ok());
            }
            Action::ServiceDel(protocol, vip) => {
                let there = self.naive.services.remove(&(protocol, vip)).is_some();
                let deleted = self
                    .world
                    .change(|half| half.service_del(key(protocol, vip)));
                assert_eq!(deleted.is_ok(), there);
            }
            Action::BackendPut(protocol, vip, number, weight) => {
                let Some(service) = self.naive.services.get_mut(&(protocol, vip)) else {
                    return;
                };
                let new = !service.backends.contains_key(&number);
                self.naive.next_id += 1;
                let id = self.naive.next_id;
                service
                    .backends
                    .entry(number)
                    .or_insert(Backend { id, weight })
                    .weight = weight;
                let (service, (addr, port)) = (key(protocol, vip), server(number));
                let put = self.world.change(|half| match new {
                    true => half
                        .backend_add(service, addr, port, weight.into())
                        .map(|_| ()),
                    false => half
                        .backend_set(service, addr, port, weight.into())
                        .map(|_| ()),
                });
                assert!(put.is_ok());
            }
            Action::BackendDel(protocol, vip, number) => {
                let service = self.naive.services.get_mut(&(protocol, vip));
                let there =
                    service.is_some_and(|service| service.backends.remove(&number).is_some());
                let (service, (addr, port)) = (key(protocol, vip), server(number));
                let deleted = self
                    .world
                    .change(|half| half.backend_del(service, addr, port));
                assert_eq!(deleted.is_ok(), there);
            }
            Action::Neighbour(number, known) => {
                self.known[usize::from(number)] = known;
                let (addr, neighbours) = (server(number).0, self.world.neighbours());
                match known {
                    true => assert!(neighbours.set(PortId(1), addr, [2, 0, 0, 0, 0xbb, number])),
                    false => drop(neighbours.invalidate(PortId(1), addr)),
                }
            }
            Action::Reroute => self.world.publish_routes(),
        }
        self.compare_tables();
    }

    fn requests(&mut self, packets: &[(Flow, u8)]) {
        let frame = |((protocol, from, to), flags): (Flow, u8)| {
            Packet {
                flags,
                ..Packet::new(protocol, client(from), vip(to))
            }
            .payload(&[7; 20])
            .frame()
        };
        let frames: Vec<_> = packets.iter().map(|packet| frame(*packet)).collect();
        let results = self.world.burst(&frames);
        for (((flow, flags), before), (verdict, after)) in packets.iter().zip(&frames).zip(results)
        {
            let flags = if flow.0 == 6 { *flags } else { 0 };
            let fate = match self.naive.request(*flow, flags) {
                Fate::Choice => self.choice(*flow, verdict, &after),
                fate => fate,
            };
            match fate {
                Fate::Server(number) => self.check_request(*flow, number, verdict, &after),
                Fate::Stack => assert_eq!((verdict, &after), (Verdict::Stack, before)),
                Fate::Reset(_) => assert_eq!(verdict, Verdict::Reply { len: 54 }),
                Fate::Drop(reason) => assert_eq!(verdict, Verdict::Drop(reason)),
                fate => unreachable!("{fate:?}"),
            }
        }
    }

    /// A new connection: takes over the choice of the switch, if it is a possible one.
    fn choice(&mut self, flow: Flow, verdict: Verdict, after: &[u8]) -> Fate {
        let (free, conflict) = self.naive.candidates(flow);
        if verdict == Verdict::Drop(DropReason::TupleConflict) {
            assert!(conflict);
            return Fate::Drop(DropReason::TupleConflict);
        }
        let direct = self.naive.services[&(flow.0, flow.2)].mode == Mode::Dr;
        let number = match verdict {
            Verdict::Resolve { addr, .. } => addr[3] - 1,
            _ if direct => after[5],
            _ => tuple(after).1 .0[3] - 1,
        };
        assert!(free.contains(&number), "{number} of {free:?}: {verdict:?}");
        self.naive.chosen(flow, number);
        Fate::Server(number)
    }

    fn check_request(&self, flow: Flow, number: u8, verdict: Verdict, after: &[u8]) {
        let mode = self.naive.connections[&flow].mode;
        let to = if mode == Mode::Dr {
            vip(flow.2)
        } else {
            server(number)
        };
        assert_eq!(tuple(after), (client(flow.1), to));
        assert!(checksums_hold(after));
        let addr = server(number).0;
        if self.known[usize::from(number)] {
            assert_eq!(verdict, Verdict::Forward(PortId(1)));
            assert_eq!(after[..6], [2, 0, 0, 0, 0xbb, number]);
        } else {
            assert_eq!(
                verdict,
                Verdict::Resolve {
                    port: PortId(1),
                    addr
                }
            );
        }
    }

    fn reply(&mut self, protocol: u8, from: u8, to: u8, flags: u8) {
        let packet = Packet {
            flags,
            ..Packet::new(protocol, server(from), client(to))
        };
        let frame = packet.at(1).frame();
        let (verdict, after) = self.world.server(frame.clone());
        match self.naive.reply(protocol, from, to, flags) {
            Fate::Client(number, from) => {
                assert_eq!(verdict, Verdict::Forward(PortId(0)));
                assert_eq!(tuple(&after), (vip(from), client(number)));
                assert!(checksums_hold(&after));
            }
            Fate::Stack => assert_eq!((verdict, after), (Verdict::Stack, frame)),
            Fate::Drop(reason) => assert_eq!(verdict, Verdict::Drop(reason)),
            fate => unreachable!("{fate:?}"),
        }
    }

    /// The connections listed are those of the model.
    fn compare_tables(&self) {
        let mut listed: Vec<_> = self
            .world
            .list()
            .into_iter()
            .map(|made| {
                let flow = (made.protocol, made.client.0[3] - 1, made.vip.0[3] - 1);
                (
                    flow,
                    made.to.0[3] - 1,
                    made.state as u8,
                    made.mode == Mode::Dr,
                )
            })
            .collect();
        let mut expected: Vec<_> = self
            .naive
            .connections
            .iter()
            .map(|(flow, made)| (*flow, made.server, made.state as u8, made.mode == Mode::Dr))
            .collect();
        listed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(listed, expected);
        let count = smplb_core::counters::sum::connections(self.world.lanes());
        assert_eq!(count, expected.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_switch_does_what_the_model_does(actions in prop::collection::vec(action(), 1..120)) {
        let mut both = Both::new();
        for (protocol, vip) in [(6, 0), (17, 0), (17, 1)] {
            both.run(&Action::ServicePut(protocol, vip, Mode::Nat, 100, Scheduler::Wrr));
            both.run(&Action::BackendPut(protocol, vip, vip, 1));
            both.run(&Action::Neighbour(vip, true));
        }
        for action in &actions {
            both.run(action);
        }
    }
}
