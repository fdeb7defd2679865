// SPDX-License-Identifier: MIT OR Apache-2.0
//! A number that only grows, until whoever counts starts again.

use std::time::Instant;

/// What a counter said the last time.
#[derive(Debug, Default)]
pub(super) struct Counter {
    last: Option<(Instant, f64)>,
}

/// How much a counter has grown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Growth {
    /// By how much.
    pub by: f64,
    /// In how many seconds.
    pub seconds: f64,
}

impl Counter {
    /// Takes what the counter says now. None at the first time, and when it has started again.
    pub(super) fn grow(&mut self, value: f64, now: Instant) -> Option<Growth> {
        let (before, from) = self.last.replace((now, value))?;
        let seconds = now.saturating_duration_since(before).as_secs_f64();
        let by = value - from;
        (by >= 0.0 && seconds > 0.0).then_some(Growth { by, seconds })
    }

    /// Forgets it: growth is counted from the next value on.
    pub(super) fn reset(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn growth_is_counted_from_the_last_value() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut counter = Counter::default();
        assert_eq!(counter.grow(10.0, at(0)), None);
        let growth = counter.grow(15.0, at(2)).unwrap();
        assert_eq!((growth.by, growth.seconds), (5.0, 2.0));
        assert_eq!(counter.grow(15.0, at(2)), None, "no time has gone by");
        assert_eq!(counter.grow(3.0, at(3)), None, "it has started again");
        assert_eq!(counter.grow(4.0, at(4)).unwrap().by, 1.0);
        assert_eq!(counter.grow(f64::NAN, at(5)), None);
        counter.reset();
        assert_eq!(counter.grow(9.0, at(6)), None);
    }
}
