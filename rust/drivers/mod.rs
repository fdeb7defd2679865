// SPDX-License-Identifier: GPL-2.0

//! Drivers of NICs that the module drives itself. None takes a device by
//! itself: they match nothing, and get what is given them by `driver_override`.

mod claim;
mod guard;
pub(crate) mod intel;
pub(crate) mod rings;
pub(crate) mod supply;
pub(crate) mod virtio_net;
pub(crate) mod wish;

use claim::Claims;
use kernel::driver::Registration;
use kernel::pci::Adapter;
use kernel::prelude::*;

type Registered<D> = Pin<KBox<Registration<Adapter<Claims<D>>>>>;

/// The drivers, as the PCI bus knows them.
pub(crate) struct Drivers {
    _virtio_net: Registered<virtio_net::VirtioNet>,
    _intel: Registered<intel::E1000e>,
}

impl Drivers {
    /// Registers all; devices can be given to them from now on.
    pub(crate) fn register(module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _virtio_net: KBox::pin_init(
                Registration::new(c"smplb_virtio_net", module),
                GFP_KERNEL,
            )?,
            _intel: KBox::pin_init(Registration::new(c"smplb_intel", module), GFP_KERNEL)?,
        })
    }
}
