// SPDX-License-Identifier: MIT OR Apache-2.0

//! The memory of a switch: what a shell allocates.

use smplb_core::config::build::HalfMut;
use smplb_core::config::view::View;
use smplb_core::config::{
    Backend, Header, Service, Vip, INDEX_LEN, MAX_BACKENDS, MAX_SERVICES, MAX_SLOTS, VIPS_LEN,
};
use smplb_core::connection::bucket::Bucket;
use smplb_core::connection::entry::Entry;
use smplb_core::connection::free::Free;
use smplb_core::connection::key::Secret;
use smplb_core::connection::table::Connections;
use smplb_core::counters::{BackendCounters, Lane, PortCounters, ServiceCounters, Totals};
use smplb_core::engine::{EngineState, Scratch};
use smplb_core::frame::MAX_PORTS;
use smplb_core::recent::RECENT_LEN;
use smplb_core::StdAtom;

/// That many elements in their first state.
pub fn many<T: Default>(count: usize) -> Vec<T> {
    (0..count).map(|_| T::default()).collect()
}

/// The memory of one half of the configuration table.
pub struct Half {
    header: Header,
    services: Vec<Service>,
    backends: Vec<Backend>,
    index: Vec<u16>,
    vips: Vec<Vip>,
    slots: Vec<u16>,
}

impl Half {
    pub fn new() -> Self {
        Self {
            header: Header::default(),
            services: many(MAX_SERVICES),
            backends: many(MAX_BACKENDS),
            index: many(INDEX_LEN),
            vips: many(VIPS_LEN),
            slots: many(MAX_SLOTS),
        }
    }

    /// A half with so few places that they are used again soon.
    pub fn small() -> Self {
        Self {
            header: Header::default(),
            services: many(4),
            backends: many(16),
            index: many(8),
            vips: many(8),
            slots: many(256),
        }
    }

    pub fn view(&self) -> View<'_> {
        View {
            header: &self.header,
            services: &self.services,
            backends: &self.backends,
            index: &self.index,
            vips: &self.vips,
            slots: &self.slots,
        }
    }

    pub fn lend(&mut self) -> HalfMut<'_> {
        HalfMut {
            header: &mut self.header,
            services: &mut self.services,
            backends: &mut self.backends,
            index: &mut self.index,
            vips: &mut self.vips,
            slots: &mut self.slots,
        }
    }
}

/// The memory of the counters of one engine.
pub struct LaneMemory {
    totals: Totals<StdAtom>,
    ports: Vec<PortCounters<StdAtom>>,
    services: Vec<ServiceCounters<StdAtom>>,
    backends: Vec<BackendCounters<StdAtom>>,
    active: Vec<StdAtom>,
}

impl LaneMemory {
    pub fn new() -> Self {
        Self {
            totals: Totals::default(),
            ports: many(MAX_PORTS),
            services: many(MAX_SERVICES),
            backends: many(MAX_BACKENDS),
            active: many(MAX_BACKENDS),
        }
    }

    pub fn lane(&self) -> Lane<'_, StdAtom> {
        Lane {
            totals: &self.totals,
            ports: &self.ports,
            services: &self.services,
            backends: &self.backends,
            active: &self.active,
        }
    }
}

/// The memory of a connection table.
pub struct Table {
    pub buckets: Vec<Bucket<StdAtom>>,
    pub entries: Vec<Entry<StdAtom>>,
    pub free: Free<StdAtom>,
    pub secret: Secret,
}

impl Table {
    pub fn new(connections: usize) -> Self {
        Self {
            buckets: many((connections / 2).next_power_of_two().max(2)),
            entries: many(connections * 2 + 2),
            free: Free::default(),
            secret: Secret::new([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]),
        }
    }

    pub fn lend(&self) -> Connections<'_, StdAtom> {
        Connections {
            buckets: &self.buckets,
            entries: &self.entries,
            free: &self.free,
            secret: self.secret,
        }
    }
}

/// The memory of one engine.
#[derive(Default)]
pub struct EngineMemory {
    pub positions: Vec<u32>,
    pub recent: Vec<u64>,
    pub state: EngineState,
    pub scratch: Scratch,
}

impl EngineMemory {
    pub fn new() -> Self {
        Self {
            positions: many(MAX_SERVICES),
            recent: many(RECENT_LEN),
            ..Self::default()
        }
    }
}
