// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long to wait before a server is tried again.

use std::time::Duration;

/// First wait, before jitter, in seconds.
const FIRST: f64 = 1.25;
/// Longest wait, before jitter, in seconds.
const LONGEST: f64 = 100.0;
/// How much longer each wait is than the one before it.
const GROWTH: f64 = 1.6;
/// How much jitter shortens or lengthens a wait.
const JITTER: f64 = 0.2;

/// Waits between tries of one server: 1 s at first, longer each time, never over 120 s.
///
/// Growth and jitter are those of gRPC's connection backoff. Jitter keeps many followers from
/// trying a server that comes back all in the same moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    next: f64,
}

impl Backoff {
    /// Waits as of a server that was not tried yet.
    pub fn new() -> Self {
        Self { next: FIRST }
    }

    /// The next wait; `chance` is a random number from 0 to 1.
    pub fn wait(&mut self, chance: f64) -> Duration {
        let seconds = jittered(self.next, chance);
        self.next = (self.next * GROWTH).min(LONGEST);
        Duration::from_secs_f64(seconds)
    }

    /// The server answered: the next wait is the first one again.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

/// `seconds`, a bit shorter or longer as `chance` (0 to 1) has it.
pub(crate) fn jittered(seconds: f64, chance: f64) -> f64 {
    seconds * (1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_one_second_to_two_minutes() {
        for chance in [0.0, 0.5, 1.0] {
            let mut backoff = Backoff::new();
            let waits: Vec<_> = (0..20)
                .map(|_| backoff.wait(chance).as_secs_f64())
                .collect();
            assert!(waits.windows(2).all(|two| two[0] <= two[1]), "{waits:?}");
            assert!(
                waits.iter().all(|wait| (0.999..=120.001).contains(wait)),
                "{waits:?}"
            );
            assert!(waits[0] <= 1.501 && waits[19] >= 79.999, "{waits:?}");
        }
    }

    #[test]
    fn chance_spreads_waits() {
        let spread = Backoff::new().wait(1.0) - Backoff::new().wait(0.0);
        assert!(spread >= Duration::from_millis(499), "{spread:?}");
        assert_eq!(Backoff::new().wait(7.0), Backoff::new().wait(1.0));
    }

    #[test]
    fn an_answer_starts_it_anew() {
        let mut backoff = Backoff::new();
        for _ in 0..9 {
            backoff.wait(0.5);
        }
        backoff.reset();
        assert_eq!(backoff, Backoff::new());
    }
}
