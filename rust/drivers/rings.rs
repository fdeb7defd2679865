// SPDX-License-Identifier: GPL-2.0

//! What the rings of all drivers have in common.
#![forbid(unsafe_code)]

use kernel::prelude::*;

use crate::core_::nic::shadow::Slot;
use crate::kapi::buffer::{HEADROOM, SIZE};

/// Most descriptors of a ring.
pub(super) const MOST: u16 = 256;

/// What the driver remembers of each descriptor.
pub(crate) type Slots = KVVec<Slot>;

/// For `size` descriptors.
pub(super) fn slots(size: u16) -> Result<Slots> {
    Ok(KVVec::from_elem(Slot::default(), size.into(), GFP_KERNEL)?)
}

/// Octets that a NIC may write to a buffer, with a header of `header` octets.
pub(super) const fn capacity(header: usize) -> u16 {
    (SIZE - HEADROOM + header) as u16
}
