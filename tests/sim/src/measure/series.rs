// SPDX-License-Identifier: MIT OR Apache-2.0
//! Figures of a series of values in time.

/// The mean; not a number if there are none.
pub fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}

/// How far a value went from the mean, as a part of it.
pub fn swing(values: &[f64]) -> f64 {
    let mean = mean(values.iter().copied());
    let far = values.iter().map(|value| (value - mean).abs());
    far.fold(0.0, f64::max) / mean
}

/// How far to either side of its middle a value went to and fro, at the most and as a part of the mean. A way
/// to a new place, however long it takes, is none; and it is never more than the swing.
pub fn oscillation(values: &[f64]) -> f64 {
    let turned: Vec<_> = values.iter().map(|value| -value).collect();
    0.5 * there_and_back(values).max(there_and_back(&turned)) / mean(values.iter().copied())
}

/// The highest rise that is followed by a fall as high.
fn there_and_back(values: &[f64]) -> f64 {
    let lowest = |low: &mut f64, value: &f64| {
        *low = low.min(*value);
        Some(*low)
    };
    let before: Vec<_> = values.iter().scan(f64::INFINITY, lowest).collect();
    let after: Vec<_> = values.iter().rev().scan(f64::INFINITY, lowest).collect();
    let lows = before.iter().zip(after.iter().rev());
    let rises = values.iter().zip(lows);
    rises
        .map(|(value, (before, after))| value - before.max(*after))
        .fold(0.0, f64::max)
}

/// How far values went past the end of a way from `start` to `end`, as a part of the end.
pub fn overshoot(values: &[f64], start: f64, end: f64) -> f64 {
    let direction = if end >= start { 1.0 } else { -1.0 };
    let past = values.iter().map(|value| (value - end) * direction);
    past.fold(0.0, f64::max) / end
}

/// How much the series is like itself `lag` values later: 1 the same, 0 not at all, -1 the opposite.
pub fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let mean = mean(values.iter().copied());
    let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let pairs = values.iter().zip(values.iter().skip(lag));
    let product: f64 = pairs
        .map(|(one, other)| (one - mean) * (other - mean))
        .sum();
    if square > 0.0 {
        product / square
    } else {
        0.0
    }
}

/// Whether the series goes round: it is the opposite of itself after some values, the same again
/// after some more, and what it swings is more than `least` of its mean.
pub fn cycles(values: &[f64], least: f64) -> bool {
    if swing(values) <= least {
        return false;
    }
    let likeness: Vec<_> = (1..=values.len() / 2)
        .map(|lag| autocorrelation(values, lag))
        .collect();
    let Some(opposite) = likeness.iter().position(|likeness| *likeness < -0.3) else {
        return false;
    };
    likeness
        .iter()
        .skip(opposite)
        .any(|likeness| *likeness > 0.3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_and_past() {
        assert_eq!(swing(&[1.0, 1.0, 1.3, 0.7]), 0.30000000000000004);
        assert_eq!(
            overshoot(&[0.1, 0.2, 0.25, 0.2], 0.1, 0.2),
            0.24999999999999994
        );
        assert_eq!(overshoot(&[0.4, 0.2, 0.1, 0.2], 0.4, 0.2), 0.5);
        assert_eq!(overshoot(&[0.3, 0.2], 0.4, 0.2), 0.0);
    }

    #[test]
    fn a_way_is_no_oscillation_and_a_way_back_is() {
        assert_eq!(oscillation(&[1.0, 1.1, 1.2, 1.2, 1.5]), 0.0);
        assert_eq!(oscillation(&[1.5, 1.2, 1.2]), 0.0);
        let close = |values: &[f64], wanted: f64| {
            let got = oscillation(values) * mean(values.iter().copied());
            assert!((got - wanted).abs() < 1e-9, "{values:?}: {got}");
            assert!(oscillation(values) <= swing(values));
        };
        close(&[1.0, 1.3, 1.2, 1.6], 0.05);
        close(&[1.0, 1.3, 0.8, 0.9], 0.15);
        close(&[1.0, 0.8, 0.95, 0.5], 0.075);
    }

    #[test]
    fn a_wave_goes_round_and_a_way_does_not() {
        let wave: Vec<_> = (0..100).map(|i| 1.0 + 0.1 * f64::from(i).sin()).collect();
        let way: Vec<_> = (0..100)
            .map(|i| 1.0 + (-f64::from(i) / 9.0).exp())
            .collect();
        assert!(cycles(&wave, 0.05) && !cycles(&wave, 0.11));
        assert!(!cycles(&way, 0.05));
        assert!((autocorrelation(&wave, 0) - 1.0).abs() < 1e-9);
    }
}
