// SPDX-License-Identifier: MIT OR Apache-2.0

//! The stack of free buffers that engines share: in every order the memory model allows (loom), and
//! under load.

mod loom_atom;

use std::collections::HashSet;
use std::thread;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use proptest::prelude::*;
use smplb_core::frame::PortId;
use smplb_core::nic::census::{Census, PortShare};
use smplb_core::nic::magazine::Magazine;
use smplb_core::nic::pool::{Misuse, Owner, Pool, Record, Shared};
use smplb_core::nic::queue::BufferId;
use smplb_core::StdAtom;

use loom_atom::LoomAtom;

const HOST: Owner = Owner::Host(PortId(0));

/// A pool of three buffers, and what is in them.
struct Memory {
    records: [Record<LoomAtom>; 3],
    shared: Shared<LoomAtom>,
    contents: [UnsafeCell<u64>; 3],
}

// SAFETY: A buffer is touched only by who owns it; loom checks it.
unsafe impl Sync for Memory {}

impl Memory {
    fn new() -> Self {
        Self {
            records: std::array::from_fn(|_| Record::new(0)),
            shared: Shared::default(),
            contents: std::array::from_fn(|_| UnsafeCell::new(0)),
        }
    }

    fn pool(&self) -> Pool<'_, LoomAtom> {
        Pool::new(&self.records, &self.shared)
    }

    /// Hangs the buffers on the stack as chains of these lengths.
    fn chains(&self, lengths: &[usize]) {
        let (pool, mut magazine) = (self.pool(), Magazine::new(9));
        let mut buffers: Vec<_> = std::iter::from_fn(|| magazine.take_for(&pool, HOST)).collect();
        for length in lengths {
            for buffer in buffers.drain(..*length) {
                magazine.give_from(&pool, buffer, HOST).unwrap();
            }
            magazine.release(&pool);
        }
    }

    /// An engine takes a buffer, writes to it, and gives it and its magazine back.
    fn use_one(&self, cpu: u16) -> Result<bool, Misuse> {
        let (pool, mut magazine) = (self.pool(), Magazine::new(cpu));
        let Some(buffer) = magazine.take_for(&pool, HOST) else {
            return Ok(false);
        };
        // SAFETY: The buffer is this engine's.
        self.contents[buffer.0 as usize].with_mut(|content| unsafe { *content += 1 });
        magazine.give_from(&pool, buffer, HOST)?;
        magazine.release(&pool);
        Ok(true)
    }

    fn all_free(&self) {
        assert_eq!(self.pool().misuses(), 0);
        let owners: Vec<_> = self.pool().owners().collect();
        assert_eq!(owners, [Owner::Free; 3]);
        let (pool, mut magazine) = (self.pool(), Magazine::new(9));
        let found: HashSet<_> = std::iter::from_fn(|| magazine.take(&pool)).collect();
        assert_eq!(found.len(), 3);
    }
}

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(run);
}

/// Two engines take and give at the same time; one of them twice, which would let a late exchange of
/// the other succeed if the stack did not count its changes.
fn take_and_give(lengths: &'static [usize]) {
    model(move || {
        let memory = Arc::new(Memory::new());
        memory.chains(lengths);
        let other = Arc::clone(&memory);
        let engine = loom::thread::spawn(move || {
            other.use_one(1).unwrap();
        });
        memory.use_one(2).unwrap();
        memory.use_one(2).unwrap();
        engine.join().unwrap();
        memory.all_free();
    });
}

#[test]
fn one_chain_each() {
    take_and_give(&[1, 1, 1]);
}

#[test]
fn chains_are_taken_whole() {
    take_and_give(&[2, 1]);
}

#[test]
fn one_chain_for_two() {
    take_and_give(&[3]);
}

#[test]
fn fresh_buffers_are_taken_once() {
    model(|| {
        let memory = Arc::new(Memory::new());
        let other = Arc::clone(&memory);
        let engine = loom::thread::spawn(move || other.use_one(1).unwrap());
        let mine = memory.use_one(2).unwrap();
        // Whoever comes when the other one has all may find none.
        assert!(engine.join().unwrap() || mine);
        memory.all_free();
    });
}

/// All counts together.
fn sum(census: &Census<'_>) -> u32 {
    let ports = census
        .ports
        .iter()
        .map(|port| port.rx + port.tx + port.host);
    census.free + census.other + ports.sum::<u32>() + census.engines.iter().sum::<u32>()
}

proptest! {
    /// Whatever was handed to whom, the census says what the list of owners says.
    #[test]
    fn a_census_counts_what_there_is(
        size in 0..200usize,
        steps in prop::collection::vec((0..4u8, 0..6u16), 0..150),
    ) {
        let records: Vec<Record<StdAtom>> = (0..size).map(|_| Record::new(0)).collect();
        let shared = Shared::default();
        let pool = Pool::new(&records, &shared);
        let mut magazines: Vec<_> = (0..6).map(Magazine::new).collect();
        for (kind, number) in steps {
            let magazine = &mut magazines[usize::from(number)];
            match kind {
                0 => drop(magazine.take_for(&pool, Owner::Rx(PortId(number)))),
                1 => drop(magazine.take_for(&pool, Owner::Tx(PortId(number)))),
                2 => drop(magazine.take_for(&pool, Owner::Host(PortId(number)))),
                _ => magazine.release(&pool),
            }
        }
        let count = |owner| pool.owners().filter(|found| *found == owner).count() as u32;
        // Ports and engines 4 and 5 have no place in the lists.
        let (mut ports, mut engines) = ([PortShare::default(); 4], [0; 4]);
        let census = Census::take(&pool, &mut ports, &mut engines);
        prop_assert_eq!((census.size as usize, sum(&census) as usize), (size, size));
        prop_assert_eq!(census.free, count(Owner::Free));
        for (number, port) in (0..).zip(&*census.ports) {
            let id = PortId(number);
            let due = [Owner::Rx(id), Owner::Tx(id), Owner::Host(id)].map(count);
            prop_assert_eq!([port.rx, port.tx, port.host], due);
        }
        for (cpu, buffers) in (0..).zip(&*census.engines) {
            prop_assert_eq!(*buffers, count(Owner::Engine(cpu)));
        }
    }
}

#[test]
fn four_engines_under_load() {
    let records: Vec<Record<StdAtom>> = (0..1000).map(|_| Record::new(0)).collect();
    let shared = Shared::default();
    let pool = Pool::new(&records, &shared);
    let engine = |cpu: u16| {
        let (mut magazine, mut held) = (Magazine::new(cpu), Vec::<BufferId>::new());
        let owner = Owner::Rx(PortId(cpu));
        let mut random = u64::from(cpu) + 1;
        for _ in 0..100_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            if (random >> 33) % 300 > held.len() as u64 {
                held.extend(magazine.take_for(&pool, owner));
            } else if let Some(buffer) = held.pop() {
                magazine.give_from(&pool, buffer, owner).unwrap();
            }
        }
        for buffer in held {
            magazine.give_from(&pool, buffer, owner).unwrap();
        }
        magazine.release(&pool);
    };
    thread::scope(|scope| {
        let engine = &engine;
        for cpu in 0..4 {
            scope.spawn(move || engine(cpu));
        }
        let (mut ports, mut engines) = ([PortShare::default(); 4], [0; 4]);
        for _ in 0..100 {
            assert_eq!(sum(&Census::take(&pool, &mut ports, &mut engines)), 1000);
            thread::yield_now();
        }
    });
    assert!(pool.owners().all(|owner| owner == Owner::Free));
    assert_eq!(pool.misuses(), 0);
    let mut magazine = Magazine::new(0);
    let found: HashSet<_> = std::iter::from_fn(|| magazine.take(&pool)).collect();
    assert_eq!(found.len(), 1000);
}
