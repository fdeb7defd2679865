// SPDX-License-Identifier: GPL-2.0

//! The A/B table of seed figure 4: two halves, of which engines read the
//! active one while the control processor writes the standby one.

use core::cell::UnsafeCell;
use kernel::sync::atomic::{Acquire, Atomic, Relaxed, Release};
use kernel::sync::rcu;

/// Two halves of a table, one of which is active.
///
/// # Invariants
///
/// - `active` is 0 or 1.
/// - `halves[active]` is never written.
/// - `halves[1 - active]` is only accessed through a [`Writer`], of which one
///   exists at a time, and is only written once every RCU reader that could
///   have seen it active has gone.
pub(crate) struct AbTable<T> {
    halves: [UnsafeCell<T>; 2],
    active: Atomic<u32>,
}

// SAFETY: Readers share `&T` and the writer moves `&mut T` between threads, for
// which `T: Send + Sync` is enough; the type invariants keep the two apart.
unsafe impl<T: Send + Sync> Sync for AbTable<T> {}

impl<T> AbTable<T> {
    /// Makes a table of two halves of which the first is active.
    pub(crate) fn new(active: T, standby: T) -> Self {
        // INVARIANT: 0 is active; there are no readers yet.
        Self {
            halves: [UnsafeCell::new(active), UnsafeCell::new(standby)],
            active: Atomic::new(0),
        }
    }

    /// The active half, for as long as the RCU read-side section lasts. One
    /// load; everything a burst sees comes from the half returned here.
    #[inline(always)]
    pub(crate) fn read<'a>(&'a self, _guard: &'a rcu::Guard) -> &'a T {
        let half = if self.active.load(Acquire) == 0 {
            &self.halves[0]
        } else {
            &self.halves[1]
        };
        // SAFETY: By the type invariants the active half is not written, and it
        // is not written after a flip either before this RCU reader has gone.
        unsafe { &*half.get() }
    }

    /// The writer's view of both halves.
    ///
    /// # Safety
    ///
    /// No other writer may exist: the caller holds the lock that serialises
    /// changes of this table for as long as the result lives.
    pub(crate) unsafe fn writer(&self) -> Writer<'_, T> {
        Writer { table: self }
    }
}

/// The one writer of an [`AbTable`].
pub(crate) struct Writer<'a, T> {
    table: &'a AbTable<T>,
}

impl<T> Writer<'_, T> {
    /// The active half.
    pub(crate) fn active(&self) -> &T {
        let active = self.table.active.load(Relaxed) as usize & 1;
        // SAFETY: By the type invariants the active half is not written; only
        // this writer flips.
        unsafe { &*self.table.halves[active].get() }
    }

    /// The standby half, to write.
    ///
    /// Sleeps until no engine can be reading it any more.
    pub(crate) fn edit(&mut self) -> &mut T {
        // Readers that saw the standby half active began before the last flip.
        // SAFETY: Called from process context outside of RCU sections.
        unsafe { kernel::bindings::synchronize_rcu() };
        let active = self.table.active.load(Relaxed) as usize & 1;
        // SAFETY: By the type invariants the standby half has no reader now and
        // no other writer.
        unsafe { &mut *self.table.halves[1 - active].get() }
    }

    /// The standby half, to read only.
    pub(crate) fn standby(&self) -> &T {
        let active = self.table.active.load(Relaxed) as usize & 1;
        // SAFETY: Only this writer writes the standby half, and it is borrowed.
        unsafe { &*self.table.halves[1 - active].get() }
    }

    /// Exchanges the halves: one store, then every burst that begins sees the
    /// other half.
    pub(crate) fn flip(&mut self) {
        let active = self.table.active.load(Relaxed) & 1;
        // INVARIANT: Stays 0 or 1. The half that becomes standby is written
        // only after `edit` has waited for its readers.
        self.table.active.store(1 - active, Release);
    }
}

#[kernel::macros::kunit_tests(smplb_ab)]
mod tests {
    use super::*;

    #[test]
    fn readers_see_one_half_until_the_flip() {
        let table = AbTable::new(1, 0);
        // SAFETY: The only writer.
        let mut writer = unsafe { table.writer() };
        assert_eq!(*writer.active(), 1);
        *writer.edit() = 2;
        assert_eq!(*table.read(&rcu::read_lock()), 1);
        writer.flip();
        assert_eq!(*table.read(&rcu::read_lock()), 2);
        // Going back is flipping again.
        assert_eq!(*writer.standby(), 1);
        writer.flip();
        assert_eq!(*table.read(&rcu::read_lock()), 1);
    }
}
