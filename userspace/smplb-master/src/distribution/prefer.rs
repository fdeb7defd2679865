// SPDX-License-Identifier: MIT OR Apache-2.0
//! `prefer`: servers that have all of some labels, as long as any of them can be used.
//!
//! How these share is for another algorithm to say.

use super::{Distribution, Measure};
use crate::evidence::Sum;

/// Servers with certain labels.
pub(super) struct Prefer {
    /// What a server must have.
    pub labels: Vec<String>,
    /// How those that have it share.
    pub by: Box<dyn Distribution>,
}

impl Distribution for Prefer {
    fn measure(&self, sum: &Sum) -> Option<Measure> {
        self.by.measure(sum)
    }

    fn answer(&self, difference: f64) -> f64 {
        self.by.answer(difference)
    }

    fn asks_for_more(&self) -> bool {
        self.by.asks_for_more()
    }

    fn learns(&self) -> bool {
        self.by.learns()
    }

    fn prefers(&self, has: &dyn Fn(&str) -> bool) -> bool {
        self.labels.iter().all(|label| has(label))
    }
}
