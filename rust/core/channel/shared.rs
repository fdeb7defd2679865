// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Memory that an engine and an application share.

use super::super::ring::Index;

/// Words that the other side may change at any time, in the byte order of the machine.
///
/// Positions are counted in words of the width that is read or written. An implementation must make
/// each access one load or store that is neither split, repeated nor left out by the compiler
/// (volatile or atomic), and must keep it inside the memory whatever the position is.
pub trait Shared {
    /// The same memory, as a loop has it at hand: where it is, and how long, is not behind a pointer.
    type View<'a>: Shared + Copy
    where
        Self: 'a;

    /// See there.
    fn view(&self) -> Self::View<'_>;

    /// Reads word `i` of 32 bits.
    fn load32(&self, i: usize) -> u32;

    /// Reads word `i` of 64 bits.
    fn load64(&self, i: usize) -> u64;

    /// Writes word `i` of 32 bits.
    fn store32(&self, i: usize, value: u32);

    /// Writes word `i` of 64 bits.
    fn store64(&self, i: usize, value: u64);

    /// Reads words `2 * i` and `2 * i + 1` of 64 bits; an implementation can do with one look at the
    /// position.
    #[inline(always)]
    fn load_pair(&self, i: usize) -> [u64; 2] {
        let i = i.wrapping_mul(2);
        [self.load64(i), self.load64(i.wrapping_add(1))]
    }

    /// Writes them, likewise.
    #[inline(always)]
    fn store_pair(&self, i: usize, [first, second]: [u64; 2]) {
        let i = i.wrapping_mul(2);
        self.store64(i, first);
        self.store64(i.wrapping_add(1), second);
    }

    /// Reads word `i` of 32 bits; what this side reads or writes afterwards stays after it.
    fn load32_acquire(&self, i: usize) -> u32;

    /// Writes word `i` of 32 bits; what this side read or wrote before stays before it.
    fn store32_release(&self, i: usize, value: u32);
}

impl<M: Shared> Shared for &M {
    type View<'a>
        = M::View<'a>
    where
        Self: 'a;

    #[inline(always)]
    fn view(&self) -> M::View<'_> {
        (**self).view()
    }

    #[inline(always)]
    fn load32(&self, i: usize) -> u32 {
        (**self).load32(i)
    }

    #[inline(always)]
    fn load64(&self, i: usize) -> u64 {
        (**self).load64(i)
    }

    #[inline(always)]
    fn store32(&self, i: usize, value: u32) {
        (**self).store32(i, value);
    }

    #[inline(always)]
    fn store64(&self, i: usize, value: u64) {
        (**self).store64(i, value);
    }

    #[inline(always)]
    fn load32_acquire(&self, i: usize) -> u32 {
        (**self).load32_acquire(i)
    }

    #[inline(always)]
    fn store32_release(&self, i: usize, value: u32) {
        (**self).store32_release(i, value);
    }
}

/// One 32-bit word of such memory, as a counter of a ring.
#[derive(Clone, Copy, Debug)]
pub struct Word<M> {
    memory: M,
    at: usize,
}

impl<M: Shared> Word<M> {
    /// The word at position `at`.
    pub fn new(memory: M, at: usize) -> Self {
        Self { memory, at }
    }
}

impl<M: Shared> Index for Word<M> {
    #[inline(always)]
    fn load_acquire(&self) -> u32 {
        self.memory.load32_acquire(self.at)
    }

    #[inline(always)]
    fn store_release(&self, value: u32) {
        self.memory.store32_release(self.at, value);
    }
}
