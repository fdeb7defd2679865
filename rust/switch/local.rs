// SPDX-License-Identifier: GPL-2.0

//! Memory of the connection table, and what one engine keeps of a switch.

use super::lanes::filled;
use super::Switch;
use crate::core_::config::MAX_SERVICES;
use crate::core_::connection::bucket::Bucket;
use crate::core_::connection::entry::Entry;
use crate::core_::connection::free::Free;
use crate::core_::connection::key::Secret;
use crate::core_::connection::stash::Stash;
use crate::core_::connection::sweep::ConnectionInfo;
use crate::core_::connection::table::Connections;
use crate::core_::counters::Lane;
use crate::core_::engine::{Engine, EngineState, Scratch};
use crate::core_::recent::RECENT_LEN;
use crate::kapi::atom::KAtom;
use crate::kapi::cpu::{self, BhGuard};
use kernel::prelude::*;
use kernel::sync::rcu;

/// Pairs that one section without preemption looks at.
const SWEEP_STEP: u32 = 64;

/// Pairs that one tick looks at.
const SWEEP_BUDGET: u32 = 65_536;

/// The connection table's memory.
pub(super) struct ConnectionMemory {
    buckets: KVVec<Bucket<KAtom>>,
    entries: KVVec<Entry<KAtom>>,
    free: KBox<Free<KAtom>>,
    secret: Secret,
}

impl ConnectionMemory {
    /// For `connections` connections.
    pub(super) fn new(connections: u32) -> Result<Self> {
        let pairs = connections as usize;
        let buckets = (pairs / 2).next_power_of_two().max(2);
        Ok(Self {
            buckets: filled(buckets, Bucket::default)?,
            entries: filled(pairs * 2, Entry::default)?,
            free: KBox::new(Free::default(), GFP_KERNEL)?,
            secret: Secret::new([cpu::random(), cpu::random()]),
        })
    }

    /// As the core wants it.
    #[inline(always)]
    pub(super) fn table(&self) -> Connections<'_, KAtom> {
        Connections {
            buckets: &self.buckets,
            entries: &self.entries,
            free: &self.free,
            secret: self.secret,
        }
    }
}

/// What one engine keeps of one switch, beside its counters.
pub(crate) struct Local {
    /// The engine's lane of counters.
    pub(crate) lane: usize,
    state: EngineState,
    /// Positions in the slot lists, by service.
    positions: KVVec<u32>,
    /// Entries of the flows seen last.
    recent: KVVec<u64>,
    scratch: KBox<Scratch>,
}

impl Local {
    /// What the core wants of it for a burst, with its lane of counters.
    #[inline(always)]
    pub(crate) fn engine<'a>(&'a mut self, lane: Lane<'a, KAtom>) -> Engine<'a, KAtom> {
        Engine {
            lane,
            positions: &mut self.positions,
            recent: &mut self.recent,
            state: &mut self.state,
            scratch: &mut self.scratch,
        }
    }
}

impl Switch {
    /// State for the engine of `cpu`.
    pub(crate) fn new_local(&self, cpu: u32) -> Result<KBox<Local>> {
        Ok(KBox::new(
            Local {
                lane: cpu as usize,
                state: EngineState::default(),
                // Engines begin at different places of the slot lists.
                positions: KVVec::from_elem(cpu.wrapping_mul(7), MAX_SERVICES, GFP_KERNEL)?,
                recent: KVVec::from_elem(0, RECENT_LEN, GFP_KERNEL)?,
                scratch: KBox::new(Scratch::default(), GFP_KERNEL)?,
            },
            GFP_KERNEL,
        )?)
    }

    /// Takes back what the state of an engine holds of the tables.
    pub(crate) fn retire(&self, local: &mut Local) {
        let table = self.connections.table();
        local.state.release(table.free, table.entries);
    }

    /// Forgets connections that are over. On the control CPU, by one caller.
    pub(super) fn sweep(&self) {
        let Some(lane) = self.lanes.last() else {
            return;
        };
        let mut sweeper = self.sweeper.lock();
        let table = self.connections.table();
        let mut stash = Stash::default();
        let mut visited = 0;
        while visited < SWEEP_BUDGET {
            let swept = {
                let _bh = BhGuard::new();
                let rcu = rcu::read_lock();
                table.sweep(
                    &self.config.read(&rcu).view(),
                    &lane.lane(),
                    &mut stash,
                    cpu::seconds(),
                    &mut sweeper,
                    SWEEP_STEP,
                )
            };
            visited += swept.visited;
            if swept.visited < SWEEP_STEP {
                break;
            }
        }
    }

    /// The next connection at or after the cursor, which moves behind it.
    pub(crate) fn next_connection(&self, cursor: &mut u32) -> Option<ConnectionInfo> {
        let rcu = rcu::read_lock();
        self.connections
            .table()
            .list(&self.config.read(&rcu).view(), cpu::seconds(), cursor)
    }

    /// Connections that can be tracked.
    pub(crate) fn connections_max(&self) -> u32 {
        (self.connections.entries.len() / 2) as u32
    }
}
