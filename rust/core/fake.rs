// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What the tests of the rooms need of a shell.

use ::core::sync::atomic::{AtomicU64, Ordering};

use super::env::Atom;

/// An atom for tests.
#[derive(Debug)]
pub(super) struct TestAtom(AtomicU64);

impl Atom for TestAtom {
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
}
