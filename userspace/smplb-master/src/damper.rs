// SPDX-License-Identifier: MIT OR Apache-2.0
//! How fast a share may follow: bad news at once but for a bound, good news by parts.

use crate::settings::Settings;

/// Where a share goes by one report, on its way to its goal. Both are logarithms.
pub(crate) fn step(at: f64, goal: f64, settings: &Settings) -> f64 {
    let way = goal - at;
    if way <= 0.0 {
        return at + way.max((1.0 - settings.most_down).ln());
    }
    // The last bit is not worth another publication.
    let part = match way > settings.dead_band {
        true => settings.smoothing * way,
        false => way,
    };
    at + part.min(settings.most_up.ln_1p())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(at: f64, goal: f64) -> Vec<f64> {
        let settings = Settings::default();
        let mut at: f64 = at;
        let mut steps = Vec::new();
        while at != goal && steps.len() < 100 {
            at = step(at, goal, &settings);
            steps.push(at.exp());
        }
        steps
    }

    #[test]
    fn down_at_once_but_not_below_half() {
        let close = |steps: Vec<f64>, wanted: &[f64]| {
            assert_eq!(steps.len(), wanted.len(), "{steps:?}");
            assert!(
                steps.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9),
                "{steps:?}"
            );
        };
        close(steps(0.0, 0.7_f64.ln()), &[0.7]);
        close(steps(0.0, 0.2_f64.ln()), &[0.5, 0.25, 0.2]);
    }

    #[test]
    fn up_by_parts_and_not_past_the_goal() {
        let steps = steps(0.0, 4_f64.ln());
        assert!((steps[0] - 1.5).abs() < 1e-9, "{steps:?}");
        assert!(steps
            .windows(2)
            .all(|pair| pair[0] < pair[1] && pair[1] / pair[0] < 1.5 + 1e-9));
        assert_eq!(steps.last(), Some(&4_f64.ln().exp()));
        assert!(steps.len() < 12);
    }
}
