// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The receive ring of Intel's NICs.

use ::core::marker::PhantomData;
use ::core::ops::DerefMut;

use super::super::dma::Dma;
use super::super::queue::{BufferId, Condition, Fault, Queue, Received, RxQueue};
use super::super::shadow::{self, Slot};
use super::{Layout, MAX_SIZE, MIN_SIZE, RX_DD, RX_EOP};

/// A receive ring. Its indices only grow, and wrap at 16 bits.
///
/// # Invariants
///
/// - `next` to `filled` is less than `size` descriptors. The NIC has those; of these the driver reads
///   the one at `next`, and what it says only when it is marked done. The driver has the others and
///   alone writes them: it fills those from `filled` to `next + size - 1`.
/// - A slot has a buffer exactly while the NIC has the descriptor of its number.
#[derive(Debug)]
pub struct Rx<D, S, L> {
    memory: D,
    /// Which buffer each descriptor holds.
    slots: S,
    size: u16,
    /// Octets the NIC may write into a buffer.
    capacity: u16,
    /// Next descriptor to be finished.
    next: u16,
    /// Next descriptor to fill.
    filled: u16,
    /// The one at the last kick.
    kicked: u16,
    /// Whether the last buffer held a frame that goes on in the next one.
    goes_on: bool,
    fault: Option<Fault>,
    layout: PhantomData<L>,
}

impl<D: Dma, S: DerefMut<Target = [Slot]>, L: Layout> Rx<D, S, L> {
    /// An empty ring with a descriptor for each slot: a power of two from [`MIN_SIZE`] to
    /// [`MAX_SIZE`]. The memory has [`DESCRIPTOR`](super::DESCRIPTOR) octets for each.
    ///
    /// The NIC must be told not to receive frames longer than `capacity` octets: its own buffer size
    /// comes in steps of 1 KiB.
    pub fn new(memory: D, mut slots: S, capacity: u16) -> Option<Self> {
        let size = shadow::clear(&mut slots, MAX_SIZE)?;
        (usize::from(size) >= MIN_SIZE).then_some(Self {
            memory,
            slots,
            size,
            capacity,
            next: 0,
            filled: 0,
            kicked: 0,
            goes_on: false,
            fault: None,
            layout: PhantomData,
        })
    }

    #[inline(always)]
    fn held(&self) -> u16 {
        self.filled.wrapping_sub(self.next)
    }

    /// Second word of the next descriptor: status and errors (32 bits), length (16), VLAN tag.
    fn next_word(&self) -> u64 {
        let position = usize::from(self.next & self.size.wrapping_sub(1));
        self.memory.load64(position.wrapping_mul(2) | 1)
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>, L: Layout> Queue for Rx<D, S, L> {
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
        self.held() != 0 && self.next_word() as u32 & RX_DD != 0
    }

    #[inline]
    fn kick(&mut self) -> Option<u16> {
        if self.kicked == self.filled || self.fault.is_some() {
            return None;
        }
        self.kicked = self.filled;
        // Descriptors before the tail register.
        self.memory.wmb();
        Some(self.filled & self.size.wrapping_sub(1))
    }

    fn arm(&mut self) -> bool {
        self.memory.mb();
        self.fault.is_none() && !self.has_finished()
    }

    fn disarm(&mut self) {}

    fn stop(&mut self, sink: impl FnMut(BufferId)) {
        self.fault = Some(Fault::Stopped);
        self.filled = self.next;
        shadow::drain(&mut self.slots, sink);
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>, L: Layout> RxQueue for Rx<D, S, L> {
    const OFFSET: u16 = 0;

    #[inline]
    fn receive_each(
        &mut self,
        most: usize,
        mut sink: impl FnMut(Received),
    ) -> Result<usize, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let (held, capacity) = (self.held(), self.capacity);
        let slots: &mut [Slot] = &mut self.slots;
        let mask = slots.len().wrapping_sub(1);
        let before = usize::from(self.next);
        let (mut next, mut goes_on) = (before, self.goes_on);
        for _ in 0..most.min(usize::from(held)) {
            // Status and length in one load: the NIC writes them together.
            let position = next & mask;
            let word = self.memory.load64(position.wrapping_mul(2) | 1);
            let (status, len) = (word as u32, (word >> 32) as u16);
            if status & RX_DD == 0 {
                break;
            }
            let taken = shadow::take(slots, position, |buffer| {
                if len > capacity {
                    return Err(Fault::TooLong);
                }
                let condition = if goes_on {
                    Condition::Damaged
                } else {
                    L::condition(status)
                };
                sink(Received {
                    buffer,
                    len,
                    condition,
                });
                Ok(())
            });
            if let Err(fault) = taken {
                self.fault = Some(fault);
                break;
            }
            goes_on = status & RX_EOP == 0;
            next = next.wrapping_add(1);
        }
        self.next = next as u16;
        self.goes_on = goes_on;
        // Status before the buffers.
        self.memory.rmb();
        match (next.wrapping_sub(before), self.fault) {
            (0, Some(fault)) => Err(fault),
            (count, _) => Ok(count),
        }
    }

    #[inline]
    fn refill(&mut self, buffers: impl Iterator<Item = (BufferId, u64)>) -> usize {
        let room = self.room() as usize;
        let slots: &mut [Slot] = &mut self.slots;
        let mask = slots.len().wrapping_sub(1);
        let before = usize::from(self.filled);
        let mut filled = before;
        for (buffer, address) in buffers.take(room) {
            let position = filled & mask;
            if let Some(slot) = slots.get_mut(position) {
                slot.put(buffer);
            }
            // The second word is where the NIC will write DD.
            self.memory.store_pair(position, address, 0);
            filled = filled.wrapping_add(1);
        }
        self.filled = filled as u16;
        filled.wrapping_sub(before)
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_intel_rx))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::Memory;
    use super::super::E1000e;
    use super::*;

    type Rx8<'a> = Rx<&'a Memory<64>, &'a mut [Slot], E1000e>;

    /// The NIC: writes a frame into descriptor `position`.
    fn finish(memory: &Memory<64>, position: usize, status: u32, len: u16) {
        let word = u64::from(status) | u64::from(len) << 32;
        memory.store_pair(position, 0, word);
    }

    fn fill(rx: &mut Rx8<'_>, buffers: ::core::ops::Range<u32>) -> usize {
        let buffers = buffers.map(|i| (BufferId(i), u64::from(i) << 11));
        rx.refill(buffers)
    }

    #[test]
    fn as_the_datasheet_lays_it_out() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 8]);
        let mut rx: Rx8<'_> = Rx::new(&memory, slots.as_mut_slice(), 1518).ok_or(Fault::Stopped)?;
        // One descriptor stays empty.
        assert_eq!(fill(&mut rx, 10..30), 7);
        assert_eq!((rx.room(), rx.outstanding(), rx.kick()), (0, 7, Some(7)));
        assert_eq!((rx.kick(), memory.load64(2)), (None, 11 << 11));
        assert!(rx.arm());
        let done = RX_DD | RX_EOP;
        finish(&memory, 0, done | 1 << 5, 60);
        // A frame over two buffers, which the NIC is told not to send up.
        finish(&memory, 1, RX_DD, 1518);
        finish(&memory, 2, done, 100);
        finish(&memory, 3, done, 1514);
        assert!(!rx.arm());
        let mut out = [Received::default(); 8];
        assert_eq!(rx.receive(&mut out), Ok(4));
        let [first, second, third, fourth, ..] = out;
        assert_eq!((first.buffer, first.len), (BufferId(10), 60));
        assert_eq!(first.condition, Condition::Good);
        assert_eq!(second.condition, Condition::Damaged);
        assert_eq!(third.condition, Condition::Damaged);
        assert_eq!(fourth.condition, Condition::Unchecked);
        assert_eq!((fourth.buffer, fourth.len), (BufferId(13), 1514));
        // What is filled again does not look done.
        assert_eq!(fill(&mut rx, 40..41), 1);
        assert_eq!((rx.kick(), memory.load64(15)), (Some(0), 0));
        assert_eq!(rx.receive(&mut out), Ok(0));
        Ok(())
    }

    #[test]
    fn a_lie_has_a_name() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::default(), [Slot::default(); 8]);
        let mut rx: Rx8<'_> = Rx::new(&memory, slots.as_mut_slice(), 1518).ok_or(Fault::Stopped)?;
        fill(&mut rx, 0..4);
        finish(&memory, 0, RX_DD | RX_EOP, 1518);
        finish(&memory, 1, RX_DD | RX_EOP, 1519);
        let mut out = [Received::default(); 8];
        assert_eq!(rx.receive(&mut out), Ok(1));
        assert_eq!(rx.receive(&mut out), Err(Fault::TooLong));
        assert_eq!((rx.room(), rx.kick(), rx.arm()), (0, None, false));
        let mut back = [false; 4];
        rx.stop(|buffer| {
            if let Some(back) = back.get_mut(buffer.0 as usize) {
                *back = true;
            }
        });
        assert_eq!(back, [false, true, true, true]);
        assert_eq!(rx.receive(&mut out), Err(Fault::Stopped));
        Ok(())
    }

    #[test]
    fn sizes_of_rings() {
        let memory = Memory::<64>::default();
        let mut slots = [Slot::default(); 4];
        let none: Option<Rx8<'_>> = Rx::new(&memory, slots.as_mut_slice(), 1518);
        assert!(none.is_none());
    }
}
