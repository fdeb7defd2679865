// SPDX-License-Identifier: MIT OR Apache-2.0
//! When a server reports: how often, since when, and how long ago.

use std::time::Duration;

use crate::settings::Settings;

/// The most reports of one server in a second.
const PER_SECOND: f64 = 20.0;
/// Weight of the newest gap in the interval.
const NEWEST: f64 = 0.25;
/// Intervals without a report after which a server counts as silent.
const INTERVALS: f64 = 3.0;

/// When a server reports.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pulse {
    last: Option<Duration>,
    interval: Option<f64>,
    /// The first report that counts for the blackout, and how many there have been since.
    first: Option<(Duration, u32)>,
    /// Reports that may come at once.
    credit: Option<(Duration, f64)>,
}

impl Pulse {
    /// Whether one more report may be looked at.
    pub fn admit(&mut self, now: Duration) -> bool {
        let (at, credit) = self.credit.unwrap_or((now, PER_SECOND));
        let credit = (credit + now.saturating_sub(at).as_secs_f64() * PER_SECOND).min(PER_SECOND);
        let admitted = credit >= 1.0;
        self.credit = Some((now.max(at), credit - f64::from(u8::from(admitted))));
        admitted
    }

    /// A report with information came. Returns the seconds it stands for, and whether it ended a silence, after
    /// which the blackout begins again.
    pub fn beat(&mut self, now: Duration, settings: &Settings) -> (f64, bool) {
        let gap = self.last.map(|last| now.saturating_sub(last).as_secs_f64());
        let silence = gap.is_some_and(|gap| self.interval.is_some() && gap > self.expiry(settings));
        if silence {
            self.first = None;
        }
        if let Some(gap) = gap.filter(|gap| *gap > 0.0) {
            self.interval = Some(match self.interval {
                Some(interval) => interval + NEWEST * (gap.min(INTERVALS * interval) - interval),
                None => gap.min(settings.hard_limit),
            });
        }
        let (first, count) = self.first.unwrap_or((now, 0));
        self.first = Some((first, count.saturating_add(1)));
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        let usual = self.interval.unwrap_or(settings.interval);
        (gap.unwrap_or(usual).min(INTERVALS * usual), silence)
    }

    /// The blackout begins again.
    pub fn rearm(&mut self) {
        self.first = None;
    }

    /// Whether it has ever reported.
    pub fn is_known(&self) -> bool {
        self.last.is_some()
    }

    /// Time since the last report.
    pub fn age(&self, now: Duration) -> Option<Duration> {
        self.last.map(|last| now.saturating_sub(last))
    }

    /// Time between reports, as observed.
    pub fn interval(&self) -> Option<Duration> {
        self.interval.map(Duration::from_secs_f64)
    }

    /// Seconds of silence after which it counts as silent: it follows the observed interval.
    fn expiry(&self, settings: &Settings) -> f64 {
        let observed = self.interval.unwrap_or(settings.interval) * INTERVALS;
        settings.expiry.max(observed).min(settings.hard_limit)
    }

    /// What is left of its influence after so long a silence: all until it expires, then less and
    /// less, and nothing after as long again or the hard limit.
    pub fn left(&self, silence: Duration, settings: &Settings) -> f64 {
        let silence = silence.as_secs_f64();
        let expiry = self.expiry(settings);
        let end = (2.0 * expiry).min(settings.hard_limit);
        if silence <= expiry {
            1.0
        } else if silence >= end {
            0.0
        } else {
            (end - silence) / (end - expiry)
        }
    }

    /// Whether it has reported, but not for long enough to be followed.
    pub fn is_blackout(&self, now: Duration, settings: &Settings) -> bool {
        match self.first {
            Some((first, count)) => {
                let since = now.saturating_sub(first).as_secs_f64();
                since < settings.blackout || count < settings.blackout_reports
            }
            None => self.last.is_some(),
        }
    }
}

#[cfg(test)]
mod tests;
