// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Split virtqueues (VIRTIO 1.2, 2.7), the driver's side.
//!
//! The driver writes descriptors, their numbers into the available ring, and `avail.idx`; the device
//! writes numbers and lengths into the used ring, in any order, and `used.idx`. Both indices only
//! grow, and wrap at 16 bits.

use ::core::ops::DerefMut;

use super::super::dma::Dma;
use super::super::queue::{BufferId, Fault, Given, Queue, Transmit};
use super::super::shadow::{self, Slot};
use super::{need_event, Access, Areas, Ring};

mod tests;

/// `VIRTQ_AVAIL_F_NO_INTERRUPT`.
const NO_INTERRUPT: u16 = 1;
/// `VIRTQ_USED_F_NO_NOTIFY`.
const NO_NOTIFY: u16 = 1;
/// While silent under `VIRTIO_F_EVENT_IDX`, the index of the wanted interrupt is moved on before the
/// device comes near to it.
const FAR: u16 = 1 << 14;

/// A split virtqueue.
///
/// # Invariants
///
/// - `used` to `avail` is at most `size` elements. Of the available ring the device reads those, at
///   most; the driver writes the others.
/// - Of the used ring the driver reads the elements from `used` to `used.idx`, which was checked to be
///   no more than `avail`; the device writes the others.
/// - A descriptor is the device's exactly while its slot has a buffer: the driver writes no such one.
#[derive(Debug)]
pub struct Split<D, S> {
    memory: D,
    /// Which buffer each descriptor holds.
    slots: S,
    size: u16,
    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated.
    event_idx: bool,
    armed: bool,
    /// Position of the available ring, in fields of 16 bits: `flags`, `idx`, elements, `used_event`.
    avail_ring: usize,
    /// Position of the used ring, in fields of 16 bits: `flags`, `idx`, elements of four,
    /// `avail_event`.
    used_ring: usize,
    /// Next index of the available ring.
    avail: u16,
    /// The index at the last kick.
    kicked: u16,
    /// Next index of the used ring.
    used: u16,
    /// What `used_event` was set to while silent.
    silent: u16,
    /// Whether each element of the available ring holds its own position, so that it need not be
    /// written when the descriptor of that number is given: the case of a device that returns
    /// descriptors in the order in which it got them.
    in_order: bool,
    fault: Option<Fault>,
}

impl<D: Dma, S: DerefMut<Target = [Slot]>> Split<D, S> {
    /// Where the parts of a ring of `size` descriptors are.
    pub const fn areas(size: u16) -> Areas {
        let elements = size as usize;
        let (driver, device) = (elements.wrapping_mul(2), elements.wrapping_mul(8));
        // The used ring's elements, behind 4 octets, are read whole.
        Areas::new(size, driver.wrapping_add(6), device.wrapping_add(6), 4)
    }

    /// An empty ring with a descriptor for each slot: a power of two from 2 to 32,768. The memory is
    /// what [`Split::areas`] says, and all 0. The device is told to be silent.
    pub fn new(memory: D, mut slots: S, event_idx: bool) -> Option<Self> {
        let size = shadow::clear(&mut slots, 1 << 15)?;
        let areas = Self::areas(size);
        let mut ring = Self {
            memory,
            slots,
            size,
            event_idx,
            armed: false,
            avail_ring: areas.driver >> 1,
            used_ring: areas.device >> 1,
            avail: 0,
            kicked: 0,
            used: 0,
            silent: 0,
            in_order: true,
            fault: None,
        };
        for position in 0..size {
            let at = ring.avail_at(usize::from(position).wrapping_add(2));
            ring.memory.store16(at, position);
        }
        ring.disarm();
        Some(ring)
    }

    /// Field `i` of 16 bits of the available ring.
    #[inline(always)]
    fn avail_at(&self, i: usize) -> usize {
        self.avail_ring.wrapping_add(i)
    }

    /// Field `i` of 16 bits of the used ring.
    #[inline(always)]
    fn used_at(&self, i: usize) -> usize {
        self.used_ring.wrapping_add(i)
    }

    /// Where the driver says at which index it wants an interrupt.
    #[inline(always)]
    fn used_event_at(&self) -> usize {
        self.avail_at(usize::from(self.size).wrapping_add(2))
    }

    /// Where the device says at which index it wants a doorbell.
    #[inline(always)]
    fn avail_event_at(&self) -> usize {
        let elements = usize::from(self.size).wrapping_mul(4);
        self.used_at(elements.wrapping_add(2))
    }

    #[inline(always)]
    fn used_idx(&self) -> u16 {
        self.memory.load16(self.used_at(1))
    }

    /// Buffers the device holds.
    #[inline(always)]
    fn held(&self) -> u16 {
        self.avail.wrapping_sub(self.used)
    }

    /// Fills whatever descriptors are free, which take turns in another order than those of the
    /// available ring. Tells the next index of that, and the octets that were given.
    #[inline(never)]
    fn give_elsewhere(
        &mut self,
        flags: u64,
        mut avail: usize,
        frames: impl Iterator<Item = Transmit>,
    ) -> (usize, u64) {
        let mut octets = 0u64;
        let elements = self.avail_at(2);
        let slots: &mut [Slot] = &mut self.slots;
        let mask = slots.len().wrapping_sub(1);
        for frame in frames {
            let position = avail & mask;
            let Some(number) = shadow::put(slots, position, frame.buffer) else {
                break;
            };
            let word = u64::from(frame.len) | flags;
            self.memory.store_pair(number, frame.address, word);
            self.memory
                .store16(elements.wrapping_add(position), number as u16);
            octets = octets.wrapping_add(frame.len.into());
            avail = avail.wrapping_add(1);
        }
        (avail, octets)
    }

    /// Asks for an interrupt as far away as can be: after 65,535 more buffers.
    fn keep_silent(&mut self) {
        self.silent = self.used;
        self.memory
            .store16(self.used_event_at(), self.used.wrapping_sub(1));
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>> Queue for Split<D, S> {
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

    #[inline(always)]
    fn has_finished(&self) -> bool {
        self.used_idx() != self.used
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
        let wanted = if self.event_idx {
            need_event(self.memory.load16(self.avail_event_at()), new, old)
        } else {
            self.memory.load16(self.used_at(0)) & NO_NOTIFY == 0
        };
        wanted.then_some(new)
    }

    fn arm(&mut self) -> bool {
        if self.fault.is_some() {
            return false;
        }
        self.armed = true;
        if self.event_idx {
            self.memory.store16(self.used_event_at(), self.used);
        } else {
            self.memory.store16(self.avail_at(0), 0);
        }
        // The wish must be seen before the index is read, or both sides wait.
        self.memory.mb();
        if !self.has_finished() {
            return true;
        }
        self.disarm();
        false
    }

    fn disarm(&mut self) {
        self.armed = false;
        if self.event_idx {
            self.keep_silent();
        } else {
            self.memory.store16(self.avail_at(0), NO_INTERRUPT);
        }
    }

    fn stop(&mut self, sink: impl FnMut(BufferId)) {
        self.fault = Some(Fault::Stopped);
        self.used = self.avail;
        shadow::drain(&mut self.slots, sink);
    }
}

impl<D: Dma, S: DerefMut<Target = [Slot]>> Ring for Split<D, S> {
    #[inline(always)]
    fn give(&mut self, access: Access, mut frames: impl Iterator<Item = Transmit>) -> Given {
        let flags = u64::from(access.flags()) << 32;
        if self.fault.is_some() {
            return Given::default();
        }
        let slots: &mut [Slot] = &mut self.slots;
        let Some(mask) = slots.len().checked_sub(1) else {
            return Given::default();
        };
        let before = usize::from(self.avail);
        let (mut avail, mut octets, mut displaced) = (before, 0u64, None);
        if self.in_order {
            for frame in frames.by_ref() {
                let position = avail & mask;
                if !shadow::put_at(slots, position, frame.buffer) {
                    displaced = Some(frame);
                    break;
                }
                let word = u64::from(frame.len) | flags;
                self.memory.store_pair(position, frame.address, word);
                octets = octets.wrapping_add(frame.len.into());
                avail = avail.wrapping_add(1);
            }
        }
        if !self.in_order || displaced.is_some() {
            self.in_order = false;
            let frames = displaced.into_iter().chain(frames);
            let (end, more) = self.give_elsewhere(flags, avail, frames);
            avail = end;
            octets = octets.wrapping_add(more);
        }
        if avail != before {
            self.avail = avail as u16;
            // Descriptors and elements before the index that covers them.
            self.memory.wmb();
            self.memory.store16(self.avail_at(1), self.avail);
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
        let ready = self.used_idx().wrapping_sub(self.used);
        if ready == 0 {
            return Ok(0);
        }
        if ready > self.held() {
            self.fault = Some(Fault::TooMany);
            return Err(Fault::TooMany);
        }
        // The index before the elements and the buffers that it covers.
        self.memory.rmb();
        let elements = self.used_at(2) >> 2;
        let slots: &mut [Slot] = &mut self.slots;
        let before = usize::from(self.used);
        let mut used = before;
        let (start, count) = (
            self.used & self.size.wrapping_sub(1),
            most.min(usize::from(ready)),
        );
        // They are in one piece, or some at the end of the ring and the others at its start.
        let behind = usize::from(self.size.wrapping_sub(start)).min(count);
        let pieces = [
            (usize::from(start), behind),
            (0, count.wrapping_sub(behind)),
        ];
        'all: for (first, count) in pieces {
            let first = elements.wrapping_add(first);
            for element in self.memory.load64_each(first, count) {
                let (number, written) = (element as u32 as usize, (element >> 32) as u32);
                let taken = shadow::take(slots, number, |buffer| each(buffer, written));
                if let Err(fault) = taken {
                    self.fault = Some(fault);
                    break 'all;
                }
                used = used.wrapping_add(1);
            }
        }
        self.used = used as u16;
        if self.event_idx && !self.armed && self.used.wrapping_sub(self.silent) > FAR {
            self.keep_silent();
        }
        match (used.wrapping_sub(before), self.fault) {
            (0, Some(fault)) => Err(fault),
            (count, _) => Ok(count),
        }
    }
}
