// SPDX-License-Identifier: GPL-2.0

//! The switch of one network namespace: its tables and its ports.

mod config;
mod half;
mod lanes;
mod lifecycle;
mod local;
mod topology;

use crate::channel::{Audience, Channels};
use crate::core_::channel::wants::Wants;
use crate::core_::config::view::View;
use crate::core_::config::BackendId;
use crate::core_::connection::table::Connections;
use crate::core_::counters::sum::{self, Loads};
use crate::core_::counters::Lane;
use crate::core_::frame::PortId;
use crate::core_::neighbour::{Neighbours, Slot};
use crate::kapi::ab::AbTable;
use crate::kapi::atom::KAtom;
use crate::kapi::cpu::BhGuard;
use crate::kapi::ffi::DevInfo;
use crate::kapi::net::Net;
use crate::kapi::rcu_arc::RcuArc;
use crate::port::Port;
use config::Control;
use half::Half;
use kernel::prelude::*;
use kernel::sync::{rcu, Arc, Mutex, SpinLock};
use lanes::LaneMemory;
use topology::Plan;

pub(crate) use topology::Topology;

pub(crate) use config::{Edit, Generations, Refusal, Sums};
pub(crate) use lifecycle::{add_port, of, remove_port};
pub(crate) use local::Local;

/// The tables of a switch. Engines share it; the control CPU changes it.
#[pin_data]
pub(crate) struct Switch {
    net: Net,
    /// The configuration table A/B.
    config: AbTable<Half>,
    /// Serialises writers of `config`.
    #[pin]
    control: Mutex<Control>,
    /// Ports and routes.
    topology: RcuArc<Topology>,
    /// Serialises writers of `topology`.
    #[pin]
    plan: Mutex<Plan>,
    neighbours: KVVec<Slot<KAtom>>,
    /// Serialises writers of `neighbours`; taken with BH disabled. Counts the
    /// neighbours that were forgotten.
    #[pin]
    forgotten: SpinLock<u64>,
    connections: local::ConnectionMemory,
    lanes: KVec<LaneMemory>,
    /// Applications with channels.
    #[pin]
    channels: Channels,
    /// Where the sweep of old connections goes on.
    #[pin]
    sweeper: Mutex<u32>,
    #[pin]
    running: Mutex<lifecycle::Running>,
}

/// What an engine uses for one burst.
pub(crate) struct Tables<'a> {
    pub(crate) config: View<'a>,
    pub(crate) topology: &'a Topology,
    pub(crate) audience: Option<&'a Audience>,
    pub(crate) neighbours: Neighbours<'a, KAtom>,
    pub(crate) connections: Connections<'a, KAtom>,
}

impl<'a> Tables<'a> {
    /// What applications want to receive.
    #[inline(always)]
    pub(crate) fn wants(&self) -> Wants<'a> {
        self.audience.map_or(Wants::none(), Audience::wants)
    }
}

impl Loads for Switch {
    fn active(&self, id: BackendId) -> u64 {
        sum::active(self.lanes(), id)
    }
}

impl Switch {
    /// The network namespace.
    pub(crate) fn net(&self) -> Net {
        self.net
    }

    /// Everything an engine needs for a burst, as it is now.
    #[inline(always)]
    pub(crate) fn tables<'a>(&'a self, guard: &'a rcu::Guard) -> Option<Tables<'a>> {
        Some(Tables {
            config: self.config.read(guard).view(),
            topology: self.topology.read(guard)?,
            audience: self.channels.audience(guard),
            neighbours: self.neighbours(),
            connections: self.connections.table(),
        })
    }

    /// The first port for which `wanted` says so of its names and numbers.
    pub(crate) fn find_port(&self, wanted: impl Fn(&DevInfo) -> bool) -> Option<Arc<Port>> {
        let plan = self.plan.lock();
        let found = plan.ports().find(|port| wanted(&port.devices().info()));
        found.cloned()
    }

    /// The first port whose number is `from` or higher.
    pub(crate) fn port_from(&self, from: u64) -> Option<Arc<Port>> {
        let plan = self.plan.lock();
        let found = plan.ports().find(|port| u64::from(port.id().0) >= from);
        found.cloned()
    }

    /// The channels of applications.
    pub(crate) fn channels(&self) -> &Channels {
        &self.channels
    }

    /// The CPU of an engine that polls a port.
    pub(crate) fn first_cpu(&self) -> Option<u32> {
        let plan = self.plan.lock();
        let cpu = plan.ports().find_map(|port| port.cpus().next());
        cpu
    }

    /// How many ports `wanted` says yes to.
    pub(crate) fn count_ports(&self, wanted: impl Fn(&Port) -> bool) -> u32 {
        self.plan.lock().ports().filter(|port| wanted(port)).count() as u32
    }

    /// Packets of all ports lost because a ring from a NIC was full.
    pub(crate) fn rx_refused(&self) -> u64 {
        let plan = self.plan.lock();
        let sum = plan.ports().map(|port| port.rx_refused()).sum();
        sum
    }

    /// Ranges in the routing table.
    pub(crate) fn route_ranges(&self) -> u32 {
        let guard = rcu::read_lock();
        self.topology
            .read(&guard)
            .map_or(0, |topology| topology.routes().ranges.len() as u32)
    }

    /// The counters of all writers. In any context: sums are asked for where
    /// nobody may sleep.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = Lane<'_, KAtom>> {
        self.lanes.iter().map(LaneMemory::lane)
    }

    /// The counters of one writer: a CPU, and behind all CPUs the control CPU's.
    #[inline(always)]
    pub(crate) fn lane(&self, nth: usize) -> Option<Lane<'_, KAtom>> {
        self.lanes.get(nth).map(LaneMemory::lane)
    }

    fn neighbours(&self) -> Neighbours<'_, KAtom> {
        Neighbours {
            slots: &self.neighbours,
        }
    }

    /// Next hops whose MAC address is known.
    pub(crate) fn neighbour_count(&self) -> u32 {
        self.neighbours().count() as u32
    }

    fn change_neighbours<T>(&self, change: impl FnOnce(Neighbours<'_, KAtom>, &mut u64) -> T) -> T {
        let _bh = BhGuard::new();
        let mut forgotten = self.forgotten.lock();
        change(self.neighbours(), &mut forgotten)
    }

    /// The kernel learnt (`Some`) or lost the MAC address of a neighbour. In
    /// any context.
    pub(crate) fn neighbour_changed(&self, port: PortId, addr: [u8; 4], mac: Option<[u8; 6]>) {
        self.change_neighbours(|table, forgotten| match mac {
            // Without room the kernel goes on to resolve it for each packet.
            Some(mac) => _ = table.set(port, addr, mac),
            None => {
                table.invalidate(port, addr);
                *forgotten = forgotten.wrapping_add(1);
            }
        });
    }
}
