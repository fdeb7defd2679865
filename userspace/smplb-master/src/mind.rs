// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is learned of a server: the share that it should have, and the one that it has by now.

use crate::evidence::Evidence;
use crate::noise::Noise;

/// Logarithms stay within this: a share of 10,000 times another's is a mistake somewhere.
const LIMIT: f64 = 9.2;

/// What is learned of a server. Shares are logarithms of parts of the configured weight; only their differences
/// between servers count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mind {
    /// What it reported.
    pub evidence: Evidence,
    /// How much its figures vary by chance.
    pub noise: Noise,
    /// Where its share should go.
    pub goal: f64,
    /// Where its share is.
    pub at: f64,
    /// The goal when it fell silent.
    pub anchor: Option<f64>,
    /// After a change: the number of windows with which the goal is made more exact.
    pub refine: Option<usize>,
    /// The oldest window may be partly of the time before a change.
    pub mixed: bool,
    /// Part of a clear difference has been taken out, and the rest is to follow without being as clear.
    pub chasing: bool,
    /// With an algorithm that asks for more: the clear difference that was seen last.
    pub before: Option<f64>,
    /// Its figures are too good to be true.
    pub incredible: bool,
    /// A window has been filled since the last look.
    pub ripe: bool,
}

impl Mind {
    /// Starts at this share, for good reason: both where it is and where it should be.
    pub fn place(&mut self, log: f64) {
        self.at = bounded(log);
        self.goal = self.at;
        self.anchor = None;
    }

    /// The share should go there.
    pub fn aim(&mut self, log: f64) {
        self.goal = bounded(log);
    }

    /// Moves both by as much: the unit changed, not the server.
    pub fn shift(&mut self, log: f64) {
        self.at = bounded(self.at + log);
        self.goal = bounded(self.goal + log);
        self.anchor = self.anchor.map(|anchor| bounded(anchor + log));
    }

    /// Forgets what it reported: it may be another server now. Where its share is stays.
    pub fn forget(&mut self) {
        self.evidence.clear();
        self.noise = Noise::default();
        self.refine = None;
        self.mixed = false;
        self.chasing = false;
        self.before = None;
        self.incredible = false;
        self.ripe = false;
    }
}

fn bounded(log: f64) -> f64 {
    match log.is_nan() {
        true => 0.0,
        false => log.clamp(-LIMIT, LIMIT),
    }
}
