// SPDX-License-Identifier: GPL-2.0

//! The drivers of ports, told apart once per burst.

use super::native::{Driver, Native};
use super::netdev::Rings;
use crate::drivers::virtio_net::Virtio;
use crate::kapi::vector::Vector;
use kernel::prelude::*;
use kernel::sync::Arc;

/// The way to and from a NIC.
pub(crate) enum Io {
    /// Any NIC of Linux, through its stock driver.
    Netdev(KBox<Rings>),
    /// A virtio network device, through rings of our own.
    Virtio(Arc<Native<Virtio>>),
}

impl Io {
    /// The interrupt that wakes the engine, of a NIC that has one of its own.
    pub(crate) fn vector(&self) -> Option<&Vector> {
        match self {
            Self::Netdev(_) => None,
            Self::Virtio(native) => native.vector(),
        }
    }

    /// The name that users know the driver by.
    pub(crate) fn driver(&self) -> &'static CStr {
        match self {
            Self::Netdev(_) => kernel::c_str!("netdev"),
            Self::Virtio(_) => Virtio::NAME,
        }
    }
}
