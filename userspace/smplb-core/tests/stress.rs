// SPDX-License-Identifier: MIT OR Apache-2.0

//! Many engines at once on one connection table, and on one switch.

mod world;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Barrier;

use smplb_core::config::{BackendId, Mode, ServiceId};
use smplb_core::connection::entry::Hit;
use smplb_core::connection::key::Key;
use smplb_core::connection::make::{NewConnection, Refused};
use smplb_core::connection::stash::Stash;
use smplb_core::connection::table::Connections;
use smplb_core::connection::tcp_state::State;
use smplb_core::engine::Engine;
use smplb_core::frame::{Origin, PortId};
use smplb_core::pipeline::process_burst;
use smplb_core::verdict::Verdict;
use smplb_core::wire::ipv4::{raw_daddr, raw_saddr};
use smplb_core::StdAtom;

use world::packet::{checksums_hold, tuple, Packet};
use world::{EngineMemory, Frames, LaneMemory, Sent, Table, World, SERVER, VIP};

const THREADS: u8 = 4;

/// A small generator of random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % end
    }
}

fn client(number: u16) -> ([u8; 4], u16) {
    let [high, low] = number.to_be_bytes();
    ([198, 51, high, low], 1000 + number % 7)
}

/// A connection whose every word follows from its client and its maker.
fn connection(table: &Connections<'_, StdAtom>, number: u16, maker: u8) -> NewConnection {
    let key = Key::new(6, client(number), VIP);
    NewConnection {
        key,
        hash: table.secret.hash(key),
        service: ServiceId(number % 1000),
        backend: BackendId(u16::from(maker)),
        epoch: u32::from(number),
        to: (
            [10, maker, client(number).0[2], client(number).0[3]],
            2000 + u16::from(maker),
        ),
        mode: if number % 3 == 0 { Mode::Dr } else { Mode::Nat },
        generation: 1,
        state: State::Established,
        now: 0,
    }
}

/// What was read of an entry belongs together.
fn check(hit: &Hit<'_, StdAtom>, number: u16) {
    let maker = hit.backend().0 as u8;
    let to = [10, maker, client(number).0[2], client(number).0[3]];
    assert_eq!(hit.service(), ServiceId(number % 1000));
    let (addrs, ports) = (hit.rewrite.addrs, hit.rewrite.ports.to_ne_bytes());
    let dport = u16::from_be_bytes([ports[2], ports[3]]);
    if hit.is_reply() {
        assert_eq!(
            (raw_saddr(addrs), raw_daddr(addrs)),
            (VIP.0, client(number).0)
        );
        assert_eq!(dport, client(number).1);
    } else if number % 3 == 0 {
        assert_eq!((raw_daddr(addrs), dport), VIP);
    } else {
        assert_eq!((raw_daddr(addrs), dport), (to, 2000 + u16::from(maker)));
    }
}

#[test]
fn the_table() {
    const ROUNDS: u64 = 60_000;
    let memory = Table::new(256);
    let (made, removed) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for maker in 0..THREADS {
            let (memory, made, removed) = (&memory, &made, &removed);
            scope.spawn(move || {
                let (table, mut stash) = (memory.lend(), Stash::default());
                let mut random = Random(0x1234_5678 + u64::from(maker));
                for _ in 0..ROUNDS {
                    let number = random.below(300) as u16;
                    let new = connection(&table, number, maker);
                    match random.below(8) {
                        0..=2 => match table.insert(&mut stash, &new) {
                            Ok(hit) => {
                                check(&hit, number);
                                made.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(Refused::Full | Refused::Exists) => {}
                            Err(Refused::Conflict) => panic!("replies are unique"),
                        },
                        3..=4 => {
                            if let Some(hit) = table.find(new.key, new.hash) {
                                check(&hit, number);
                                if table.remove(&mut stash, &hit) {
                                    removed.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        }
                        5 => {
                            let back = Key::new(6, new.to, client(number));
                            if let Some(hit) = table.find(back, table.secret.hash(back)) {
                                check(&hit, number);
                                if table.remove(&mut stash, &hit) {
                                    removed.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        }
                        6 => stash.release(table.free, table.entries),
                        _ => {
                            if let Some(hit) = table.find(new.key, new.hash) {
                                check(&hit, number);
                                table.segment(&hit, 0x11);
                                hit.set_hop(7, u32::from(number));
                                hit.touch(9);
                            }
                        }
                    }
                }
                stash.release(table.free, table.entries);
            });
        }
    });
    // What is left is what was made and not removed, each once.
    let world = World::new(1);
    let (table, mut stash, mut cursor) = (memory.lend(), Stash::default(), 0);
    let mut left = HashSet::new();
    while let Some(info) = table.list(&world.view(), 0, &mut cursor) {
        assert!(left.insert(info.client), "{:?} twice", info.client);
    }
    let expected = made.load(Ordering::Relaxed) - removed.load(Ordering::Relaxed);
    assert_eq!(left.len() as u32, expected);
    assert!(made.load(Ordering::Relaxed) > 10_000);
    for number in 0..300 {
        let key = Key::new(6, client(number), VIP);
        let hit = table.find(key, table.secret.hash(key));
        assert_eq!(hit.is_some(), left.contains(&client(number)));
        if let Some(hit) = hit {
            assert!(table.remove(&mut stash, &hit));
        }
    }
    // No pair was lost: the whole table can be filled again.
    stash.release(table.free, table.entries);
    for number in 1000..1256 {
        let inserted = table.insert(&mut stash, &connection(&table, number, 1));
        assert!(inserted.is_ok(), "{number}: {:?}", inserted.err());
    }
    let one_more = table.insert(&mut stash, &connection(&table, 2000, 1));
    assert_eq!(one_more.err(), Some(Refused::Full));
}

#[test]
fn one_key_is_made_once() {
    const ROUNDS: u16 = 2000;
    // Room for what the engines hold in hand.
    let memory = Table::new(64 * usize::from(THREADS));
    let barrier = Barrier::new(usize::from(THREADS));
    let winners = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for maker in 0..THREADS {
            let (memory, barrier, winners) = (&memory, &barrier, &winners);
            scope.spawn(move || {
                let (table, mut stash) = (memory.lend(), Stash::default());
                for round in 0..ROUNDS {
                    let new = connection(&table, round, maker);
                    barrier.wait();
                    let mine = table.insert(&mut stash, &new);
                    let hit = table.find(new.key, new.hash);
                    check(&hit.expect("someone made it"), round);
                    barrier.wait();
                    if let Ok(hit) = mine {
                        winners.fetch_add(1, Ordering::Relaxed);
                        assert!(table.remove(&mut stash, &hit));
                    }
                    stash.release(table.free, table.entries);
                    barrier.wait();
                    assert!(table.find(new.key, new.hash).is_none());
                }
            });
        }
    });
    assert_eq!(winners.load(Ordering::Relaxed), u32::from(ROUNDS));
}

#[test]
fn the_switch() {
    const ROUNDS: u64 = 4000;
    let mut world = World::with_service(17, Mode::Nat, 4);
    world.table = Table::new(100 + 64 * usize::from(THREADS));
    let lanes: Vec<LaneMemory> = (0..THREADS + 1).map(|_| LaneMemory::new()).collect();
    let lanes: Vec<_> = lanes.iter().map(LaneMemory::lane).collect();
    let (stop, forwarded) = (AtomicBool::new(false), AtomicU32::new(0));
    world.lend(|switch, _, _| {
        std::thread::scope(|scope| {
            let engines: Vec<_> = (0..THREADS)
                .map(|number| {
                    let (lane, forwarded) = (lanes[usize::from(number)], &forwarded);
                    scope.spawn(move || {
                        let mut memory = EngineMemory::new();
                        let mut random = Random(77 + u64::from(number));
                        for round in 0..ROUNDS {
                            let flows: Vec<u16> =
                                (0..16).map(|_| random.below(100) as u16).collect();
                            let requests = number % 2 == 0;
                            let port = PortId(u16::from(!requests));
                            let frames = flows.iter().map(|flow| match requests {
                                true => Packet::udp(client(*flow), VIP).frame(),
                                false => {
                                    let server = [10, 0, 0, 1 + (flow % 4) as u8];
                                    Packet::udp((server, 80), client(*flow)).at(1).frame()
                                }
                            });
                            let mut burst = Frames(frames.map(Sent::from).collect());
                            let mut engine = Engine {
                                lane,
                                positions: &mut memory.positions,
                                recent: &mut memory.recent,
                                state: &mut memory.state,
                                scratch: &mut memory.scratch,
                            };
                            let now = 1000 + round as u32 / 4;
                            process_burst(switch, &mut engine, Origin::Port(port), now, &mut burst);
                            for (flow, sent) in flows.iter().zip(&burst.0) {
                                let (from, to) = tuple(&sent.frame);
                                match (sent.verdict, requests) {
                                    (Some(Verdict::Forward(PortId(1))), true) => {
                                        assert_eq!((from, to.1), (client(*flow), 80));
                                        assert_eq!(to.0[..3], SERVER[..3]);
                                    }
                                    (Some(Verdict::Forward(PortId(0))), false) => {
                                        assert_eq!((from, to), (VIP, client(*flow)));
                                    }
                                    (Some(Verdict::Stack), false) => continue,
                                    (verdict, _) => panic!("{verdict:?}"),
                                }
                                assert!(checksums_hold(&sent.frame));
                                forwarded.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        memory
                            .state
                            .release(switch.connections.free, switch.connections.entries);
                    })
                })
                .collect();
            let (lane, stop) = (lanes[usize::from(THREADS)], &stop);
            scope.spawn(move || {
                // The control CPU forgets far too early, and lists all the while.
                let (mut stash, mut cursor, mut now) = (Stash::default(), 0, 1000u32);
                while !stop.load(Ordering::Relaxed) {
                    now += 1;
                    let view = &switch.config;
                    switch
                        .connections
                        .sweep(view, &lane, &mut stash, now + 500, &mut cursor, 64);
                    let mut place = 0;
                    while let Some(info) = switch.connections.list(view, now, &mut place) {
                        assert_eq!((info.vip, info.to.1), (VIP, 80));
                    }
                    std::thread::yield_now();
                }
            });
            let failed = engines
                .into_iter()
                .filter_map(|engine| engine.join().err())
                .count();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(failed, 0);
        });
        let mut cursor = 0;
        let list = std::iter::from_fn(|| switch.connections.list(&switch.config, 0, &mut cursor));
        let clients: Vec<_> = list.map(|info| info.client).collect();
        let unique: HashSet<_> = clients.iter().collect();
        assert_eq!(unique.len(), clients.len());
        assert_eq!(
            smplb_core::counters::sum::connections(lanes.iter().copied()),
            clients.len() as u64
        );
    });
    assert!(forwarded.load(Ordering::Relaxed) > 50_000);
}
