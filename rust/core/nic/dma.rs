// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Memory that the CPU shares with a device.

/// The memory of one ring: little-endian fields that a device may change at any time.
///
/// Positions are counted in fields of the width that is read or written, so that every access is
/// aligned: field `i` of 16 bits is octets `2 * i` and `2 * i + 1` of the memory, field `i` of 64
/// bits octets `8 * i` to `8 * i + 7`. Values are those of the CPU; the implementation swaps octets
/// on a big-endian one.
///
/// An implementation must make each access one load or store that is neither split, repeated nor
/// left out by the compiler (volatile or atomic), and must keep it inside the memory whatever the
/// position is. The engines never leave the memory they asked for in `areas()`, so that it does not
/// matter which field an outer position means; cheapest is memory of a power of two in size, and a
/// mask.
pub trait Dma {
    /// Reads field `i` of 16 bits.
    fn load16(&self, i: usize) -> u16;

    /// Reads field `i` of 32 bits.
    fn load32(&self, i: usize) -> u32;

    /// Reads field `i` of 64 bits, in one access of the CPU: it sees no later state of one part than
    /// of another.
    fn load64(&self, i: usize) -> u64;

    /// Writes field `i` of 16 bits.
    fn store16(&self, i: usize, value: u16);

    /// Writes field `i` of 32 bits.
    fn store32(&self, i: usize, value: u32);

    /// Writes field `i` of 64 bits.
    fn store64(&self, i: usize, value: u64);

    /// Writes field `i` of 128 bits, which is a descriptor, in two stores of 64 bits in any order; an
    /// implementation can do with one look at the position.
    #[inline(always)]
    fn store_pair(&self, i: usize, first: u64, second: u64) {
        let i = i.wrapping_mul(2);
        self.store64(i, first);
        self.store64(i.wrapping_add(1), second);
    }

    /// Reads fields of 64 bits from `i` on, up to `count`, each when it is asked for; an
    /// implementation can do with one look at the position.
    #[inline(always)]
    fn load64_each(&self, i: usize, count: usize) -> impl Iterator<Item = u64> {
        (0..count).map(move |n| self.load64(i.wrapping_add(n)))
    }

    /// Loads before it are done before loads and stores after it, of any memory (`dma_rmb`).
    fn rmb(&self);

    /// Stores before it, to any memory, are seen by the device before stores after it (`dma_wmb`).
    fn wmb(&self);

    /// Loads and stores before it are done before loads and stores after it (`dma_mb`).
    fn mb(&self);
}

impl<D: Dma + ?Sized> Dma for &D {
    #[inline(always)]
    fn load16(&self, i: usize) -> u16 {
        (**self).load16(i)
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
    fn store16(&self, i: usize, value: u16) {
        (**self).store16(i, value);
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
    fn store_pair(&self, i: usize, first: u64, second: u64) {
        (**self).store_pair(i, first, second);
    }

    #[inline(always)]
    fn load64_each(&self, i: usize, count: usize) -> impl Iterator<Item = u64> {
        (**self).load64_each(i, count)
    }

    #[inline(always)]
    fn rmb(&self) {
        (**self).rmb();
    }

    #[inline(always)]
    fn wmb(&self) {
        (**self).wmb();
    }

    #[inline(always)]
    fn mb(&self) {
        (**self).mb();
    }
}
