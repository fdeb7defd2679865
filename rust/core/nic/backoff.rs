// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! How often a device that fails again and again is reset.

/// The pause after a first attempt, milliseconds.
pub const SHORTEST: u64 = 1_000;

/// The longest pause; and the time without an attempt after which all is forgotten.
pub const LONGEST: u64 = 60_000;

/// When the next attempt is due: the first at once, then after a pause that doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// No attempt before, milliseconds.
    next: u64,
    /// The pause after the next attempt.
    pause: u64,
}

impl Backoff {
    /// Without an attempt yet.
    pub const fn new() -> Self {
        Self {
            next: 0,
            pause: SHORTEST,
        }
    }

    /// Whether an attempt is due at `now`, by a clock in milliseconds. When it is, the next one is
    /// after a pause.
    pub fn due(&mut self, now: u64) -> bool {
        let Some(late) = now.checked_sub(self.next) else {
            return false;
        };
        let pause = if late >= LONGEST {
            SHORTEST
        } else {
            self.pause
        };
        self.next = now.saturating_add(pause);
        self.pause = pause.saturating_mul(2).min(LONGEST);
        true
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_backoff))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    /// The pauses between attempts of something that fails all the time, looked at every 250 ms.
    fn attempts(backoff: &mut Backoff, from: u64, until: u64) -> (usize, u64) {
        let times = (from..until).step_by(250);
        let due = times.filter(|&now| backoff.due(now));
        due.fold((0, 0), |(n, _), now| (usize::wrapping_add(n, 1), now))
    }

    #[test]
    fn doubles_from_a_second_to_a_minute() {
        let mut backoff = Backoff::new();
        let start = 5_000_000;
        // At 0, 1, 3, 7, 15, 31 and 63 seconds, then every minute.
        assert_eq!(
            attempts(&mut backoff, start, start + 64_000),
            (7, start + 63_000)
        );
        assert_eq!(
            attempts(&mut backoff, start + 64_000, start + 303_001),
            (4, start + 303_000)
        );
    }

    #[test]
    fn forgets_after_a_minute_of_peace() {
        let mut backoff = Backoff::new();
        assert!(backoff.due(0));
        assert!(!backoff.due(999));
        assert!(backoff.due(1_000));
        // The pause of two seconds is over, and a minute.
        assert!(backoff.due(63_000));
        assert!(!backoff.due(63_999));
        assert!(backoff.due(64_000));
    }

    #[test]
    fn works_at_the_ends_of_the_clock() {
        let mut backoff = Backoff::new();
        assert!(backoff.due(u64::MAX));
        assert!(!backoff.due(0));
        assert!(backoff.due(u64::MAX));
    }
}
