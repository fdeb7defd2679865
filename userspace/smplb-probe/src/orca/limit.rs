// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many reports of one server are listened to.

use std::collections::VecDeque;
use std::time::Duration;

/// Reports that are passed on within any second.
pub(super) const MOST: usize = 20;
const SECOND: Duration = Duration::from_secs(1);

/// Lets at most [`MOST`] reports pass within any second, and says once how many it did not.
pub(super) struct Limit {
    /// When the last ones passed.
    passed: VecDeque<Duration>,
    dropped: u64,
    /// When the first one was left out.
    since: Option<Duration>,
    told: bool,
}

impl Limit {
    pub(super) fn new() -> Self {
        Self {
            passed: VecDeque::with_capacity(MOST),
            dropped: 0,
            since: None,
            told: false,
        }
    }

    /// Whether a report of `now` passes.
    pub(super) fn admit(&mut self, now: Duration) -> bool {
        if self.passed.len() == MOST {
            let oldest = self.passed.front().copied().unwrap_or_default();
            if now.saturating_sub(oldest) < SECOND {
                self.dropped += 1;
                self.since.get_or_insert(now);
                return false;
            }
            self.passed.pop_front();
        }
        self.passed.push_back(now);
        true
    }

    /// How many were left out, once, when a second has shown it.
    pub(super) fn told(&mut self, now: Duration) -> Option<u64> {
        let since = self.since?;
        if self.told || now.saturating_sub(since) < SECOND {
            return None;
        }
        self.told = true;
        Some(self.dropped)
    }

    /// How many were left out, if that was not told.
    pub(super) fn untold(self) -> Option<u64> {
        (!self.told && self.dropped > 0).then_some(self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn twenty_a_second_pass_for_ever() {
        let mut limit = Limit::new();
        assert!((0..1000).all(|number| limit.admit(at(number * 50))));
        assert_eq!(limit.told(at(100_000)), None);
        assert_eq!(limit.untold(), None);
    }

    #[test]
    fn a_thousand_a_second_are_twenty_and_told_once() {
        let mut limit = Limit::new();
        let mut passed = Vec::new();
        let mut told = Vec::new();
        for now in (0..10_000).map(at) {
            if limit.admit(now) {
                passed.push(now);
            }
            told.extend(limit.told(now));
        }
        assert_eq!(passed.len(), 200);
        assert!(passed
            .windows(MOST + 1)
            .all(|some| some[MOST] - some[0] >= SECOND));
        assert_eq!(told, [981]);
        assert_eq!(limit.untold(), None);
    }

    #[test]
    fn a_short_burst_is_told_at_the_end() {
        let mut limit = Limit::new();
        assert_eq!((0..100).filter(|_| limit.admit(at(7))).count(), MOST);
        assert_eq!(limit.told(at(8)), None);
        assert_eq!(limit.untold(), Some(80));
    }
}
