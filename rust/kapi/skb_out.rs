// SPDX-License-Identifier: GPL-2.0

//! Packets that leave by the same NIC, driver `netdev`.

use kernel::bindings::sk_buff;

use super::skb::Skb;
use crate::core_::frame::BURST;

/// Packets on their way to the same NIC.
pub(crate) struct OutBurst {
    skbs: [*mut sk_buff; BURST],
    len: usize,
    bytes: u64,
}

impl OutBurst {
    /// An empty one.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self {
            skbs: [core::ptr::null_mut(); BURST],
            len: 0,
            bytes: 0,
        }
    }

    /// Adds a packet; a burst is never larger than what it is filled from.
    #[inline(always)]
    pub(crate) fn push(&mut self, skb: Skb) {
        if let Some(place) = self.skbs.get_mut(self.len) {
            self.bytes = self.bytes.wrapping_add(u64::from(skb.len()));
            *place = skb.into_raw();
            self.len += 1;
        }
    }

    /// Hands the packets to `send`, which consumes them and says how many went.
    /// Returns how many there were, how many went, and their octets.
    #[inline(always)]
    pub(crate) fn send(
        &mut self,
        send: impl FnOnce(&mut [*mut sk_buff]) -> usize,
    ) -> (usize, usize, u64) {
        let (len, bytes) = (self.len, self.bytes);
        self.len = 0;
        self.bytes = 0;
        let skbs = self.skbs.get_mut(..len).unwrap_or_default();
        (len, send(skbs), bytes)
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
        self.len == 0
    }
}

impl Drop for OutBurst {
    fn drop(&mut self) {
        self.free();
    }
}
