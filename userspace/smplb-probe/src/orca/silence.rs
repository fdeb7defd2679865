// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long a server that reports may be silent.

use std::time::Duration;

/// Intervals that may pass without a report.
const INTERVALS: u32 = 3;
/// The longest interval that a server is followed at.
const LONGEST: Duration = Duration::from_secs(60);

/// How long a server may be silent.
///
/// A server need not report as often as it is asked to, and does not say how often it will. Two reports
/// show it. Until then it has as long as a server with the usual minimum of 30 s needs.
pub(super) struct Silence {
    asked: Duration,
    first: Duration,
    least: Duration,
    last: Option<Duration>,
    observed: Option<Duration>,
}

impl Silence {
    pub(super) fn new(asked: Duration, first: Duration, least: Duration) -> Self {
        Self {
            asked,
            first,
            least,
            last: None,
            observed: None,
        }
    }

    /// A report arrived.
    pub(super) fn heard(&mut self, now: Duration) {
        if let Some(last) = self.last.replace(now) {
            let gap = now.saturating_sub(last).min(LONGEST);
            // A longer gap counts at once, a shorter one half: a report that was late makes the
            // next one come soon.
            let before = self.observed.unwrap_or(gap);
            self.observed = Some(gap.max((gap + before) / 2));
        }
    }

    /// How long to wait for the next report.
    pub(super) fn patience(&self) -> Duration {
        match self.observed {
            Some(observed) => (observed.max(self.asked) * INTERVALS).max(self.least),
            None => (self.asked * INTERVALS).max(self.least).max(self.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn after(asked: Duration, gaps: &[u64]) -> Duration {
        let mut silence = Silence::new(asked, s(40), s(10));
        let mut now = s(100);
        for gap in gaps {
            now += s(*gap);
            silence.heard(now);
        }
        silence.patience()
    }

    #[test]
    fn a_server_that_reports_every_30_seconds_is_not_silent() {
        assert!(after(s(1), &[]) > s(30));
        assert!(after(s(1), &[30]) > s(30));
        assert_eq!(after(s(1), &[0, 30, 30]), s(90));
    }

    #[test]
    fn a_server_that_keeps_the_interval_is_missed_after_three() {
        assert_eq!(after(s(1), &[0, 1, 1]), s(10));
        assert_eq!(after(Duration::from_millis(100), &[0, 1, 1]), s(10));
        assert_eq!(after(s(20), &[0, 20]), s(60));
        // Asked for less than it sends: it may still fall back to what it was asked for.
        assert_eq!(after(s(20), &[0, 1]), s(60));
    }

    #[test]
    fn a_pause_is_forgotten_and_patience_is_bounded() {
        assert_eq!(after(s(1), &[0, 1, 1, 9]), s(27));
        assert_eq!(after(s(1), &[0, 1, 1, 9, 1, 1, 1]), s(10));
        assert_eq!(after(s(1), &[0, 3600]), s(180));
    }
}
