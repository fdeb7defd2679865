// SPDX-License-Identifier: GPL-2.0

//! Drivers of NICs that the module drives itself. None takes a device by
//! itself: they match nothing, and get what is given them by `driver_override`.

pub(crate) mod supply;
pub(crate) mod virtio_net;
