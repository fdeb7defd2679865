// SPDX-License-Identifier: GPL-2.0

//! Packets that leave by the same NIC, driver `netdev`.

use kernel::bindings::sk_buff;

use super::batch::Batch;
use super::skb::Skb;

/// Packets on their way to the same NIC.
pub(crate) struct OutBurst {
    skbs: Batch<*mut sk_buff>,
    bytes: u64,
}

impl OutBurst {
    /// An empty one.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self {
            skbs: Batch::new(),
            bytes: 0,
        }
    }

    /// Adds a packet; a burst is never larger than what it is filled from.
    #[inline(always)]
    pub(crate) fn push(&mut self, skb: Skb) {
        self.bytes = self.bytes.wrapping_add(u64::from(skb.len()));
        if let Err(skb) = self.skbs.push(skb.into_raw()) {
            // SAFETY: From a packet that was owned a moment ago.
            drop(unsafe { Skb::from_raw(skb) });
        }
    }

    /// Hands the packets to `send`, which consumes them and says how many went.
    /// Returns how many there were, how many went, and their octets.
    #[inline(always)]
    pub(crate) fn send(
        &mut self,
        send: impl FnOnce(&mut [*mut sk_buff]) -> usize,
    ) -> (usize, usize, u64) {
        let (len, bytes) = (self.skbs.len(), core::mem::take(&mut self.bytes));
        let sent = send(self.skbs.as_mut_slice());
        self.skbs.clear();
        (len, sent, bytes)
    }

    /// Frees the packets; returns how many there were.
    pub(crate) fn free(&mut self) -> usize {
        let (len, _, _) = self.send(|skbs| {
            for &mut skb in skbs {
                // SAFETY: Put there by `push`, from a packet that was owned.
                drop(unsafe { Skb::from_raw(skb) });
            }
            0
        });
        len
    }

    /// Whether there is nothing to send.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.skbs.is_empty()
    }
}

impl Drop for OutBurst {
    fn drop(&mut self) {
        self.free();
    }
}
