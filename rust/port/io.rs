// SPDX-License-Identifier: GPL-2.0

//! The drivers of ports, told apart once per burst.

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

    /// The rings to and from the host, and the pool of their buffers.
    #[inline(always)]
    pub(crate) fn store(&self) -> (&Store, &Arc<BufferPool>) {
        each!(self, native => (&native.store, native.pool()))
    }

    /// The interrupt that wakes the engine.
    pub(crate) fn vector(&self) -> Option<&Vector> {
        each!(self, native => native.vector())
    }

    /// Sends frames; see [`Native::send`].
    #[inline]
    pub(crate) fn send(&self, frames: &mut Batch<Buffered>, stock: &mut Stock) -> (usize, u64) {
        each!(self, native => native.send(frames, stock))
    }

    /// See [`Native::look`].
    pub(crate) fn look(&self) -> Health {
        each!(self, native => native.look())
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

    /// Whether the engine may sleep, having prepared to: what comes from now on
    /// wakes it.
    pub(crate) fn arm(&self) -> bool {
        match self {
            Self::Netdev(rings) => !rings.has_work(),
            Self::Native(nic) => each!(nic, native => native.arm()),
        }
    }

    /// The engine polls again.
    pub(crate) fn disarm(&self) {
        match self {
            Self::Netdev(_) => {}
            Self::Native(nic) => each!(nic, native => native.disarm()),
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
