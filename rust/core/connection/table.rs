// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The connection table: lookups without a lock, changes under the locks of two buckets.
//!
//! The hash of a key gives two buckets. An entry is put into the first one, unless that is much
//! fuller than the second; it is never moved, so a lookup that runs beside changes cannot miss an
//! entry that stays.

use super::super::env::Atom;
use super::bucket::{same_tag, Bucket};
use super::entry::{Entry, Hit};
use super::free::Free;
use super::key::{Key, Secret};
use super::tcp_state::{Direction, Life, State};

/// The table, as one shell lends it to all engines.
#[derive(Debug)]
pub struct Connections<'a, A> {
    /// A power of two, at least 2. One for every two pairs leaves room enough.
    pub buckets: &'a [Bucket<A>],
    /// Two for each connection that can be tracked, and two more, which are never used.
    pub entries: &'a [Entry<A>],
    /// The pairs of entries not in use.
    pub free: &'a Free<A>,
    /// Secret of the hash: random, the same as long as the table exists.
    pub secret: Secret,
}

impl<A> Clone for Connections<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Connections<'_, A> {}

impl<'a, A: Atom> Connections<'a, A> {
    /// The first bucket of a hash.
    #[inline(always)]
    pub(super) fn first(&self, hash: u64) -> usize {
        hash as usize & self.buckets.len().wrapping_sub(1)
    }

    /// The second bucket of a hash, never the first.
    #[inline(always)]
    pub(super) fn second(&self, hash: u64) -> usize {
        let mask = self.buckets.len().wrapping_sub(1);
        let second = (hash >> 32) as usize & mask;
        if second == self.first(hash) {
            second ^ 1
        } else {
            second
        }
    }

    #[inline(always)]
    pub(super) fn both(&self, hash: u64) -> Option<(&'a Bucket<A>, &'a Bucket<A>)> {
        Some((
            self.buckets.get(self.first(hash))?,
            self.buckets.get(self.second(hash))?,
        ))
    }

    /// Asks for the bucket where a key is most likely.
    #[inline(always)]
    pub fn prefetch_bucket(&self, hash: u64) {
        if let Some(bucket) = self.buckets.get(self.first(hash)) {
            if let Some(slot) = bucket.slots.first() {
                slot.prefetch();
            }
        }
    }

    /// Asks for an entry.
    #[inline(always)]
    pub fn prefetch_entry(&self, index: u32) {
        if let Some(entry) = self.entry(index) {
            entry.version.prefetch();
        }
    }

    /// The number of the entry that most likely has a key with this hash; 0 if there is none.
    #[inline(always)]
    pub fn candidate(&self, hash: u64) -> u32 {
        let bucket = |at: usize| {
            self.buckets
                .get(at)
                .and_then(|bucket| bucket.candidate(hash))
        };
        match bucket(self.first(hash)) {
            Some(index) => index,
            None => bucket(self.second(hash)).unwrap_or(0),
        }
    }

    /// Entry `index`, if it is in use and has this key.
    pub fn read(&self, index: u32, key: Key) -> Option<Hit<'a, A>> {
        self.entries.get(index as usize)?.read(index, key)
    }

    /// Entry `index`.
    #[inline(always)]
    pub fn entry(&self, index: u32) -> Option<&'a Entry<A>> {
        self.entries.get(index as usize)
    }

    /// The first thing that `visit` finds among the entries whose hash has the same high half.
    #[inline(always)]
    pub(super) fn search<T>(&self, hash: u64, visit: impl Fn(u32) -> Option<T>) -> Option<T> {
        let (first, second) = self.both(hash)?;
        for bucket in [first, second] {
            for slot in &bucket.slots {
                let word = slot.load_acquire();
                if same_tag(word, hash) {
                    if let Some(found) = visit(word as u32) {
                        return Some(found);
                    }
                }
            }
        }
        None
    }

    /// The entry with this key.
    pub fn find(&self, key: Key, hash: u64) -> Option<Hit<'a, A>> {
        self.search(hash, |index| self.read(index, key))
    }

    /// The life word of the connection an entry belongs to.
    pub fn life(&self, hit: &Hit<'a, A>) -> Life {
        if hit.is_reply() {
            let original = self.entries.get(hit.index as usize & !1);
            Life(original.map_or(0, |entry| entry.life.load_acquire()))
        } else {
            hit.original_life()
        }
    }

    /// Changes the life word of the connection an entry belongs to as `change` says. Tells the new
    /// one.
    fn update(&self, hit: &Hit<'a, A>, change: impl Fn(Life) -> Life) -> Life {
        let Some(entry) = self.entries.get(hit.index as usize & !1) else {
            return Life(0);
        };
        loop {
            let old = Life(entry.life.load_acquire());
            // A late packet must not touch a connection that took the place of its own.
            let stale = hit.entry.version.load() != hit.version;
            let new = change(old);
            if stale || old.is_building() || new == old || entry.life.compare_exchange(old.0, new.0)
            {
                return new;
            }
        }
    }

    /// Takes note of a TCP segment with `flags`. Tells the state afterwards.
    pub fn segment(&self, hit: &Hit<'a, A>, flags: u8) -> State {
        let direction = if hit.is_reply() {
            Direction::Reply
        } else {
            Direction::Original
        };
        self.update(hit, |life| life.after(direction, flags))
            .state()
    }

    /// Closes a connection: it is forgotten soon.
    pub fn close(&self, hit: &Hit<'a, A>) {
        self.update(hit, |life| life.with_state(State::Close));
    }
}
