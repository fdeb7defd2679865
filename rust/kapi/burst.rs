// SPDX-License-Identifier: GPL-2.0

//! A burst of packets on the engine's stack.

use core::mem::MaybeUninit;

use super::batch::{Batch, Filling};
use super::skb::Skb;
use crate::core_::frame::{Burst, Frame, BURST, MAX_PORTS};
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
/// The first `decided` elements of `verdicts` are initialised; `decided` is not
/// more than there are packets.
pub(crate) struct Packets<P: Packet> {
    packets: Batch<P>,
    verdicts: [MaybeUninit<Verdict>; BURST],
    decided: usize,
}

impl<P: Packet> Packets<P> {
    /// An empty burst.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        // INVARIANT: Nothing is in it.
        Self {
            packets: Batch::new(),
            verdicts: [const { MaybeUninit::uninit() }; BURST],
            decided: 0,
        }
    }

    /// Adds a packet; gives it back when the burst is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, packet: P) -> Result<(), P> {
        self.packets.push(packet)
    }

    /// To put many packets in, in place of those that are there.
    #[inline(always)]
    pub(crate) fn fill(&mut self) -> Filling<'_, P> {
        self.decided = 0;
        self.packets.fill()
    }

    /// Frees every packet, telling `count` of each.
    pub(crate) fn discard(&mut self, mut count: impl FnMut()) {
        self.take_all().for_each(|_| count());
    }

    /// All packets, whatever was decided.
    #[inline(always)]
    pub(crate) fn all(&mut self) -> &mut Batch<P> {
        self.decided = 0;
        &mut self.packets
    }

    /// Takes all packets out, in order, whatever was decided. Those that are not
    /// taken are lost: take all.
    #[inline(always)]
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = P> + '_ {
        self.decided = 0;
        self.packets.drain()
    }

    /// Hands every packet with its verdict to `take` and empties the burst: those
    /// that leave by one port after another, then the others, all in order. A packet
    /// without verdict is freed.
    #[inline(always)]
    pub(crate) fn drain(&mut self, mut take: impl FnMut(P, Verdict)) {
        let verdicts = self.verdicts.as_ptr().cast::<Verdict>();
        // SAFETY: By the type invariants, so many are initialised.
        let verdicts = unsafe { core::slice::from_raw_parts(verdicts, self.decided) };
        // INVARIANT: The packets are given up below.
        self.decided = 0;
        let packets = self.packets.release();
        let mut hand = |wanted: u64| {
            for (packet, verdict) in packets.iter().zip(verdicts) {
                if group(verdict) == wanted {
                    // SAFETY: It was in the batch, and is in one group.
                    take(unsafe { packet.assume_init_read() }, *verdict);
                }
            }
        };
        let mut groups = verdicts.iter().fold(0, |all, verdict| all | group(verdict));
        while groups != 0 {
            let lowest = groups & groups.wrapping_neg();
            groups ^= lowest;
            hand(lowest);
        }
        hand(0);
        for packet in packets.iter().skip(verdicts.len()) {
            // SAFETY: It was in the batch, and `hand` came to those before it.
            drop(unsafe { packet.assume_init_read() });
        }
    }
}

/// A bit for the port that a packet leaves by; 0 if it does not.
#[inline(always)]
fn group(verdict: &Verdict) -> u64 {
    match verdict {
        Verdict::Forward(port) => 1 << (port.0 % MAX_PORTS as u16),
        _ => 0,
    }
}

impl<P: Packet> Burst for Packets<P> {
    #[inline(always)]
    fn len(&self) -> usize {
        self.packets.len()
    }

    #[inline(always)]
    fn frames(&mut self) -> impl Iterator<Item = Frame<'_>> {
        self.packets.as_mut_slice().iter_mut().map(P::frame)
    }

    #[inline(always)]
    fn decide<T>(
        &mut self,
        notes: impl Iterator<Item = T>,
        mut decide: impl FnMut(T, Frame<'_>) -> Verdict,
    ) {
        let packets = self.packets.as_mut_slice().iter_mut();
        let mut decided = 0;
        for ((packet, place), note) in packets.zip(&mut self.verdicts).zip(notes) {
            place.write(decide(note, packet.frame()));
            decided += 1;
        }
        // INVARIANT: So many were written, one for each packet.
        self.decided = decided;
    }
}
