// SPDX-License-Identifier: GPL-2.0

//! Queue pairs that applications have for themselves (seed figure 11, step 303).

use super::native::{Driver, Native};
use super::pair::Pair;
use crate::core_::nic::virtio::Areas;
use crate::kapi::pages::Pages;
use kernel::prelude::*;

/// A queue of a NIC, as a program finds it.
pub(crate) struct Queue {
    /// The memory of its ring,
    pub(crate) ring: Pages,
    /// and where its parts are in that.
    pub(crate) areas: Areas,
    /// Descriptors.
    pub(crate) size: u16,
    /// The physical address of its doorbell,
    pub(crate) bell: u64,
    /// and the 16 bits that ring it.
    pub(crate) value: u16,
}

/// What a program has to know of a pair to use it.
pub(crate) struct Deed {
    /// Packed virtqueues, or split ones.
    pub(crate) packed: bool,
    /// Whether `VIRTIO_F_EVENT_IDX` is agreed on.
    pub(crate) event_idx: bool,
    /// The queue of received frames,
    pub(crate) rx: Queue,
    /// and that of those to be sent.
    pub(crate) tx: Queue,
}

/// A pair that an application has.
pub(crate) struct Lease {
    pub(crate) deed: Deed,
    /// Where the NIC finds the first octet of each chunk of the buffers.
    pub(crate) chunks: KVVec<u64>,
}

impl<D: Driver> Native<D> {
    /// The pair to send by: another one if an application has that of this number.
    #[inline(always)]
    pub(super) fn sender(&self, nth: usize) -> Option<&Pair<D>> {
        match self.pair(nth) {
            Some(pair) if !pair.is_lent() => Some(pair),
            _ => self.other_sender(),
        }
    }

    #[cold]
    fn other_sender(&self) -> Option<&Pair<D>> {
        let mut pairs = (0..self.pairs()).filter_map(|nth| self.pair(nth));
        pairs.find(|pair| !pair.is_lent())
    }

    /// Says whether an application is to have a pair. The NIC is closed and gets rings
    /// anew before somebody else is at these.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is no such pair, `EOPNOTSUPP` if no application can have it.
    pub(crate) fn set_lent(&self, nth: usize, lent: bool) -> Result {
        let pair = self.pair(nth).ok_or(EINVAL)?;
        if lent && !pair.can_be_lent() {
            return Err(EOPNOTSUPP);
        }
        pair.set_lent(lent);
        Ok(())
    }

    /// What an application gets that is to have a pair, once after the NIC got rings.
    pub(crate) fn lease(&self, nth: usize) -> Result<Lease> {
        let deed = self.pair(nth).and_then(Pair::take_deed).ok_or(EOPNOTSUPP)?;
        let mut chunks = KVVec::new();
        for chunk in self.mapping.chunks() {
            chunks.push(chunk, GFP_KERNEL)?;
        }
        Ok(Lease { deed, chunks })
    }
}
