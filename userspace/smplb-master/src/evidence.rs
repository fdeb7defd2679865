// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reports of a server, put together until they say something.
//!
//! A report of a second with ten requests says next to nothing: each of them is 10 % of it. So
//! reports are added up to windows of about 100 requests, and the last 32 windows are kept.

mod sum;

use std::collections::VecDeque;

pub(crate) use sum::{Figures, Sum};

/// Windows that are kept.
pub(crate) const MOST_WINDOWS: usize = 32;
/// Seconds after which a window is full, however few requests it has.
const LONGEST: f64 = 30.0;

/// Reports of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    open: Sum,
    /// The newest last.
    windows: VecDeque<Sum>,
    /// Windows that were ever filled.
    filled: u64,
}

impl Evidence {
    /// Adds a report. Whether it filled a window of `enough` requests.
    pub fn add(&mut self, report: Sum, enough: f64) -> bool {
        self.open.add(&report);
        let full = self.open.requests >= enough || self.open.seconds >= LONGEST;
        if full {
            if self.windows.len() == MOST_WINDOWS {
                self.windows.pop_front();
            }
            self.windows.push_back(std::mem::take(&mut self.open));
            self.filled += 1;
        }
        full
    }

    /// Full windows.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Windows that were ever filled.
    pub fn filled(&self) -> u64 {
        self.filled
    }

    /// The last `n` windows together, or as many as there are. `None` when there are none.
    pub fn last(&self, n: usize) -> Option<Sum> {
        let mut windows = self.windows.iter().rev().take(n);
        let mut sum = *windows.next()?;
        windows.for_each(|window| sum.add(window));
        Some(sum)
    }

    /// The two newest windows, each by itself.
    pub fn newest_two(&self) -> Option<(Sum, Sum)> {
        let mut windows = self.windows.iter().rev();
        Some((*windows.next()?, *windows.next()?))
    }

    /// Keeps the last `n` windows only: what was before is over.
    pub fn keep(&mut self, n: usize) {
        let old = self.windows.len().saturating_sub(n);
        self.windows.drain(..old);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self {
            filled: self.filled,
            ..Self::default()
        };
    }
}

#[cfg(test)]
mod tests;
