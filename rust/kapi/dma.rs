// SPDX-License-Identifier: GPL-2.0

//! The memory of descriptor rings: shared with a device, coherent; and what becomes of memory when a
//! device cannot be stopped.

use core::ptr::{read_volatile, write_volatile, NonNull};
use kernel::bindings;
use kernel::device::{Bound, Device};
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::barrier::{dma_mb, Full, Read, Write};
use kernel::sync::Arc;

use super::ffi;
use super::pages::Pages;
use super::pseudo::raw_device;
use crate::core_::nic::dma::Dma;

/// Whether a device is lost: given up without having been stopped, so that it may go on some time
/// and write to all memory that it was told of. It is unmapped, but nobody else gets that.
pub(crate) struct Fate(Atomic<bool>);

impl Fate {
    /// That of a device that works.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Ok(Arc::new(Self(Atomic::new(false)), GFP_KERNEL)?)
    }

    /// The device is lost.
    pub(crate) fn lose(&self) {
        self.0.store(true, Relaxed);
    }

    fn is_lost(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Memory for one ring. The device may change it at any time, so that it is only
/// read and written field by field, never borrowed.
///
/// # Invariants
///
/// `last` is a power of two less 1, at least 15, and the last octet of the memory at `start`, which
/// this owns, and which is mapped at `address` for `device`, which is bound to a driver of ours.
pub(crate) struct RingMemory {
    start: NonNull<u8>,
    last: usize,
    address: u64,
    device: *mut bindings::device,
    fate: Arc<Fate>,
}

// SAFETY: It may be used and freed on any CPU.
unsafe impl Send for RingMemory {}
// SAFETY: As above: it is read and written field by field, see `RingMemory::load`.
unsafe impl Sync for RingMemory {}

impl RingMemory {
    /// At least `len` octets, all 0. To be dropped before `device`, whose fate it shares, is unbound.
    pub(crate) fn new(device: &Device<Bound>, len: usize, fate: &Arc<Fate>) -> Result<Self> {
        let octets = len.max(16).checked_next_power_of_two().ok_or(EINVAL)?;
        let (device, mut address) = (raw_device(device), 0);
        // SAFETY: The device is bound.
        let start = unsafe { ffi::smplb_c_ring_alloc(device, octets, &mut address) };
        // INVARIANT: So many octets, a power of two, just mapped.
        Ok(Self {
            start: NonNull::new(start.cast()).ok_or(ENOMEM)?,
            last: octets - 1,
            address,
            device,
            fate: fate.clone(),
        })
    }

    /// Where the device finds it.
    pub(crate) fn address(&self) -> u64 {
        self.address
    }

    /// Its pages, for a program.
    pub(crate) fn pages(&self) -> Pages {
        // SAFETY: By the type invariants; it begins at a page, as `smplb_c_ring_alloc` says.
        unsafe { Pages::hold(self.start, self.last + 1) }
    }

    /// The octet where field `i` is, or another one if there is none with that number: a
    /// mask costs less than a branch.
    #[inline(always)]
    fn offset<T>(&self, i: usize) -> usize {
        const { assert!(size_of::<T>().is_power_of_two() && size_of::<T>() <= 16) };
        i.wrapping_mul(size_of::<T>()) & self.last
    }

    /// Field `i`, or another one.
    #[inline(always)]
    fn field<T>(&self, i: usize) -> *mut T {
        // By the type invariants it lies inside, as a multiple of its size.
        let start = self.start.as_ptr();
        start.wrapping_add(self.offset::<T>(i)).cast()
    }

    #[inline(always)]
    fn load<T>(&self, i: usize) -> T {
        // SAFETY: `field` is inside of memory that lives as long as `self`, and aligned.
        // Only the device changes it at the same time, which a volatile access of a
        // machine word is meant for; any value is a valid integer.
        unsafe { read_volatile(self.field::<T>(i)) }
    }

    #[inline(always)]
    fn store<T>(&self, i: usize, value: T) {
        // SAFETY: As in `load`.
        unsafe { write_volatile(self.field::<T>(i), value) }
    }
}

impl Drop for RingMemory {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; the device is still bound.
        unsafe { ffi::smplb_c_ring_unmap(self.device, self.address, self.last + 1) };
        if !self.fate.is_lost() {
            // SAFETY: By the type invariants, and the device has been stopped.
            unsafe { ffi::smplb_c_ring_free(self.start.as_ptr().cast(), self.last + 1) };
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
        let field = self.field::<[u64; 2]>(i).cast::<u64>();
        // SAFETY: As in `load`, for both halves.
        unsafe {
            write_volatile(field, first.to_le());
            write_volatile(field.wrapping_add(1), second.to_le());
        }
    }

    #[inline(always)]
    fn load64_each(&self, i: usize, count: usize) -> impl Iterator<Item = u64> {
        let first = self.field::<u64>(i);
        // Those behind the first one, whose last octet is not counted here.
        let others = (self.last - self.offset::<u64>(i)) / size_of::<u64>();
        (0..count.min(1 + others)).map(move |n| {
            // SAFETY: As in `load`, as none is behind the last one. The iterator borrows `self`.
            u64::from_le(unsafe { read_volatile(first.wrapping_add(n)) })
        })
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
