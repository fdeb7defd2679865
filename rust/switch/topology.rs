// SPDX-License-Identifier: GPL-2.0

//! Ports and routes as engines see them: rebuilt as a whole when a port or a
//! route changes, and published with one pointer store.

use super::Switch;
use crate::core_::frame::{PortId, MAX_PORTS};
use crate::core_::route::{flatten, Hop, PortInfo, Prefix, Range, Routes};
use crate::kapi::log;
use crate::port::Port;
use kernel::c_str;
use kernel::prelude::*;
use kernel::rbtree::RBTree;
use kernel::sync::Arc;

/// What engines read; never changed once it is published.
pub(crate) struct Topology {
    generation: u32,
    ranges: KVVec<Range>,
    least_mtu: u32,
    ports: KBox<[PortInfo; MAX_PORTS]>,
    targets: KBox<[Option<Arc<Port>>; MAX_PORTS]>,
}

impl Topology {
    fn new(generation: u32, ranges: KVVec<Range>) -> Result<Self> {
        Ok(Self {
            generation,
            ranges,
            least_mtu: u32::MAX,
            ports: KBox::new([PortInfo::default(); MAX_PORTS], GFP_KERNEL)?,
            targets: KBox::new([const { None }; MAX_PORTS], GFP_KERNEL)?,
        })
    }

    /// As the core wants it.
    #[inline(always)]
    pub(crate) fn routes(&self) -> Routes<'_> {
        Routes {
            generation: self.generation,
            ranges: &self.ranges,
            ports: &self.ports,
        }
    }

    /// The smallest MTU of any port.
    #[inline(always)]
    pub(crate) fn least_mtu(&self) -> u32 {
        self.least_mtu
    }

    /// The port with a number.
    #[inline(always)]
    pub(crate) fn port(&self, id: PortId) -> Option<&Port> {
        self.targets.get(usize::from(id.0))?.as_deref()
    }
}

/// A prefix in the kernel's order of preference: of equal ones the local table
/// wins over the main one, and that over the default one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    dst: u32,
    len: u8,
    rank: u8,
}

/// What the control CPU knows, from which a [`Topology`] is built.
pub(crate) struct Plan {
    ports: KBox<[Option<Arc<Port>>; MAX_PORTS]>,
    routes: RBTree<Key, Hop>,
    count: usize,
    /// Where the search for a free number begins, so that a number is used
    /// again as late as possible.
    next: usize,
    generation: u32,
}

/// `RT_TABLE_DEFAULT`, `RT_TABLE_MAIN` and `RT_TABLE_LOCAL`: what a lookup
/// without policy rules goes through.
fn rank(table: u32) -> Option<u8> {
    match table {
        255 => Some(0),
        254 => Some(1),
        253 => Some(2),
        _ => None,
    }
}

impl Plan {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            ports: KBox::new([const { None }; MAX_PORTS], GFP_KERNEL)?,
            routes: RBTree::new(),
            count: 0,
            next: 0,
            generation: 0,
        })
    }

    /// A number for a new port.
    pub(super) fn free_id(&mut self) -> Option<PortId> {
        let id = (0..MAX_PORTS)
            .map(|step| (self.next + step) % MAX_PORTS)
            .find(|&id| self.ports.get(id).is_some_and(|port| port.is_none()))?;
        self.next = (id + 1) % MAX_PORTS;
        Some(PortId(id as u16))
    }

    /// Enters or takes out a port.
    pub(super) fn set_port(&mut self, id: PortId, port: Option<Arc<Port>>) {
        if let Some(place) = self.ports.get_mut(usize::from(id.0)) {
            *place = port;
        }
    }

    /// The ports there are.
    pub(crate) fn ports(&self) -> impl Iterator<Item = &Arc<Port>> {
        self.ports.iter().flatten()
    }

    pub(super) fn set_route(&mut self, table: u32, dst: u32, len: u8, hop: Option<Hop>) -> Result {
        let Some(rank) = rank(table) else {
            return Ok(());
        };
        let key = Key { dst, len, rank };
        match hop {
            Some(hop) => {
                if self
                    .routes
                    .try_create_and_insert(key, hop, GFP_KERNEL)?
                    .is_none()
                {
                    self.count += 1;
                }
            }
            None => {
                if self.routes.remove(&key).is_some() {
                    self.count = self.count.saturating_sub(1);
                }
            }
        }
        Ok(())
    }

    pub(super) fn clear_routes(&mut self) {
        self.routes = RBTree::new();
        self.count = 0;
    }

    fn build(&mut self) -> Result<Arc<Topology>> {
        let mut prefixes = KVVec::with_capacity(self.count, GFP_KERNEL)?;
        for (key, hop) in self.routes.iter() {
            prefixes.push(Prefix::new(key.dst, key.len, *hop), GFP_KERNEL)?;
        }
        let most = prefixes.len().saturating_mul(2).saturating_add(1);
        let mut ranges = KVVec::from_elem(Range::default(), most, GFP_KERNEL)?;
        let used = flatten(&mut prefixes, &mut ranges).map_err(|_| ENOSPC)?;
        ranges.truncate(used);

        self.generation = self.generation.wrapping_add(1);
        let mut topology = Topology::new(self.generation, ranges)?;
        for port in self.ports() {
            let (id, info) = (usize::from(port.id().0), port.devices().info());
            topology.least_mtu = topology.least_mtu.min(info.mtu);
            if let Some(place) = topology.ports.get_mut(id) {
                *place = PortInfo::new(info.mac, info.mtu, info.up != 0);
            }
            if let Some(place) = topology.targets.get_mut(id) {
                *place = Some(port.clone());
            }
        }
        Ok(Arc::new(topology, GFP_KERNEL)?)
    }
}

impl Switch {
    /// Builds ports and routes anew and lets the engines see them. When that
    /// fails for want of memory the engines go on with what they have.
    pub(crate) fn publish_ports(&self) {
        let mut plan = self.plan.lock();
        let before = self.change_neighbours(|_, forgotten| *forgotten);
        let topology = match plan.build() {
            Ok(topology) => topology,
            Err(e) => return log::error(c_str!("ports and routes could not be published"), e),
        };
        drop(self.topology.replace(Some(topology)));
        // Every engine has passed a burst boundary since, so that no connection
        // relies on a neighbour that was forgotten before.
        self.change_neighbours(|table, forgotten| {
            if *forgotten == before {
                table.recycle();
            }
        });
    }

    /// Takes a port away from the engines. Cannot fail: without memory for the
    /// other ports the engines see none until the next change.
    pub(super) fn unpublish(&self, id: PortId) {
        let mut plan = self.plan.lock();
        plan.set_port(id, None);
        drop(self.topology.replace(plan.build().ok()));
        self.change_neighbours(|table, forgotten| {
            table.invalidate_port(id);
            *forgotten = forgotten.wrapping_add(1);
        });
    }

    /// A route of the kernel came, changed or (`None`) went.
    pub(crate) fn route_changed(&self, table: u32, dst: u32, len: u8, hop: Option<Hop>) {
        if let Err(e) = self.plan.lock().set_route(table, dst, len, hop) {
            log::error(c_str!("a route could not be mirrored"), e);
        }
    }

    /// All routes will be told anew.
    pub(crate) fn routes_flushed(&self) {
        self.plan.lock().clear_routes();
    }
}
