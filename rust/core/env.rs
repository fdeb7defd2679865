// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What the shell lends to the core: 64-bit words that several CPUs may touch at once.
//!
//! The core has no atomics of its own, because the kernel's memory model is not that of the
//! language: the module implements [`Atom`] with the kernel's atomics, user space with those of the
//! standard library, and the concurrency tests with those of loom.

/// A 64-bit word shared between CPUs.
///
/// The zero value of every table of the core is its empty state, so a shell may hand out zeroed
/// memory where zeroed memory is a valid value of its type.
pub trait Atom: Sync {
    /// Makes a word that holds `value`.
    fn new(value: u64) -> Self
    where
        Self: Sized;

    /// Reads the word. Relaxed: no order with other words.
    fn load(&self) -> u64;

    /// Reads the word; what this CPU reads or writes afterwards stays after it.
    fn load_acquire(&self) -> u64;

    /// Writes the word. Relaxed: no order with other words.
    fn store(&self, value: u64);

    /// Writes the word; what this CPU read or wrote before stays before it.
    fn store_release(&self, value: u64);

    /// Writes `new` if the word holds `old`, and tells whether it did.
    ///
    /// On success it must order as an acquire *and* a release (C11 `AcqRel`, the kernel's `Full`);
    /// on failure it need not order anything.
    fn compare_exchange(&self, old: u64, new: u64) -> bool;

    /// What a CPU does while it waits for a word to change.
    #[inline(always)]
    fn relax() {
        ::core::hint::spin_loop();
    }

    /// Asks the CPU to fetch the cache line of the word. It is a hint; the default does nothing.
    #[inline(always)]
    fn prefetch(&self) {}
}
