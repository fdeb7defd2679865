// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The free pairs an engine has in its hand.

use super::super::env::Atom;
use super::entry::Entry;
use super::free::Free;

/// Pairs taken from the common stock at once.
const REFILL: usize = 32;
/// Most pairs in hand.
const CAPACITY: usize = 64;

/// A few free pairs of entries that belong to one engine.
#[derive(Clone, Copy, Debug)]
pub struct Stash {
    pairs: [u32; CAPACITY],
    len: usize,
}

impl Default for Stash {
    fn default() -> Self {
        Self {
            pairs: [0; CAPACITY],
            len: 0,
        }
    }
}

impl Stash {
    /// Pairs in hand.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn pop(&mut self) -> Option<u32> {
        self.len = self.len.checked_sub(1)?;
        self.pairs.get(self.len).copied()
    }

    /// The pairs in hand.
    pub fn pairs(&self) -> &[u32] {
        self.pairs.get(..self.len).unwrap_or(&[])
    }

    /// Takes pairs from the common stock, if there are none in hand.
    pub fn fill<A: Atom>(&mut self, free: &Free<A>, entries: &[Entry<A>]) {
        if let (0, Some(room)) = (self.len, self.pairs.get_mut(..REFILL)) {
            self.len = free.take(entries, room);
        }
    }

    /// A pair to be used.
    pub(super) fn take<A: Atom>(&mut self, free: &Free<A>, entries: &[Entry<A>]) -> Option<u32> {
        self.fill(free, entries);
        self.pop()
    }

    /// Takes a pair back.
    pub(super) fn give<A: Atom>(&mut self, free: &Free<A>, entries: &[Entry<A>], pair: u32) {
        if self.len >= CAPACITY {
            while self.len > REFILL {
                match self.pop() {
                    Some(pair) => free.give(entries, pair),
                    None => break,
                }
            }
        }
        if let Some(place) = self.pairs.get_mut(self.len) {
            *place = pair;
            self.len = self.len.saturating_add(1);
        }
    }

    /// Gives all pairs back to the common stock: when the engine stops, or was idle for long.
    pub fn release<A: Atom>(&mut self, free: &Free<A>, entries: &[Entry<A>]) {
        while let Some(pair) = self.pop() {
            free.give(entries, pair);
        }
    }
}
