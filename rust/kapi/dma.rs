// SPDX-License-Identifier: GPL-2.0

//! The memory of descriptor rings: shared with a device, coherent.

use core::ptr::{read_volatile, write_volatile};
use kernel::device::{Bound, Device};
use kernel::dma::Coherent;
use kernel::prelude::*;
use kernel::sync::barrier::{dma_mb, Full, Read, Write};

use crate::core_::nic::dma::Dma;

/// Memory for one ring. The device may change it at any time, so that it is only
/// read and written field by field, never borrowed.
pub(crate) struct RingMemory(Coherent<[u64]>);

impl RingMemory {
    /// `len` octets, all 0.
    pub(crate) fn new(device: &Device<Bound>, len: usize) -> Result<Self> {
        let words = len.div_ceil(8).max(1);
        Ok(Self(Coherent::zeroed_slice(device, words, GFP_KERNEL)?))
    }

    /// Where the device finds it.
    pub(crate) fn address(&self) -> u64 {
        self.0.dma_address()
    }

    /// The field `i` of a type, if it and the `more` behind it lie inside.
    #[inline(always)]
    fn field<T>(&self, i: usize, more: usize) -> Option<*mut T> {
        // Cheap where it matters: the division is a shift of what does not change.
        let fields = (self.0.len() * 8 / size_of::<T>()).saturating_sub(more);
        let start = self.0.as_ptr().cast::<T>().cast_mut();
        (i < fields).then(|| start.wrapping_add(i))
    }

    #[inline(always)]
    fn load<T: Default>(&self, i: usize) -> T {
        match self.field::<T>(i, 0) {
            // SAFETY: Inside of memory that lives as long as `self`, aligned, as
            // fields are counted in their own size. Only the device changes it
            // at the same time, which a volatile access of a machine word is
            // meant for; any value is a valid integer.
            Some(field) => unsafe { read_volatile(field) },
            None => T::default(),
        }
    }

    #[inline(always)]
    fn store<T>(&self, i: usize, value: T) {
        if let Some(field) = self.field::<T>(i, 0) {
            // SAFETY: As in `load`.
            unsafe { write_volatile(field, value) }
        }
    }
}

impl Dma for RingMemory {
    #[inline(always)]
    fn load16(&self, i: usize) -> u16 {
        u16::from_le(self.load(i))
    }

    #[inline(always)]
    fn load32(&self, i: usize) -> u32 {
        u32::from_le(self.load(i))
    }

    #[inline(always)]
    fn load64(&self, i: usize) -> u64 {
        u64::from_le(self.load(i))
    }

    #[inline(always)]
    fn store16(&self, i: usize, value: u16) {
        self.store(i, value.to_le());
    }

    #[inline(always)]
    fn store32(&self, i: usize, value: u32) {
        self.store(i, value.to_le());
    }

    #[inline(always)]
    fn store64(&self, i: usize, value: u64) {
        self.store(i, value.to_le());
    }

    #[inline(always)]
    fn store_pair(&self, i: usize, first: u64, second: u64) {
        if let Some(field) = self.field::<u64>(i.wrapping_mul(2), 1) {
            // SAFETY: As in `load`, for both fields.
            unsafe {
                write_volatile(field, first.to_le());
                write_volatile(field.wrapping_add(1), second.to_le());
            }
        }
    }

    #[inline(always)]
    fn rmb(&self) {
        dma_mb(Read);
    }

    #[inline(always)]
    fn wmb(&self) {
        dma_mb(Write);
    }

    #[inline(always)]
    fn mb(&self) {
        dma_mb(Full);
    }
}
