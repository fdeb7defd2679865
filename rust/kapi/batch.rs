// SPDX-License-Identifier: GPL-2.0

//! A few things in a row on an engine's stack, whose memory is not written to
//! before there is something to put there.

use core::mem::MaybeUninit;

use crate::core_::frame::BURST;

/// Up to [`BURST`] things.
///
/// # Invariants
///
/// The first `len` elements of `items` are owned by this, and `len` is at most
/// [`BURST`].
pub(crate) struct Batch<T> {
    items: [MaybeUninit<T>; BURST],
    len: usize,
}

impl<T> Batch<T> {
    /// Nothing.
    #[inline(always)]
    pub(crate) fn new() -> Self {
        // INVARIANT: Nothing is in it.
        Self {
            items: [const { MaybeUninit::uninit() }; BURST],
            len: 0,
        }
    }

    /// How many there are.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them.
    #[inline(always)]
    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        let items = self.items.as_mut_ptr().cast();
        // SAFETY: By the type invariants, so many elements are there.
        unsafe { core::slice::from_raw_parts_mut(items, self.len) }
    }

    /// Adds one; gives it back when there is no room.
    #[inline(always)]
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        match self.items.get_mut(self.len) {
            Some(place) => {
                place.write(item);
                // INVARIANT: One more, within bounds.
                self.len += 1;
                Ok(())
            }
            None => Err(item),
        }
    }

    /// To put many in, in place of those that are there.
    #[inline(always)]
    pub(crate) fn fill(&mut self) -> Filling<'_, T> {
        self.clear();
        Filling {
            places: self.items.iter_mut(),
            len: &mut self.len,
        }
    }

    /// Drops all.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.drain().for_each(drop);
    }

    /// Gives all up: what is not read out of the memory that is returned is lost, and
    /// nothing may be read twice.
    #[inline(always)]
    pub(crate) fn release(&mut self) -> &[MaybeUninit<T>] {
        // INVARIANT: Nothing is in it any more.
        let len = core::mem::take(&mut self.len);
        self.items.get(..len).unwrap_or_default()
    }

    /// Takes all out, in order: the first `n`, and the others. What is not taken is
    /// lost: take all.
    #[inline(always)]
    pub(crate) fn drain_in_two(
        &mut self,
        n: usize,
    ) -> (
        impl ExactSizeIterator<Item = T> + use<'_, T>,
        impl ExactSizeIterator<Item = T> + use<'_, T>,
    ) {
        let items = self.release();
        let (first, others) = items.split_at_checked(n).unwrap_or((items, &[]));
        // SAFETY: They were in the batch, and are in one of both parts.
        let take = |item: &MaybeUninit<T>| unsafe { item.assume_init_read() };
        (first.iter().map(take), others.iter().map(take))
    }

    /// Takes all out, in order. What is not taken is lost: take all.
    #[inline(always)]
    pub(crate) fn drain(&mut self) -> impl ExactSizeIterator<Item = T> + '_ {
        // Nothing is behind so many.
        self.drain_in_two(BURST).0
    }
}

impl<T> Drop for Batch<T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.clear();
    }
}

/// A batch into which things are put. How many is written down at the end.
pub(crate) struct Filling<'a, T> {
    places: core::slice::IterMut<'a, MaybeUninit<T>>,
    len: &'a mut usize,
}

impl<T> Filling<'_, T> {
    /// Adds one; gives it back when there is no room.
    #[inline(always)]
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        match self.places.next() {
            Some(place) => {
                place.write(item);
                Ok(())
            }
            None => Err(item),
        }
    }
}

impl<T> Drop for Filling<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        // INVARIANT: All places but those that are left have been written to.
        *self.len = BURST - self.places.len();
    }
}
