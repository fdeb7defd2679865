// SPDX-License-Identifier: MIT OR Apache-2.0
//! The growing share of a server that came back: cold caches must not meet a full load.

use std::time::Duration;

use crate::settings::Settings;

/// Part of its share that a server gets which came back at this time. `None` when it gets all.
pub(crate) fn part(since: Option<Duration>, now: Duration, settings: &Settings) -> Option<f64> {
    let time = now.saturating_sub(since?).as_secs_f64();
    let part = (time / settings.slow_start_window).max(settings.slow_start_min);
    (part < 1.0 && time < settings.slow_start_window).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_from_the_least_to_all() {
        let settings = Settings::default();
        let at = |seconds: u64| {
            part(
                Some(Duration::from_secs(100)),
                Duration::from_secs(100 + seconds),
                &settings,
            )
        };
        assert_eq!(
            [at(0), at(3), at(30), at(60), at(99)],
            [Some(0.1), Some(0.1), Some(0.5), None, None]
        );
        assert_eq!(part(None, Duration::from_secs(1), &settings), None);
    }

    #[test]
    fn no_window_is_no_slow_start() {
        let settings = Settings {
            slow_start_window: 0.0,
            ..Settings::default()
        };
        assert_eq!(part(Some(Duration::ZERO), Duration::ZERO, &settings), None);
    }
}
