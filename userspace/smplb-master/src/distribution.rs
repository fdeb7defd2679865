// SPDX-License-Identifier: MIT OR Apache-2.0
//! Distribution algorithms: from what servers told to the capacity that they should be taken for.
//!
//! An algorithm is one file. It says what a time of reports means for one server; whether a
//! difference between servers is more than chance, and how fast shares may follow, is the same for all.

mod capacity;
mod even;
mod fixed;
mod latency;
mod prefer;

use crate::evidence::Sum;
use crate::settings::{Algorithm, Settings};

/// What a time of reports means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Measure {
    /// Logarithm of how much the server can take. Only differences between servers count.
    pub log: f64,
    /// Variance of that if requests come by chance and take times by chance.
    pub variance: f64,
}

/// A distribution algorithm.
pub(crate) trait Distribution {
    /// What a time of reports means; `None` when they lack a figure that it takes.
    fn measure(&self, sum: &Sum) -> Option<Measure>;

    /// By how much the logarithm of the share goes after a difference that is more than chance.
    fn answer(&self, difference: f64) -> f64 {
        difference
    }

    /// Whether it measures an effect of the share rather than the server: then it asks for more or less
    /// than now, and looks again when that has shown.
    fn asks_for_more(&self) -> bool {
        false
    }

    /// Whether it follows reports at all.
    fn learns(&self) -> bool {
        true
    }

    /// Whether a server with these labels is used while others have what it lacks.
    fn prefers(&self, _labels: &dyn Fn(&str) -> bool) -> bool {
        true
    }
}

/// The algorithm of the settings.
pub(crate) fn of(settings: &Settings) -> Box<dyn Distribution> {
    match settings.algorithm {
        Algorithm::Prefer => Box::new(prefer::Prefer {
            labels: settings.labels.clone(),
            by: plain(settings.prefer_by, settings),
        }),
        algorithm => plain(algorithm, settings),
    }
}

fn plain(algorithm: Algorithm, settings: &Settings) -> Box<dyn Distribution> {
    let penalty = settings.error_penalty;
    let capacity = capacity::Capacity { penalty };
    let gain = settings.gain;
    match algorithm {
        Algorithm::Even => Box::new(even::Even { gain, by: capacity }),
        Algorithm::Latency => Box::new(latency::Latency {
            gain: gain / 16.0,
            penalty,
        }),
        Algorithm::Static => Box::new(fixed::Fixed),
        Algorithm::Capacity | Algorithm::Prefer => Box::new(capacity),
    }
}

#[cfg(test)]
mod tests;
