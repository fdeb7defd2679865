// SPDX-License-Identifier: MIT OR Apache-2.0

//! The core's atoms, made of the standard library's.

use ::core::sync::atomic::{AtomicU64, Ordering};

use crate::env::Atom;

/// A 64-bit atomic word of the standard library.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct StdAtom(AtomicU64);

impl Atom for StdAtom {
    #[inline(always)]
    fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    #[inline(always)]
    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn load_acquire(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    #[inline(always)]
    fn store(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    #[inline(always)]
    fn store_release(&self, value: u64) {
        self.0.store(value, Ordering::Release);
    }

    #[inline(always)]
    fn compare_exchange(&self, old: u64, new: u64) -> bool {
        self.0
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    #[inline(always)]
    fn prefetch(&self) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: A prefetch reads nothing the program can see, and every x86_64 CPU has SSE.
        unsafe {
            ::core::arch::x86_64::_mm_prefetch::<{ ::core::arch::x86_64::_MM_HINT_T0 }>(
                self.0.as_ptr().cast(),
            );
        }
    }
}
