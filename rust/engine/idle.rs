// SPDX-License-Identifier: GPL-2.0

//! When an engine that finds nothing spins, and when it sleeps.

use super::hotplug::is_asleep;
use crate::kapi::cpu;

/// Rounds that find nothing before the clock is looked at again.
const ROUNDS_PER_LOOK: u32 = 64;

/// How long an engine goes on polling empty rings.
pub(super) struct Idle {
    /// Nanoseconds without a packet after which it sleeps; 0 sleeps at once.
    spin: u64,
    since: u64,
    rounds: u32,
}

impl Idle {
    pub(super) fn new(spin: u64) -> Self {
        Self {
            spin,
            since: 0,
            rounds: 0,
        }
    }

    /// A round found packets.
    #[inline(always)]
    pub(super) fn busy(&mut self) {
        self.rounds = 0;
    }

    /// A round found nothing; returns whether to sleep now.
    #[inline]
    pub(super) fn empty(&mut self) -> bool {
        if self.spin == 0 {
            return true;
        }
        if self.rounds == 0 {
            self.since = cpu::nanoseconds();
        }
        self.rounds = self.rounds.wrapping_add(1);
        if self.rounds % ROUNDS_PER_LOOK != 0 {
            return false;
        }
        // Never 0 here but on a wrap, which only starts the wait anew.
        cpu::nanoseconds().wrapping_sub(self.since) >= self.spin || is_asleep()
    }
}
