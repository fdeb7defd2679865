// SPDX-License-Identifier: GPL-2.0

//! The core's [`Atom`] on the kernel's own atomics.

use crate::core_::env::Atom;
use kernel::sync::atomic::{Acquire, Atomic, Full, Relaxed, Release};

/// One 64-bit word shared between CPUs.
#[repr(transparent)]
pub(crate) struct KAtom(Atomic<u64>);

impl Atom for KAtom {
    #[inline(always)]
    fn new(value: u64) -> Self {
        Self(Atomic::new(value))
    }

    #[inline(always)]
    fn load(&self) -> u64 {
        self.0.load(Relaxed)
    }

    #[inline(always)]
    fn load_acquire(&self) -> u64 {
        self.0.load(Acquire)
    }

    #[inline(always)]
    fn store(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    #[inline(always)]
    fn store_release(&self, value: u64) {
        self.0.store(value, Release);
    }

    #[inline(always)]
    fn compare_exchange(&self, old: u64, new: u64) -> bool {
        self.0.cmpxchg(old, new, Full).is_ok()
    }

    #[inline(always)]
    fn prefetch(&self) {
        #[cfg(CONFIG_X86_64)]
        // SAFETY: A hint: reads nothing and faults never.
        unsafe {
            core::arch::asm!(
                "prefetcht0 [{0}]",
                in(reg) core::ptr::from_ref(self),
                options(nostack, preserves_flags, readonly),
            );
        }
    }
}
