// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Ring memory for tests, small enough for a kernel stack.

use ::core::cell::Cell;

use super::dma::Dma;

/// Memory of `N` fields of 16 bits.
#[derive(Debug)]
pub(super) struct Memory<const N: usize>([Cell<u16>; N]);

impl<const N: usize> Default for Memory<N> {
    fn default() -> Self {
        Self(::core::array::from_fn(|_| Cell::new(0)))
    }
}

impl<const N: usize> Dma for Memory<N> {
    fn load16(&self, i: usize) -> u16 {
        self.0.get(i).map_or(0, Cell::get)
    }

    fn load32(&self, i: usize) -> u32 {
        let i = i.wrapping_mul(2);
        u32::from(self.load16(i)) | u32::from(self.load16(i.wrapping_add(1))) << 16
    }

    fn load64(&self, i: usize) -> u64 {
        let i = i.wrapping_mul(2);
        u64::from(self.load32(i)) | u64::from(self.load32(i.wrapping_add(1))) << 32
    }

    fn store16(&self, i: usize, value: u16) {
        if let Some(field) = self.0.get(i) {
            field.set(value);
        }
    }

    fn store32(&self, i: usize, value: u32) {
        let i = i.wrapping_mul(2);
        self.store16(i, value as u16);
        self.store16(i.wrapping_add(1), (value >> 16) as u16);
    }

    fn store64(&self, i: usize, value: u64) {
        let i = i.wrapping_mul(2);
        self.store32(i, value as u32);
        self.store32(i.wrapping_add(1), (value >> 32) as u32);
    }

    fn rmb(&self) {}

    fn wmb(&self) {}

    fn mb(&self) {}
}
