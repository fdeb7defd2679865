// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The free pairs of entries: a lock-free stack linked through the entries, and the pairs never
//! used so far.
//!
//! Engines take many at once into their own stash, so that the shared words are touched rarely.
//! All-zero is the beginning.

use super::super::env::Atom;
use super::entry::Entry;

/// The stack and the mark.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Free<A> {
    /// Top of the stack, 0 for none (32 bits); above it a count of changes, which makes a late
    /// exchange fail.
    head: A,
    /// The last pair that was ever used.
    fresh: A,
}

impl<A: Atom> Default for Free<A> {
    fn default() -> Self {
        Self {
            head: A::new(0),
            fresh: A::new(0),
        }
    }
}

const LOW: u64 = 0xffff_ffff;

fn original<A>(entries: &[Entry<A>], pair: u32) -> Option<&Entry<A>> {
    entries.get((pair as usize).wrapping_mul(2))
}

impl<A: Atom> Free<A> {
    /// The pair behind the last one that was ever used.
    pub fn end(&self) -> u32 {
        (self.fresh.load() as u32).saturating_add(1)
    }

    /// Takes up to `out.len()` pairs and returns how many.
    pub(super) fn take(&self, entries: &[Entry<A>], out: &mut [u32]) -> usize {
        loop {
            let head = self.head.load_acquire();
            let mut next = (head & LOW) as u32;
            let mut taken = 0usize;
            for place in out.iter_mut() {
                let Some(entry) = original(entries, next).filter(|_| next != 0) else {
                    break;
                };
                *place = next;
                // Another engine may have taken the pair meanwhile; then the exchange below fails.
                next = entry.addrs.load_acquire() as u32;
                taken = taken.saturating_add(1);
            }
            if taken == 0 {
                return self.take_fresh(entries, out);
            }
            let count = (head >> 32).wrapping_add(1) << 32;
            if self.head.compare_exchange(head, count | u64::from(next)) {
                return taken;
            }
        }
    }

    fn take_fresh(&self, entries: &[Entry<A>], out: &mut [u32]) -> usize {
        let last = ((entries.len() >> 1) as u64).saturating_sub(1);
        loop {
            let fresh = self.fresh.load();
            let count = last.saturating_sub(fresh).min(out.len() as u64);
            if count == 0 {
                return 0;
            }
            if self
                .fresh
                .compare_exchange(fresh, fresh.saturating_add(count))
            {
                for (place, before) in out.iter_mut().zip(fresh..fresh.saturating_add(count)) {
                    *place = before.saturating_add(1) as u32;
                }
                return count as usize;
            }
        }
    }

    /// Gives a pair back.
    pub(super) fn give(&self, entries: &[Entry<A>], pair: u32) {
        let Some(entry) = original(entries, pair) else {
            return;
        };
        loop {
            let head = self.head.load();
            entry.addrs.store_release(head & LOW);
            let count = (head >> 32).wrapping_add(1) << 32;
            if self.head.compare_exchange(head, count | u64::from(pair)) {
                return;
            }
        }
    }
}
