// SPDX-License-Identifier: GPL-2.0

//! The memory of the counters: a lane per CPU and one for the control CPU.

use crate::core_::config::{MAX_BACKENDS, MAX_SERVICES};
use crate::core_::counters::{BackendCounters, Lane, PortCounters, ServiceCounters, Totals};
use crate::core_::env::Atom;
use crate::core_::frame::MAX_PORTS;
use crate::kapi::atom::KAtom;
use kernel::alloc::flags::GFP_KERNEL_ACCOUNT;
use kernel::prelude::*;

/// The counters of one writer.
pub(crate) struct LaneMemory {
    totals: KBox<Totals<KAtom>>,
    ports: KVVec<PortCounters<KAtom>>,
    services: KVVec<ServiceCounters<KAtom>>,
    backends: KVVec<BackendCounters<KAtom>>,
    active: KVVec<KAtom>,
}

/// `n` elements that `make` makes, on the account of who asks for them: any user
/// may have a network namespace and fill it.
pub(super) fn filled<T>(n: usize, make: impl Fn() -> T) -> Result<KVVec<T>> {
    let mut elements = KVVec::with_capacity(n, GFP_KERNEL_ACCOUNT)?;
    for _ in 0..n {
        elements.push(make(), GFP_KERNEL_ACCOUNT)?;
    }
    Ok(elements)
}

impl LaneMemory {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            totals: KBox::new(Totals::default(), GFP_KERNEL_ACCOUNT)?,
            ports: filled(MAX_PORTS, PortCounters::default)?,
            services: filled(MAX_SERVICES, ServiceCounters::default)?,
            backends: filled(MAX_BACKENDS, BackendCounters::default)?,
            active: filled(MAX_BACKENDS, || KAtom::new(0))?,
        })
    }

    /// As the core wants it.
    #[inline(always)]
    pub(crate) fn lane(&self) -> Lane<'_, KAtom> {
        Lane {
            totals: &self.totals,
            ports: &self.ports,
            services: &self.services,
            backends: &self.backends,
            active: &self.active,
        }
    }
}
