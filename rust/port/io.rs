// SPDX-License-Identifier: GPL-2.0

//! The drivers of ports, told apart once per burst.

use super::lease::Lease;
use super::native::{Driver, Health, Native};
use super::netdev::Rings;
use crate::core_::nic::virtio::packed::Packed;
use crate::core_::nic::virtio::split::Split;
use crate::drivers::intel::Intel;
use crate::drivers::rings::Slots;
use crate::drivers::virtio_net::Virtio;
use crate::kapi::batch::Batch;
use crate::kapi::buffer::Buffered;
use crate::kapi::dma::RingMemory;
use crate::kapi::pool::{BufferPool, Stock};
use crate::kapi::store::Store;
use crate::kapi::vector::Vector;
use kernel::device::Bound;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;

/// The way to and from a NIC.
pub(crate) enum Io {
    /// Any NIC of Linux, through its stock driver.
    Netdev(KBox<Rings>),
    /// One with rings of our own.
    Native(Nic),
}

/// A NIC with rings of our own.
#[derive(Clone)]
pub(crate) enum Nic {
    /// A virtio network device with split virtqueues.
    Virtio(Arc<Native<Virtio<Split<RingMemory, Slots>>>>),
    /// One with packed virtqueues.
    VirtioPacked(Arc<Native<Virtio<Packed<RingMemory, Slots>>>>),
    /// A NIC of Intel's.
    Intel(Arc<Native<Intel>>),
}

/// The same for whichever it is.
macro_rules! each {
    ($nic:expr, $native:ident => $then:expr) => {
        match $nic {
            $crate::port::io::Nic::Virtio($native) => $then,
            $crate::port::io::Nic::VirtioPacked($native) => $then,
            $crate::port::io::Nic::Intel($native) => $then,
        }
    };
}
pub(crate) use each;

fn name<D: Driver>(_: &Native<D>) -> &'static CStr {
    D::NAME
}

impl Nic {
    /// The name that users know the driver by.
    pub(crate) fn driver(&self) -> &'static CStr {
        each!(self, native => name(native))
    }

    /// How many queue pairs it has.
    pub(crate) fn pairs(&self) -> usize {
        each!(self, native => native.pairs())
    }

    /// The numbers of its pairs, in the order of [`Native::turn`].
    pub(crate) fn in_turn(&self) -> impl Iterator<Item = usize> {
        let (first, pairs) = (each!(self, native => native.turn()), self.pairs());
        (0..pairs).map(move |nth| first.wrapping_add(nth) % pairs)
    }

    /// The pool of its buffers.
    pub(crate) fn pool(&self) -> &Arc<BufferPool> {
        each!(self, native => native.pool())
    }

    /// The rings between a pair and the host.
    #[inline(always)]
    pub(crate) fn store(&self, pair: usize) -> Option<&Store> {
        each!(self, native => native.pair(pair).map(|pair| &pair.store))
    }

    /// The interrupt that wakes who polls a pair.
    pub(crate) fn vector(&self, pair: usize) -> Option<&Vector> {
        each!(self, native => native.vector(pair))
    }

    /// Sends frames; see [`Native::send`].
    #[inline]
    pub(crate) fn send(
        &self,
        pair: usize,
        frames: &mut Batch<Buffered>,
        stock: &mut Stock,
    ) -> (usize, u64) {
        each!(self, native => native.send(pair, frames, stock))
    }

    /// See [`Native::tend`].
    pub(crate) fn tend(&self, receive_all: bool) {
        each!(self, native => native.tend(receive_all));
    }

    /// See [`Native::look`].
    pub(crate) fn look(&self) -> Health {
        each!(self, native => native.look())
    }

    /// See [`Native::close`].
    pub(crate) fn close(&self) {
        each!(self, native => native.close());
    }

    /// See [`Native::renew`].
    pub(crate) fn renew(&self, pdev: &pci::Device<Bound>) -> Result {
        each!(self, native => native.renew(pdev))
    }

    /// See [`Native::set_lent`].
    pub(crate) fn set_lent(&self, pair: usize, lent: bool) -> Result {
        each!(self, native => native.set_lent(pair, lent))
    }

    /// See [`Native::lease`].
    pub(crate) fn lease(&self, pair: usize) -> Result<Lease> {
        each!(self, native => native.lease(pair))
    }

    /// See [`Native::open`].
    pub(crate) fn open(&self) {
        each!(self, native => native.open());
    }

    /// See [`Native::stop`].
    pub(crate) fn stop(&self, stock: &mut Stock) {
        each!(self, native => native.stop(stock));
    }
}

impl Io {
    /// The name that users know the driver by.
    pub(crate) fn driver(&self) -> &'static CStr {
        match self {
            Self::Netdev(_) => kernel::c_str!("netdev"),
            Self::Native(nic) => nic.driver(),
        }
    }

    /// The NIC, if its rings are our own.
    #[inline(always)]
    pub(crate) fn native(&self) -> Option<&Nic> {
        match self {
            Self::Netdev(_) => None,
            Self::Native(nic) => Some(nic),
        }
    }

    /// How many parts of it are polled, each by one engine at a time: queue
    /// pairs, or all of it.
    pub(crate) fn parts(&self) -> usize {
        self.native().map_or(1, Nic::pairs)
    }

    /// Whether who polls a part may sleep, having prepared to: what comes from now
    /// on wakes it.
    pub(crate) fn arm(&self, part: usize) -> bool {
        match self {
            Self::Netdev(rings) => !rings.has_work(),
            Self::Native(nic) => each!(nic, native => native.arm(part)),
        }
    }

    /// Who polls a part does so again.
    pub(crate) fn disarm(&self, part: usize) {
        match self {
            Self::Netdev(_) => {}
            Self::Native(nic) => each!(nic, native => native.disarm(part)),
        }
    }

    /// Frames that were lost or came damaged before an engine saw them.
    pub(crate) fn rx_refused(&self) -> u64 {
        match self {
            Self::Netdev(rings) => rings.rx_refused(),
            Self::Native(nic) => each!(nic, native => native.damaged()),
        }
    }
}
