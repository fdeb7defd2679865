// SPDX-License-Identifier: GPL-2.0

//! A burst of packets on the engine's stack.

use core::mem::MaybeUninit;

use super::skb::Skb;
use crate::core_::frame::{Burst, Frame, PortId, BURST};
use crate::core_::verdict::Verdict;

/// A packet as one of the port drivers has it.
pub(crate) trait Packet {
    /// What the core is shown of it.
    fn frame(&mut self) -> Frame<'_>;
}

/// A burst of packets as the kernel knows them.
pub(crate) type SkbBurst = Packets<Skb>;

/// Up to [`BURST`] owned packets and the decisions about them.
///
/// # Invariants
///
/// The first `len` elements of `packets` are packets that the burst owns, `len`
/// is at most [`BURST`], and the first `decided` elements of `verdicts`, at most
/// `len`, are initialised.
pub(crate) struct Packets<P: Packet> {
    packets: [MaybeUninit<P>; BURST],
    verdicts: [MaybeUninit<Verdict>; BURST],
    len: usize,
    decided: usize,
}

impl<P: Packet> Packets<P> {
    /// An empty burst.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        // INVARIANT: Nothing is in it.
        Self {
            packets: [const { MaybeUninit::uninit() }; BURST],
            verdicts: [const { MaybeUninit::uninit() }; BURST],
            len: 0,
            decided: 0,
        }
    }

    /// Adds a packet; gives it back when the burst is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, packet: P) -> Result<(), P> {
        match self.packets.get_mut(self.len) {
            Some(place) => {
                // INVARIANT: One more, within bounds.
                place.write(packet);
                self.len += 1;
                Ok(())
            }
            None => Err(packet),
        }
    }

    /// Frees every packet, telling `count` of each.
    pub(crate) fn discard(&mut self, mut count: impl FnMut()) {
        (0..self.len).for_each(|_| count());
        self.drain(|packet, _| drop(packet));
    }

    /// Hands every packet to `take`, whatever was decided.
    pub(crate) fn drain_all(&mut self, take: impl FnMut(P)) {
        self.take_all().for_each(take);
    }

    /// The port that every packet is to leave by, if it is one and the same.
    #[inline(always)]
    pub(crate) fn one_way(&self) -> Option<PortId> {
        let decided = self.verdicts.get(..self.decided)?;
        // SAFETY: By the type invariants.
        let mut verdicts = decided
            .iter()
            .map(|verdict| unsafe { verdict.assume_init() });
        let Verdict::Forward(to) = verdicts.next()? else {
            return None;
        };
        let same = |verdict| matches!(verdict, Verdict::Forward(port) if port == to);
        (self.decided == self.len && verdicts.all(same)).then_some(to)
    }

    /// Takes all packets out, in order, whatever was decided. Those that are not
    /// taken are lost: take all.
    #[inline(always)]
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = P> + '_ {
        let len = self.len;
        // INVARIANT: Emptied before the packets are moved out.
        self.len = 0;
        self.decided = 0;
        let packets = self.packets.iter().take(len);
        // SAFETY: By the type invariants, as it is one of the first `len`; each
        // is moved out once.
        packets.map(|packet| unsafe { packet.assume_init_read() })
    }

    /// Hands every packet with its verdict to `take`, in order, and empties the
    /// burst. A packet without verdict is freed.
    #[inline(always)]
    pub(crate) fn drain(&mut self, mut take: impl FnMut(P, Verdict)) {
        let (len, decided) = (self.len, self.decided);
        // INVARIANT: Emptied before the packets are moved out.
        self.len = 0;
        self.decided = 0;
        for i in 0..len.min(BURST) {
            // SAFETY: By the type invariants, as `i` is below the old `len`;
            // each element is moved out once.
            let packet = unsafe { self.packets[i].assume_init_read() };
            if i < decided {
                // SAFETY: By the type invariants.
                take(packet, unsafe { self.verdicts[i].assume_init_read() });
            }
        }
    }
}

impl<P: Packet> Burst for Packets<P> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn frame(&mut self, i: usize) -> Frame<'_> {
        let i = i.min(self.len.wrapping_sub(1)) & (BURST - 1);
        // SAFETY: `i` is below `len`, which is not zero when the core asks for
        // a frame; those elements are initialised by the type invariants.
        unsafe { self.packets[i].assume_init_mut() }.frame()
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

impl<P: Packet> Drop for Packets<P> {
    fn drop(&mut self) {
        self.drain(|packet, _| drop(packet));
    }
}
