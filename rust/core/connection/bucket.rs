// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! A bucket of the connection table, a cache line: seven slots and a lock for changes.
//!
//! Lookups take no lock. A change holds the lock for a few dozen instructions; its holder must not
//! be preempted.

use super::super::env::Atom;

/// Slots in a bucket.
pub(super) const SLOTS: usize = 7;

/// A bucket. All-zero is empty.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Bucket<A> {
    lock: A,
    /// High half of the hash of an entry (32 bits) and its number + 1 (32 bits); 0 for an empty
    /// slot.
    pub(super) slots: [A; SLOTS],
}

impl<A: Atom> Default for Bucket<A> {
    fn default() -> Self {
        Self {
            lock: A::new(0),
            slots: ::core::array::from_fn(|_| A::new(0)),
        }
    }
}

/// The slot of an entry.
#[inline(always)]
pub(super) fn slot_word(hash: u64, index: u32) -> u64 {
    (hash & !0xffff_ffff) | u64::from(index)
}

/// Whether a slot is that of an entry whose hash has the same high half.
#[inline(always)]
pub(super) fn same_tag(word: u64, hash: u64) -> bool {
    (word ^ hash) >> 32 == 0
}

impl<A: Atom> Bucket<A> {
    /// The number of the first entry whose hash has the same high half; it may be 0, which is none.
    #[inline(always)]
    pub(super) fn candidate(&self, hash: u64) -> Option<u32> {
        for slot in &self.slots {
            let word = slot.load_acquire();
            if same_tag(word, hash) {
                return Some(word as u32);
            }
        }
        None
    }

    /// Slots in use.
    pub fn used(&self) -> usize {
        self.slots.iter().filter(|slot| slot.load() != 0).count()
    }

    /// Runs `change` while no one else changes the bucket.
    pub(super) fn locked<T>(&self, change: impl FnOnce(&Self) -> T) -> T {
        while self.lock.load() != 0 || !self.lock.compare_exchange(0, 1) {
            A::relax();
        }
        let result = change(self);
        self.lock.store_release(0);
        result
    }

    /// Puts a word into an empty slot. Under the lock.
    pub(super) fn put(&self, word: u64) -> bool {
        match self.slots.iter().find(|slot| slot.load() == 0) {
            Some(slot) => {
                slot.store_release(word);
                true
            }
            None => false,
        }
    }

    /// Empties the slot of an entry. Under the lock.
    pub(super) fn clear(&self, index: u32) -> bool {
        match self.slots.iter().find(|slot| slot.load() as u32 == index) {
            Some(slot) => {
                slot.store_release(0);
                true
            }
            None => false,
        }
    }
}
