// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The transmit ring of Intel's NICs.

use ::core::marker::PhantomData;
use ::core::ops::DerefMut;

use super::super::dma::Dma;
use super::super::queue::{BufferId, Fault, Given, Queue, Transmit, TxQueue};
use super::super::shadow::{self, Slot};
use super::{Layout, MAX_SIZE, MIN_SIZE, TX_DD, TX_RS};

/// Most frames of a group, of which only the last one asks the NIC to report.
const GROUP: usize = 32;

/// A transmit ring. Its indices only grow, and wrap at 16 bits. What is sent together is reported
/// together; the slot where a group begins says where it ends.
///
/// # Invariants
///
/// - `done` to `sent` is less than `size` descriptors. The NIC has those; of these the driver reads the
///   last one of the group at `done`. The driver has the others and alone writes them: it fills those
///   from `sent` to `done + size - 1`.
/// - A slot has a buffer exactly while the NIC has the descriptor of its number.
#[derive(Debug)]
pub struct Tx<D, S, L> {
    memory: D,
    /// Which buffer each descriptor holds.
    slots: S,
    size: u16,
    /// Next descriptor to be finished.
    done: u16,
    /// Next descriptor to fill.
    sent: u16,
    /// The one at the last kick.
    kicked: u16,
    fault: Option<Fault>,
    layout: PhantomData<L>,
}

impl<D: Dma, S: DerefMut<Target = [Slot]>, L: Layout> Tx<D, S, L> {
    /// An empty ring with a descriptor for each slot: a power of two from [`MIN_SIZE`] to
    /// [`MAX_SIZE`]. The memory has [`DESCRIPTOR`](super::DESCRIPTOR) octets for each.
    pub fn new(memory: D, mut slots: S) -> Option<Self> {
        let size = shadow::clear(&mut slots, MAX_SIZE)?;
        (usize::from(size) >= MIN_SIZE).then_some(Self {
            memory,
            slots,
            size,
            done: 0,
            sent: 0,
            kicked: 0,
            fault: None,
            layout: PhantomData,
        })
    }

    #[inline(always)]
    fn held(&self) -> u16 {
        self.sent.wrapping_sub(self.done)
    }

    #[inline(always)]
    fn position(&self, index: u16) -> u16 {
        index & self.size.wrapping_sub(1)
    }

    /// Ends a group: has the last descriptor before `end`, which holds `word`, reported. The NIC does
    /// not see it yet.
    #[inline(always)]
    fn close(memory: &D, slots: &mut [Slot], first: usize, end: usize, word: u64) {
        let mask = slots.len().wrapping_sub(1);
        let last = end.wrapping_sub(1) & mask;
        if let Some(slot) = slots.get_mut(first & mask) {
            slot.last = last as u16;
        }
        memory.store64(last.wrapping_mul(2) | 1, word | TX_RS);
    }

    /// Frames of the group that begins at `done`, if the NIC has sent them.
    #[inline(always)]
    fn finished(&self) -> Option<u16> {
        let first = self.position(self.done);
        if self.done == self.sent {
            return None;
        }
        let last = self.slots.get(usize::from(first))?.last;
        let word = self.memory.load64(usize::from(last).wrapping_mul(2) | 1);
        let count = self.position(last.wrapping_sub(first)).wrapping_add(1);
        (word & TX_DD != 0).then_some(count)
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>, L: Layout> Queue for Tx<D, S, L> {
    #[inline(always)]
    fn room(&self) -> u32 {
        match self.fault {
            None => u32::from(self.size.wrapping_sub(1).wrapping_sub(self.held())),
            Some(_) => 0,
        }
    }

    #[inline(always)]
    fn outstanding(&self) -> u32 {
        u32::from(self.held())
    }

    #[inline(always)]
    fn fault(&self) -> Option<Fault> {
        self.fault
    }

    fn has_finished(&self) -> bool {
        self.finished().is_some()
    }

    #[inline]
    fn kick(&mut self) -> Option<u16> {
        if self.kicked == self.sent || self.fault.is_some() {
            return None;
        }
        self.kicked = self.sent;
        // Descriptors before the tail register.
        self.memory.wmb();
        Some(self.position(self.sent))
    }

    fn arm(&mut self) -> bool {
        self.memory.mb();
        self.fault.is_none() && !self.has_finished()
    }

    fn disarm(&mut self) {}

    fn stop(&mut self, sink: impl FnMut(BufferId)) {
        self.fault = Some(Fault::Stopped);
        self.done = self.sent;
        shadow::drain(&mut self.slots, sink);
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>, L: Layout> TxQueue for Tx<D, S, L> {
    #[inline]
    fn send(&mut self, frames: impl Iterator<Item = Transmit>) -> Given {
        let (room, mut octets) = (self.room() as usize, 0u64);
        let slots: &mut [Slot] = &mut self.slots;
        let mask = slots.len().wrapping_sub(1);
        let before = usize::from(self.sent);
        // Where the group begins, and the word of the descriptor before `sent`.
        let (mut sent, mut first, mut word) = (before, before, 0);
        for frame in frames.take(room) {
            let position = sent & mask;
            if let Some(slot) = slots.get_mut(position) {
                slot.put(frame.buffer);
            }
            word = L::transmit(frame.len as u16);
            self.memory.store_pair(position, frame.address, word);
            octets = octets.wrapping_add(frame.len.into());
            sent = sent.wrapping_add(1);
            if sent.wrapping_sub(first) == GROUP {
                Self::close(&self.memory, slots, first, sent, word);
                first = sent;
            }
        }
        if sent != first {
            Self::close(&self.memory, slots, first, sent, word);
        }
        self.sent = sent as u16;
        let count = sent.wrapping_sub(before);
        Given { count, octets }
    }

    #[inline]
    fn reclaim(&mut self, max: usize, mut sink: impl FnMut(BufferId)) -> Result<usize, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let mut left = max;
        while left != 0 {
            let Some(count) = self.finished() else {
                break;
            };
            let end = self.done.wrapping_add(count);
            let slots: &mut [Slot] = &mut self.slots;
            let mask = slots.len().wrapping_sub(1);
            let (mut done, taken) = (usize::from(self.done), usize::from(count).min(left));
            for _ in 0..taken {
                let slot = shadow::take(slots, done & mask, |buffer| {
                    sink(buffer);
                    Ok(())
                });
                if let Err(fault) = slot {
                    self.fault = Some(fault);
                    return Err(fault);
                }
                done = done.wrapping_add(1);
            }
            self.done = done as u16;
            left = left.wrapping_sub(taken);
            if self.done != end {
                // The rest of the group is a group.
                if let Some(first) = slots.get_mut(done & mask) {
                    first.last = (usize::from(end.wrapping_sub(1)) & mask) as u16;
                }
            }
        }
        // The report before anything is written into the buffers.
        self.memory.rmb();
        Ok(max.wrapping_sub(left))
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_intel_tx))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::Memory;
    use super::super::{E1000e, Igb};
    use super::*;

    type Tx8<'a, L> = Tx<&'a Memory<64>, &'a mut [Slot], L>;

    fn frame(buffer: u32) -> Transmit {
        Transmit {
            buffer: BufferId(buffer),
            len: 60,
            address: u64::from(buffer) << 11,
        }
    }

    fn done(memory: &Memory<64>, position: usize) {
        memory.store64(position.wrapping_mul(2) | 1, TX_DD);
    }

    #[test]
    fn groups_are_reported_together() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 8]);
        let mut tx: Tx8<'_, E1000e> =
            Tx::new(&memory, slots.as_mut_slice()).ok_or(Fault::Stopped)?;
        assert_eq!(tx.send([frame(1), frame(2), frame(3)].into_iter()).count, 3);
        assert_eq!(tx.kick(), Some(3));
        assert_eq!(tx.send([frame(4), frame(5)].into_iter()).count, 2);
        assert_eq!(tx.kick(), Some(5));
        assert_eq!(memory.load64(0), 1 << 11);
        assert_eq!(memory.load64(3), 0x0300_003c);
        assert_eq!(memory.load64(5), 0x0b00_003c);
        assert_eq!(memory.load64(9), 0x0b00_003c);
        // The first group is sent, but only two buffers of it are wanted.
        assert!(tx.arm());
        done(&memory, 2);
        assert!(!tx.arm());
        let mut sum = 0u32;
        assert_eq!(tx.reclaim(2, |buffer| sum = sum.wrapping_add(buffer.0))?, 2);
        assert_eq!((sum, tx.outstanding()), (3, 3));
        assert_eq!(tx.reclaim(9, |buffer| sum = sum.wrapping_add(buffer.0))?, 1);
        assert_eq!((sum, tx.outstanding()), (6, 2));
        // Over the end of the ring: no more than seven at once.
        assert_eq!(tx.room(), 5);
        let more = [frame(6), frame(7), frame(8), frame(9), frame(10), frame(11)];
        assert_eq!(tx.send(more.into_iter()).count, 5);
        assert_eq!((tx.kick(), tx.room()), (Some(2), 0));
        done(&memory, 4);
        done(&memory, 1);
        assert_eq!(tx.reclaim(9, |buffer| sum = sum.wrapping_add(buffer.0))?, 7);
        assert_eq!((sum, tx.outstanding()), (55, 0));
        Ok(())
    }

    #[test]
    fn buffers_come_back_from_a_stopped_ring() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 8]);
        let mut tx: Tx8<'_, Igb> = Tx::new(&memory, slots.as_mut_slice()).ok_or(Fault::Stopped)?;
        assert_eq!(tx.send([frame(1), frame(2)].into_iter()).count, 2);
        let mut sum = 0u32;
        tx.stop(|buffer| sum = sum.wrapping_add(buffer.0));
        assert_eq!(
            (sum, tx.send([frame(3)].into_iter()).count, tx.room()),
            (3, 0, 0)
        );
        assert_eq!(tx.reclaim(1, |_| ()), Err(Fault::Stopped));
        assert_eq!((tx.kick(), tx.arm()), (None, false));
        Ok(())
    }
}
