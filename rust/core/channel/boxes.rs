// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The rings of a channel, as the kernel's end has them: the numbers on one of them, burst by burst.

use super::super::ring::{Consumer, Corrupt, Producer};
use super::layout::{Layout, Ring};
use super::shared::{Shared, Word};

/// A ring that the application takes from. What is put on it is shown to the application at once, by
/// [`Outbox::flush`].
#[derive(Debug)]
pub(super) struct Outbox<M> {
    ring: Producer<Word<M>, Word<M>>,
    elements: usize,
    size: u32,
    waiting: u32,
}

impl<M: Shared + Clone> Outbox<M> {
    pub(super) fn new(memory: &M, layout: Layout, ring: Ring) -> Option<Self> {
        let places = layout.places(ring);
        let (producer, consumer) = places.counters(memory);
        Some(Self {
            ring: Producer::new(producer, consumer, layout.size())?,
            elements: places.elements,
            size: layout.size(),
            waiting: 0,
        })
    }

    /// For how many more there is room, up to `most`.
    #[inline(always)]
    pub(super) fn room(&mut self, most: u32) -> Result<u32, Corrupt> {
        let span = self.ring.reserve(self.waiting.saturating_add(most))?;
        Ok(span.len().saturating_sub(self.waiting))
    }

    /// Whether the application has not taken all that it was shown.
    pub(super) fn is_used(&mut self) -> Result<bool, Corrupt> {
        Ok(self.ring.reserve(self.size)?.len() < self.size)
    }

    /// Puts a number on the ring, on which there is room for it.
    #[inline(always)]
    pub(super) fn put(&mut self, memory: &impl Shared, buffer: u32) {
        let position = self.ring.position(self.waiting);
        memory.store32(self.elements.wrapping_add(position), buffer);
        self.waiting = self.waiting.wrapping_add(1);
    }

    /// Shows what was put; how many that are.
    pub(super) fn flush(&mut self) -> u32 {
        let count = ::core::mem::take(&mut self.waiting);
        if count != 0 {
            self.ring.publish(count);
        }
        count
    }
}

/// A ring that the application puts buffers on. Room for others comes at once, by [`Inbox::flush`].
#[derive(Debug)]
pub(super) struct Inbox<M> {
    ring: Consumer<Word<M>, Word<M>>,
    elements: usize,
    taken: u32,
}

impl<M: Shared + Clone> Inbox<M> {
    pub(super) fn new(memory: &M, layout: Layout, ring: Ring) -> Option<Self> {
        let places = layout.places(ring);
        let (producer, consumer) = places.counters(memory);
        Some(Self {
            ring: Consumer::new(producer, consumer, layout.size())?,
            elements: places.elements,
            taken: 0,
        })
    }

    /// How many more numbers there are, up to `most`.
    #[inline(always)]
    pub(super) fn ready(&mut self, most: u32) -> Result<u32, Corrupt> {
        let span = self.ring.available(self.taken.saturating_add(most))?;
        Ok(span.len().saturating_sub(self.taken))
    }

    /// The next number, if there is one, which stays on the ring until [`Inbox::pass`].
    #[inline(always)]
    pub(super) fn next(&self, memory: &impl Shared) -> u32 {
        let position = self.ring.position(self.taken);
        memory.load32(self.elements.wrapping_add(position))
    }

    /// Passes the number that `next` told.
    #[inline(always)]
    pub(super) fn pass(&mut self) {
        self.taken = self.taken.wrapping_add(1);
    }

    /// Leaves the last one that was passed on the ring.
    pub(super) fn unpass(&mut self) {
        self.taken = self.taken.wrapping_sub(1);
    }

    pub(super) fn flush(&mut self) {
        let count = ::core::mem::take(&mut self.taken);
        if count != 0 {
            self.ring.release(count);
        }
    }
}
