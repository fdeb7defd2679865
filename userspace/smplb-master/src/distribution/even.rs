// SPDX-License-Identifier: MIT OR Apache-2.0
//! `even`: the same utilization on every server, of whatever resource the settings name.
//!
//! Utilizations told at different times must not be compared: when all of them rise and fall with the
//! load, the one that was told last looks busiest. The utilization for each request has no such swing,
//! and servers that get by its inverse have the same utilization. The gain is below 1, since a utilization
//! need not be proportional to requests; what is left is taken out step by step. Errors count as load here too, or else the server that fails
//! fastest would get the most.

use super::capacity::Capacity;
use super::{Distribution, Measure};
use crate::evidence::Sum;

/// The same utilization on every server.
#[derive(Debug)]
pub(super) struct Even {
    /// Part of a difference that is taken out at once.
    pub gain: f64,
    /// What a utilization for each request says of a server.
    pub by: Capacity,
}

impl Distribution for Even {
    fn measure(&self, sum: &Sum) -> Option<Measure> {
        self.by.measure(sum)
    }

    fn answer(&self, difference: f64) -> f64 {
        self.gain * difference
    }
}
