// SPDX-License-Identifier: MIT OR Apache-2.0

//! What several CPUs touch at once, in every order that the memory model allows (loom).

mod loom_atom;

use std::collections::HashSet;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::Arc;
use loom::thread;

use smplb_core::channel::bells::{Bells, WORDS};
use smplb_core::config::{BackendId, Mode, ServiceId};
use smplb_core::connection::bucket::Bucket;
use smplb_core::connection::entry::Entry;
use smplb_core::connection::free::Free;
use smplb_core::connection::key::{Key, Secret};
use smplb_core::connection::make::NewConnection;
use smplb_core::connection::stash::Stash;
use smplb_core::connection::table::Connections;
use smplb_core::connection::tcp_state::State;
use smplb_core::env::Atom;
use smplb_core::ring::{Consumer, Index, Producer};
use smplb_core::wire::ipv4::raw_daddr;

use loom_atom::LoomAtom;

struct LoomIndex(AtomicU32);

impl Index for LoomIndex {
    fn load_acquire(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    fn store_release(&self, value: u32) {
        self.0.store(value, Ordering::Release);
    }
}

/// A ring as its owner has it: counters and cells.
struct Shared {
    produced: LoomIndex,
    consumed: LoomIndex,
    cells: [UnsafeCell<u32>; 2],
}

// SAFETY: The cells are touched only as the spans of the two ends of the ring allow; loom checks it.
unsafe impl Sync for Shared {}

/// What was put on a ring before its bell rang is seen by who answers; no bell is lost when another
/// one of the same word rings at the same time.
#[test]
fn no_doorbell_is_lost() {
    model(3, || {
        let words: Arc<Vec<LoomAtom>> = Arc::new((0..WORDS).map(|_| LoomAtom::new(0)).collect());
        let rings = Arc::new([LoomAtom::new(0), LoomAtom::new(0)]);
        let ringing = [0, 1].map(|channel| {
            let (words, rings) = (Arc::clone(&words), Arc::clone(&rings));
            thread::spawn(move || {
                rings[usize::from(channel)].store(1);
                Bells::new(&words).unwrap().ring(channel);
            })
        });
        let bells = Bells::new(&words).unwrap();
        let mut served = [0; 2];
        let mut answer = || {
            bells.answer(0, |channel| {
                assert_eq!(rings[usize::from(channel)].load(), 1);
                served[usize::from(channel)] += 1;
            });
        };
        answer();
        for thread in ringing {
            thread.join().unwrap();
        }
        answer();
        assert_eq!(served, [1, 1]);
    });
}

#[test]
fn a_ring_hands_over_every_element_once() {
    model(3, || {
        let shared = Arc::new(Shared {
            produced: LoomIndex(AtomicU32::new(0)),
            consumed: LoomIndex(AtomicU32::new(0)),
            cells: [UnsafeCell::new(0), UnsafeCell::new(0)],
        });
        let peer = Arc::clone(&shared);
        let producing = thread::spawn(move || {
            let mut end = Producer::new(&peer.produced, &peer.consumed, 2).unwrap();
            let mut next = 1;
            while next <= 3 {
                let span = end.reserve(4 - next).unwrap();
                for position in span.positions() {
                    // SAFETY: The position belongs to this end until it is published.
                    peer.cells[position].with_mut(|cell| unsafe { *cell = next });
                    next += 1;
                }
                end.publish(span.len());
                thread::yield_now();
            }
        });
        let mut end = Consumer::new(&shared.produced, &shared.consumed, 2).unwrap();
        let mut expected = 1;
        while expected <= 3 {
            let span = end.available(2).unwrap();
            for position in span.positions() {
                // SAFETY: The position belongs to this end until it is released.
                let value = shared.cells[position].with(|cell| unsafe { *cell });
                assert_eq!(value, expected);
                expected += 1;
            }
            end.release(span.len());
            thread::yield_now();
        }
        producing.join().unwrap();
    });
}

/// A connection table with room for a few connections.
struct Table {
    buckets: Vec<Bucket<LoomAtom>>,
    entries: Vec<Entry<LoomAtom>>,
    free: Free<LoomAtom>,
}

impl Table {
    fn new(connections: usize) -> Self {
        Self {
            buckets: (0..2).map(|_| Bucket::default()).collect(),
            entries: (0..connections * 2 + 2).map(|_| Entry::default()).collect(),
            free: Free::default(),
        }
    }

    fn lend(&self) -> Connections<'_, LoomAtom> {
        Connections {
            buckets: &self.buckets,
            entries: &self.entries,
            free: &self.free,
            secret: Secret::new([1, 2]),
        }
    }
}

/// A connection of a client to a server.
fn connection(table: &Connections<'_, LoomAtom>, client: u8, server: u8) -> NewConnection {
    let key = Key::new(17, ([198, 51, 100, client], 1000), ([192, 0, 2, 1], 80));
    NewConnection {
        key,
        hash: table.secret.hash(key),
        service: ServiceId(0),
        backend: BackendId(u16::from(server)),
        epoch: 1,
        to: ([10, 0, 0, server], 80),
        mode: Mode::Dr,
        generation: 1,
        state: State::Established,
        now: 0,
    }
}

fn model(preemptions: usize, run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(run);
}

/// Reads entry `index` with the key it has for this server, while the only pair is given from a
/// connection with server 1 to another one of the same client with server 2.
fn read_during_a_change(index: u32, server: u8) {
    model(2, move || {
        let table = Arc::new(Table::new(1));
        let mut stash = Stash::default();
        let lent = table.lend();
        let new = NewConnection {
            mode: Mode::Nat,
            ..connection(&lent, 1, 1)
        };
        assert!(lent.insert(&mut stash, &new).is_ok());
        let reader = Arc::clone(&table);
        let reading = thread::spawn(move || {
            let lent = reader.lend();
            let new = connection(&lent, 1, server);
            let key = match index {
                2 => new.key,
                _ => Key::new(17, new.to, new.key.source()),
            };
            let Some(hit) = lent.read(index, key) else {
                return;
            };
            // What was read belongs to the backend of the version that was read.
            match index {
                2 => assert_eq!(
                    raw_daddr(hit.rewrite.addrs),
                    [10, 0, 0, hit.backend().0 as u8]
                ),
                _ => assert_eq!(hit.backend(), BackendId(u16::from(server))),
            }
        });
        let hit = lent.find(new.key, new.hash).unwrap();
        assert!(lent.remove(&mut stash, &hit));
        let other = NewConnection {
            mode: Mode::Nat,
            ..connection(&lent, 1, 2)
        };
        assert!(lent.insert(&mut stash, &other).is_ok());
        reading.join().unwrap();
    });
}

#[test]
fn a_reader_never_sees_half_an_entry() {
    read_during_a_change(2, 1);
}

#[test]
fn nor_half_a_reply_entry() {
    read_during_a_change(3, 1);
    read_during_a_change(3, 2);
}

#[test]
fn two_engines_make_one_connection() {
    model(2, || {
        let table = Arc::new(Table::new(64));
        let peer = Arc::clone(&table);
        let other = thread::spawn(move || {
            let lent = peer.lend();
            lent.insert(&mut Stash::default(), &connection(&lent, 1, 1))
                .is_ok()
        });
        let lent = table.lend();
        let mine = lent
            .insert(&mut Stash::default(), &connection(&lent, 1, 2))
            .is_ok();
        assert!(mine ^ other.join().unwrap());
        let new = connection(&lent, 1, 1);
        assert!(lent.find(new.key, new.hash).is_some());
    });
}

#[test]
fn one_of_two_removes_it() {
    model(2, || {
        let table = Arc::new(Table::new(2));
        let lent = table.lend();
        let mut stash = Stash::default();
        let new = connection(&lent, 1, 1);
        assert!(lent.insert(&mut stash, &new).is_ok());
        let remove = move |table: &Table, stash: &mut Stash| {
            let lent = table.lend();
            let hit = lent.find(new.key, new.hash);
            hit.is_some_and(|hit| lent.remove(stash, &hit))
        };
        let peer = Arc::clone(&table);
        let other = thread::spawn(move || {
            let mut stash = Stash::default();
            let removed = remove(&peer, &mut stash);
            stash.release(&peer.free, &peer.entries);
            removed
        });
        let mine = remove(&table, &mut stash);
        assert!(mine ^ other.join().unwrap());
        assert!(lent.find(new.key, new.hash).is_none());
        assert_eq!(lent.buckets[0].used() + lent.buckets[1].used(), 0);
        stash.release(&table.free, &table.entries);
    });
}

#[test]
fn a_free_pair_is_given_to_one_engine() {
    model(3, || {
        let table = Arc::new(Table::new(3));
        let lent = table.lend();
        // All pairs were used before: they are on the stack.
        let mut stash = Stash::default();
        for client in 1..=3 {
            assert!(lent
                .insert(&mut stash, &connection(&lent, client, 1))
                .is_ok());
        }
        for client in 1..=3 {
            let new = connection(&lent, client, 1);
            let hit = lent.find(new.key, new.hash).unwrap();
            assert!(lent.remove(&mut stash, &hit));
        }
        stash.release(&table.free, &table.entries);
        // One engine takes all, uses one and gives the others back: the top of the stack is the same
        // again, what is below it is not.
        let peer = Arc::clone(&table);
        let other = thread::spawn(move || {
            let (lent, mut stash) = (peer.lend(), Stash::default());
            let used = lent
                .insert(&mut stash, &connection(&lent, 9, 1))
                .map(|hit| hit.index / 2);
            stash.release(lent.free, lent.entries);
            used.ok()
        });
        stash.fill(lent.free, lent.entries);
        let used = other.join().unwrap();
        let mut more = Stash::default();
        more.fill(lent.free, lent.entries);
        let pairs = stash
            .pairs()
            .iter()
            .chain(more.pairs())
            .copied()
            .chain(used);
        let pairs: Vec<u32> = pairs.collect();
        let unique: HashSet<u32> = pairs.iter().copied().collect();
        assert_eq!((unique.len(), pairs.len()), (3, 3));
    });
}
