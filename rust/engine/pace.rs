// SPDX-License-Identifier: GPL-2.0

//! How long an engine's rounds take, and how long its rings were left alone.

use super::{add, Counters};
use crate::kapi::cpu;
use kernel::sync::atomic::Relaxed;

/// Looks at the clock once a round, which costs a burst of packets a few
/// instructions each at most: what is looked at more seldom does not show how
/// long an interrupt or another thread kept the engine from its rings.
pub(super) struct Pace {
    /// When the last round ended.
    last: u64,
}

impl Pace {
    /// Begins now.
    pub(super) fn new() -> Self {
        Self { last: cpu::clock() }
    }

    /// A round has ended, which found packets or did not.
    #[inline(always)]
    pub(super) fn round(&mut self, busy: bool, counters: &Counters) {
        let now = cpu::clock();
        let took = now.saturating_sub(self.last);
        self.last = now;
        if busy {
            add(&counters.busy_time, took);
        }
        if took > counters.longest_gap.load(Relaxed) {
            counters.longest_gap.store(took, Relaxed);
        }
    }

    /// The engine has slept, as it was meant to.
    pub(super) fn slept(&mut self) {
        self.last = cpu::clock();
    }
}
