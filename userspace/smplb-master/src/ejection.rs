// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes out servers that are up and answer nearly everything with an error, for a time.

use std::time::Duration;

use crate::evidence::Sum;
use crate::settings::Settings;

/// Nothing is ejected from a smaller pool: too few to say what is usual.
const LEAST_SERVERS: usize = 5;
/// Nothing is ejected for fewer requests.
const LEAST_REQUESTS: f64 = 50.0;
/// The longest ejection, in those of the first time.
const MOST_TIMES: u32 = 10;

/// The ejections of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ejection {
    until: Option<Duration>,
    times: u32,
}

impl Ejection {
    /// Whether it is ejected now.
    pub fn is_on(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Whether an ejection has ended since the last time this was asked.
    pub fn ended(&mut self, now: Duration) -> bool {
        let ended = self.until.is_some_and(|until| now >= until);
        if ended {
            self.until = None;
        }
        ended
    }

    /// Ejects it: each time for longer.
    pub fn eject(&mut self, now: Duration, settings: &Settings) {
        self.times = (self.times + 1).min(MOST_TIMES);
        let time = settings.ejection_time * f64::from(self.times);
        self.until = Some(now + Duration::from_secs_f64(time));
    }

    /// It has done well for a window: the next ejection is shorter.
    pub fn forgive(&mut self) {
        self.times = self.times.saturating_sub(1);
    }
}

/// How many of so many servers can be ejected at a time: a true maximum, rounded down, and at least one
/// is left.
pub(crate) fn most(servers: usize, settings: &Settings) -> usize {
    if servers < LEAST_SERVERS {
        return 0;
    }
    let most = (servers as f64 * settings.max_ejection + 1e-9).floor() as usize;
    most.min(servers - 1)
}

/// Whether a window of reports is reason to eject a server.
pub(crate) fn is_reason(window: &Sum, settings: &Settings) -> bool {
    window.requests >= LEAST_REQUESTS && window.failed() >= settings.ejection_errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Figures;

    #[test]
    fn the_maximum_is_one() {
        let settings = Settings::default();
        let most = [4, 9, 10, 19, 20, 100].map(|servers| most(servers, &settings));
        assert_eq!(most, [0, 0, 1, 1, 2, 10]);
        let all = Settings {
            max_ejection: 1.0,
            ..settings.clone()
        };
        assert_eq!(super::most(6, &all), 5, "one is left");
        let some = Settings {
            max_ejection: 0.67,
            ..settings
        };
        assert_eq!(super::most(6, &some), 4);
    }

    #[test]
    fn each_time_is_longer() {
        let settings = Settings::default();
        let mut ejection = Ejection::default();
        let s = Duration::from_secs;
        ejection.eject(s(0), &settings);
        assert!(ejection.is_on(s(29)) && !ejection.is_on(s(30)));
        assert!(ejection.ended(s(30)) && !ejection.ended(s(31)));
        ejection.eject(s(40), &settings);
        assert!(ejection.is_on(s(99)) && !ejection.is_on(s(100)));
        (0..20).for_each(|_| ejection.forgive());
        ejection.eject(s(200), &settings);
        assert!(!ejection.is_on(s(230)));
    }

    #[test]
    fn few_requests_are_no_reason() {
        let settings = Settings::default();
        let window = |rate: f64, errors: f64| {
            let figures = Figures {
                rate: Some(rate),
                errors: Some(errors),
                ..Figures::default()
            };
            Sum::of(&figures, 1.0)
        };
        assert!(is_reason(&window(100.0, 90.0), &settings));
        assert!(!is_reason(&window(100.0, 80.0), &settings));
        assert!(!is_reason(&window(40.0, 40.0), &settings));
    }
}
