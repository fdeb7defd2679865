// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Packed virtqueues (VIRTIO 1.2, 2.8), the driver's side.
//!
//! One ring of descriptors: the driver writes them in order and marks them available, the device
//! overwrites them in order and marks them used, naming the finished buffers in any order by a
//! number that the driver chose. What the two marks mean changes with every round; here both sides
//! of the ring are 16-bit indices that only grow, whose bits above the ring's size tell the round.

use ::core::ops::DerefMut;

use super::super::dma::Dma;
use super::super::queue::{BufferId, Fault, Given, Queue, Transmit};
use super::super::shadow::{self, Slot};
use super::{Access, Areas, Ring};

mod tests;

/// `VIRTQ_DESC_F_AVAIL`, in the second word of a descriptor: length (32 bits), number (16), flags.
const AVAIL: u64 = 1 << 55;
/// `VIRTQ_DESC_F_USED`.
const USED: u64 = 1 << 63;

/// `RING_EVENT_FLAGS_ENABLE`.
const ENABLE: u16 = 0;
/// `RING_EVENT_FLAGS_DISABLE`.
const DISABLE: u16 = 1;
/// `RING_EVENT_FLAGS_DESC`: at the descriptor named besides; with `VIRTIO_F_EVENT_IDX` only.
const DESC: u16 = 2;
/// The round of the descriptor named in an event suppression structure.
const EVENT_WRAP: u16 = 1 << 15;

/// Marks in the next round of the ring. A call, since it is needed once in a round, and a jump over it
/// is cheaper than to have the other marks ready for each descriptor.
#[cold]
#[inline(never)]
fn next_round(marks: u64) -> u64 {
    marks ^ (AVAIL | USED)
}

/// A packed virtqueue.
///
/// # Invariants
///
/// - `used` to `avail` is at most `size` descriptors. The device has those, each from the moment when
///   the driver marks it available until it marks it used itself; of these the driver only reads the
///   one at `used`, and what it says only when it is marked used. The driver has all others: it alone
///   writes those from `avail` to `used + size`, and the device looks at them for their marks alone.
/// - A slot has a buffer exactly while the device has a descriptor with its number.
#[derive(Debug)]
pub struct Packed<D, S> {
    memory: D,
    /// Which buffer each number means.
    slots: S,
    size: u16,
    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated.
    event_idx: bool,
    /// Position of the driver's event suppression structure, in fields of 32 bits.
    driver_event: usize,
    /// Position of the device's.
    device_event: usize,
    /// Next descriptor to make available.
    avail: u16,
    /// The one at the last kick.
    kicked: u16,
    /// Next descriptor to be used.
    used: u16,
    fault: Option<Fault>,
}

impl<D: Dma, S: DerefMut<Target = [Slot]>> Packed<D, S> {
    /// Where the parts of a ring of `size` descriptors are.
    pub const fn areas(size: u16) -> Areas {
        Areas::new(size, 4, 4, 0)
    }

    /// An empty ring with a descriptor for each slot: a power of two from 2 to 32,768. The memory is
    /// what [`Packed::areas`] says, and all 0. The device is told to be silent.
    pub fn new(memory: D, mut slots: S, event_idx: bool) -> Option<Self> {
        let size = shadow::clear(&mut slots, 1 << 15)?;
        let areas = Self::areas(size);
        let mut ring = Self {
            memory,
            slots,
            size,
            event_idx,
            driver_event: areas.driver >> 2,
            device_event: areas.device >> 2,
            avail: 0,
            kicked: 0,
            used: 0,
            fault: None,
        };
        ring.disarm();
        Some(ring)
    }

    /// Buffers the device holds.
    #[inline(always)]
    fn held(&self) -> u16 {
        self.avail.wrapping_sub(self.used)
    }

    /// An index as the other side sees it: which descriptor, and the wrap counter, which is 1 in the
    /// first round, then 0 and 1 in turn.
    fn off_wrap(&self, index: u16) -> u16 {
        let wrap = if index & self.size == 0 {
            EVENT_WRAP
        } else {
            0
        };
        index & self.size.wrapping_sub(1) | wrap
    }

    /// The marks of an available descriptor at an index, and of a used one, as in its second word.
    #[inline(always)]
    fn marks(&self, index: u16) -> (u64, u64) {
        if index & self.size == 0 {
            (AVAIL, AVAIL | USED)
        } else {
            (USED, 0)
        }
    }

    fn set_event(&mut self, flags: u16, off_wrap: u16) {
        let word = u32::from(off_wrap) | u32::from(flags) << 16;
        self.memory.store32(self.driver_event, word);
    }

    /// Whether the device waits for one of the descriptors made available from `old` to `new`.
    fn is_event(&self, off_wrap: u16, new: u16, old: u16) -> bool {
        let size = self.size;
        let round = if off_wrap & EVENT_WRAP == 0 { size } else { 0 };
        let event = (off_wrap & size.wrapping_sub(1)) | round;
        // Only the two rounds of the counter can be told apart.
        let rounds = size.wrapping_mul(2).wrapping_sub(1);
        let beyond = new.wrapping_sub(event).wrapping_sub(1) & rounds;
        beyond < new.wrapping_sub(old) & rounds
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>> Queue for Packed<D, S> {
    #[inline(always)]
    fn room(&self) -> u32 {
        match self.fault {
            None => u32::from(self.size.wrapping_sub(self.held())),
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
        let (_, marks) = self.marks(self.used);
        let position = usize::from(self.used & self.size.wrapping_sub(1));
        let word = self.memory.load64(position.wrapping_mul(2) | 1);
        self.held() != 0 && word & (AVAIL | USED) == marks
    }

    #[inline]
    fn kick(&mut self) -> Option<u16> {
        let (old, new) = (self.kicked, self.avail);
        if old == new || self.fault.is_some() {
            return None;
        }
        self.kicked = new;
        // What was published must be seen before the device's wish is read, or both sides wait.
        self.memory.mb();
        let word = self.memory.load32(self.device_event);
        let wanted = match (word >> 16) as u16 {
            DISABLE => false,
            DESC if self.event_idx => self.is_event(word as u16, new, old),
            _ => true,
        };
        wanted.then_some(self.off_wrap(new))
    }

    fn arm(&mut self) -> bool {
        if self.fault.is_some() {
            return false;
        }
        if self.event_idx {
            self.set_event(DESC, self.off_wrap(self.used));
        } else {
            self.set_event(ENABLE, 0);
        }
        // The wish must be seen before the marks are read, or both sides wait.
        self.memory.mb();
        if !self.has_finished() {
            return true;
        }
        self.disarm();
        false
    }

    fn disarm(&mut self) {
        self.set_event(DISABLE, 0);
    }

    fn stop(&mut self, sink: impl FnMut(BufferId)) {
        self.fault = Some(Fault::Stopped);
        self.used = self.avail;
        shadow::drain(&mut self.slots, sink);
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>> Ring for Packed<D, S> {
    #[inline(always)]
    fn give(&mut self, access: Access, frames: impl Iterator<Item = Transmit>) -> Given {
        if self.fault.is_some() {
            return Given::default();
        }
        let (mut marks, _) = self.marks(self.avail);
        marks |= u64::from(access.flags()) << 48;
        let slots: &mut [Slot] = &mut self.slots;
        let Some(mask) = slots.len().checked_sub(1) else {
            return Given::default();
        };
        let before = usize::from(self.avail);
        let (mut avail, mut octets, mut head) = (before, 0u64, (0, 0));
        for frame in frames {
            let position = avail & mask;
            let Some(number) = shadow::put(slots, position, frame.buffer) else {
                break;
            };
            let word = u64::from(frame.len) | (number as u64) << 32 | marks;
            octets = octets.wrapping_add(frame.len.into());
            if avail == before {
                let at = position.wrapping_mul(2);
                self.memory.store64(at, frame.address);
                head = (at | 1, word);
            } else {
                self.memory.store_pair(position, frame.address, word);
            }
            avail = avail.wrapping_add(1);
            if avail & mask == 0 {
                marks = next_round(marks);
            }
        }
        if avail != before {
            self.avail = avail as u16;
            // The device looks at the first one's marks; the others are then in place.
            self.memory.wmb();
            self.memory.store64(head.0, head.1);
        }
        let count = avail.wrapping_sub(before);
        Given { count, octets }
    }

    #[inline(always)]
    fn take(
        &mut self,
        most: usize,
        mut each: impl FnMut(BufferId, u32) -> Result<(), Fault>,
    ) -> Result<usize, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let (held, (_, mut marks)) = (self.held(), self.marks(self.used));
        let slots: &mut [Slot] = &mut self.slots;
        let Some(mask) = slots.len().checked_sub(1) else {
            return Ok(0);
        };
        let before = usize::from(self.used);
        let mut used = before;
        for _ in 0..most.min(usize::from(held)) {
            // Marks, number and length in one load: the device writes the marks last, so that who
            // sees them sees the others.
            let word = self.memory.load64((used & mask).wrapping_mul(2) | 1);
            if word & (AVAIL | USED) != marks {
                break;
            }
            let (number, written) = (usize::from((word >> 32) as u16), word as u32);
            let taken = shadow::take(slots, number, |buffer| each(buffer, written));
            if let Err(fault) = taken {
                self.fault = Some(fault);
                break;
            }
            used = used.wrapping_add(1);
            if used & mask == 0 {
                marks = next_round(marks);
            }
        }
        self.used = used as u16;
        // The marks before the buffers that they cover.
        self.memory.rmb();
        match (used.wrapping_sub(before), self.fault) {
            (0, Some(fault)) => Err(fault),
            (count, _) => Ok(count),
        }
    }
}
