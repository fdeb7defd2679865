// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the shell lends to the core, for loom.

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use smplb_core::env::Atom;

/// A word whose accesses loom orders in every way that it may.
pub struct LoomAtom(AtomicU64);

impl Atom for LoomAtom {
    fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn load_acquire(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn store(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn store_release(&self, value: u64) {
        self.0.store(value, Ordering::Release);
    }

    fn compare_exchange(&self, old: u64, new: u64) -> bool {
        self.0
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }

    fn relax() {
        thread::yield_now();
    }
}
