// SPDX-License-Identifier: GPL-2.0

//! A burst of packets on the engine's stack.

use core::mem::MaybeUninit;
use kernel::bindings::sk_buff;

use super::skb::Skb;
use crate::core_::frame::{Burst, Frame, BURST};
use crate::core_::verdict::Verdict;

/// Up to [`BURST`] owned packets and the decisions about them.
///
/// # Invariants
///
/// The first `len` elements of `skbs` are packets that the burst owns, `len` is
/// at most [`BURST`], and the first `decided` elements of `verdicts`, at most
/// `len`, are initialised.
pub(crate) struct SkbBurst {
    skbs: [MaybeUninit<Skb>; BURST],
    verdicts: [MaybeUninit<Verdict>; BURST],
    len: usize,
    decided: usize,
}

impl SkbBurst {
    /// An empty burst.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        // INVARIANT: Nothing is in it.
        Self {
            skbs: [const { MaybeUninit::uninit() }; BURST],
            verdicts: [const { MaybeUninit::uninit() }; BURST],
            len: 0,
            decided: 0,
        }
    }

    /// Adds a packet; gives it back when the burst is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, skb: Skb) -> Result<(), Skb> {
        match self.skbs.get_mut(self.len) {
            Some(place) => {
                // INVARIANT: One more, within bounds.
                place.write(skb);
                self.len += 1;
                Ok(())
            }
            None => Err(skb),
        }
    }

    /// Frees every packet, telling `count` of each.
    pub(crate) fn discard(&mut self, mut count: impl FnMut()) {
        (0..self.len).for_each(|_| count());
        self.drain(|skb, _| drop(skb));
    }

    /// Hands every packet with its verdict to `take`, in order, and empties the
    /// burst. A packet without verdict is freed.
    #[inline(always)]
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Skb, Verdict)) {
        let (len, decided) = (self.len, self.decided);
        // INVARIANT: Emptied before the packets are moved out.
        self.len = 0;
        self.decided = 0;
        for i in 0..len.min(BURST) {
            // SAFETY: By the type invariants, as `i` is below the old `len`;
            // each element is moved out once.
            let skb = unsafe { self.skbs[i].assume_init_read() };
            if i < decided {
                // SAFETY: By the type invariants.
                take(skb, unsafe { self.verdicts[i].assume_init_read() });
            }
        }
    }
}

impl Burst for SkbBurst {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn frame(&mut self, i: usize) -> Frame<'_> {
        let i = i.min(self.len.wrapping_sub(1)) & (BURST - 1);
        // SAFETY: `i` is below `len`, which is not zero when the core asks for
        // a frame; those elements are initialised by the type invariants.
        unsafe { self.skbs[i].assume_init_mut() }.frame()
    }

    #[inline(always)]
    fn verdict(&mut self, i: usize, verdict: Verdict) {
        if i == self.decided && i < self.len {
            self.verdicts[i & (BURST - 1)].write(verdict);
            // INVARIANT: The elements before `i` were initialised already.
            self.decided = i + 1;
        }
    }
}

impl Drop for SkbBurst {
    fn drop(&mut self) {
        self.drain(|skb, _| drop(skb));
    }
}

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
