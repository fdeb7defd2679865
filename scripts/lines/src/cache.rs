// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the lines of memory are: a model of caches that keep everything, each of
//! one CPU. A line that was written is in one cache until another CPU reads it;
//! one that was only read is in those of its readers.

use std::sync::{Mutex, PoisonError};

use crate::tally::Map;

/// So that CPUs seldom wait for each other.
const SHARDS: usize = 256;

/// Where a line is.
#[derive(Clone, Copy, Default)]
struct Line {
    /// The caches that have it, as a mask of CPUs.
    holders: u64,
    /// The CPU that wrote it last, as a mask.
    writer: u64,
}

impl Line {
    /// An access by a CPU; from whose caches the line had to come, or go.
    fn access(&mut self, cpu: usize, write: bool) -> u64 {
        let bit = 1 << cpu;
        let others = if write {
            self.holders & !bit
        } else if self.holders & bit == 0 {
            // What nobody has written comes from memory.
            self.writer & !bit
        } else {
            0
        };
        if write {
            (self.holders, self.writer) = (bit, bit);
        } else {
            self.holders |= bit;
        }
        others
    }
}

/// All caches.
pub struct Caches {
    shards: Vec<Mutex<Map<u64, Line>>>,
}

impl Caches {
    /// Empty ones.
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// An access by a CPU; from whose caches the line had to come, or go.
    pub fn access(&self, line: u64, cpu: usize, write: bool) -> u64 {
        let shard = &self.shards[line as usize % SHARDS];
        let mut lines = shard.lock().unwrap_or_else(PoisonError::into_inner);
        lines.entry(line).or_default().access(cpu, write)
    }

    /// Empties them.
    pub fn clear(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_moves_when_another_cpu_has_written_it_or_writes_it() {
        let caches = Caches::new();
        let access = |cpu, write| caches.access(7, cpu, write);
        // Readers alone do not disturb each other,
        assert_eq!((access(0, false), access(1, false)), (0, 0));
        // but a writer takes it from both, and then has it,
        assert_eq!((access(2, true), access(2, true)), (0b11, 0));
        // until one reads it.
        assert_eq!((access(0, false), access(0, false)), (0b100, 0));
        assert_eq!(access(2, true), 0b1);
        caches.clear();
        assert_eq!(access(1, true), 0);
    }
}
