// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What the driver knows of a ring, in memory no device can reach: which buffer each descriptor
//! holds.

use ::core::mem::replace;

use super::queue::{BufferId, Fault};

/// No buffer. Whatever has its highest bit means the same, and the sign is cheap to look at.
const NONE: u32 = u32::MAX;

/// One descriptor's place in the shadow. The shell lends as many as the ring has descriptors; what
/// they hold at first does not matter.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    buffer: u32,
    /// Where descriptors are finished in groups: the last one of the group that begins here.
    pub(super) last: u16,
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            buffer: NONE,
            last: 0,
        }
    }
}

impl Slot {
    /// Whether there is no buffer in it.
    #[inline(always)]
    fn is_empty(&self) -> bool {
        (self.buffer as i32) < 0
    }

    /// Puts a buffer in, whose number is below 2^31.
    #[inline(always)]
    pub(super) fn put(&mut self, buffer: BufferId) {
        self.buffer = buffer.0;
    }

    /// Takes the buffer out, unless `each` refuses it.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        each: impl FnOnce(BufferId) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.is_empty() {
            return Err(Fault::NotOutstanding);
        }
        // The other way round `self` would have to be at hand in all of `each`.
        let buffer = BufferId(replace(&mut self.buffer, NONE));
        let taken = each(buffer);
        if taken.is_err() {
            self.put(buffer);
        }
        taken
    }
}

/// Empties all slots and returns how many there are; `None` if a ring cannot have so many
/// descriptors: it needs a power of two from 2 to `most`, at most 32,768.
pub(super) fn clear(slots: &mut [Slot], most: usize) -> Option<u16> {
    let size = slots.len();
    if !size.is_power_of_two() || size < 2 || size > most {
        return None;
    }
    slots.fill(Slot::default());
    u16::try_from(size).ok()
}

/// Puts a buffer into the descriptor at `position`; false if that is not free.
#[inline(always)]
pub(super) fn put_at(slots: &mut [Slot], position: usize, buffer: BufferId) -> bool {
    match slots.get_mut(position) {
        Some(slot) if slot.is_empty() => {
            slot.put(buffer);
            true
        }
        _ => false,
    }
}

/// Puts a buffer into a free descriptor, the one at `position` if that is free, and returns its
/// number; `None` if none is free.
///
/// Devices mostly return descriptors in the order in which they got them. Then the descriptor at the
/// ring's own position is free, and no list of free ones is needed.
#[inline(always)]
pub(super) fn put(slots: &mut [Slot], position: usize, buffer: BufferId) -> Option<usize> {
    match put_at(slots, position, buffer) {
        true => Some(position),
        false => put_elsewhere(slots, position, buffer),
    }
}

#[cold]
fn put_elsewhere(slots: &mut [Slot], position: usize, buffer: BufferId) -> Option<usize> {
    let behind = slots.iter().enumerate().skip(position);
    let free = |(_, slot): &(usize, &Slot)| slot.is_empty();
    let (number, _) = behind.chain(slots.iter().enumerate()).find(free)?;
    slots.get_mut(number)?.put(buffer);
    Some(number)
}

/// Takes the buffer of the descriptor that the device named, unless `each` refuses it.
#[inline(always)]
pub(super) fn take(
    slots: &mut [Slot],
    number: usize,
    each: impl FnOnce(BufferId) -> Result<(), Fault>,
) -> Result<(), Fault> {
    match slots.get_mut(number) {
        Some(slot) => slot.take(each),
        None => Err(Fault::NoSuchDescriptor),
    }
}

/// Gives all buffers to `sink`.
pub(super) fn drain(slots: &mut [Slot], mut sink: impl FnMut(BufferId)) {
    for slot in slots {
        if !slot.is_empty() {
            sink(BufferId(slot.buffer));
            slot.buffer = NONE;
        }
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_shadow))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    fn taken(slots: &mut [Slot], number: usize) -> Result<u32, Fault> {
        let mut taken = 0;
        take(slots, number, |buffer| {
            taken = buffer.0;
            Ok(())
        })?;
        Ok(taken)
    }

    #[test]
    fn each_buffer_comes_out_once() {
        let mut slots = [Slot::default(); 4];
        for (position, buffer) in (10..14).enumerate() {
            let number = put(&mut slots, position, BufferId(buffer));
            assert_eq!(number, Some(position));
        }
        assert_eq!(put(&mut slots, 0, BufferId(9)), None);
        assert_eq!(taken(&mut slots, 2), Ok(12));
        assert_eq!(taken(&mut slots, 0), Ok(10));
        assert_eq!(taken(&mut slots, 0), Err(Fault::NotOutstanding));
        assert_eq!(taken(&mut slots, 4), Err(Fault::NoSuchDescriptor));
        // One that is not free gives way to the next free one.
        assert_eq!(put(&mut slots, 1, BufferId(20)), Some(2));
        assert_eq!(put(&mut slots, 3, BufferId(21)), Some(0));
        assert_eq!(taken(&mut slots, 3), Ok(13));
        assert_eq!(taken(&mut slots, 2), Ok(20));
        assert_eq!(taken(&mut slots, 0), Ok(21));
        assert_eq!(taken(&mut slots, 1), Ok(11));
    }

    #[test]
    fn what_is_refused_stays() {
        let mut slots = [Slot::default(); 2];
        assert_eq!(put(&mut slots, 1, BufferId(7)), Some(1));
        let refused = take(&mut slots, 1, |_| Err(Fault::TooLong));
        assert_eq!(refused, Err(Fault::TooLong));
        let mut left = None;
        drain(&mut slots, |buffer| left = Some(buffer));
        assert_eq!(left, Some(BufferId(7)));
        assert_eq!(taken(&mut slots, 1), Err(Fault::NotOutstanding));
    }

    #[test]
    fn sizes_of_rings() {
        assert_eq!(clear(&mut [Slot::default(); 4], 4), Some(4));
        assert_eq!(clear(&mut [Slot::default(); 4], 2), None);
        assert_eq!(clear(&mut [Slot::default(); 3], 4), None);
        assert_eq!(clear(&mut [Slot::default(); 1], 4), None);
        assert_eq!(clear(&mut [], 4), None);
    }
}
