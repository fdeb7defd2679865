// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static splits for servers whose speeds are known, as nobody knows them in the field.

/// The shares that keep the mean response of M/M/1 queues least: the spare capacity is shared by
/// the square roots of the speeds, and servers too slow for that get nothing.
///
/// `rate` and `speeds` are in requests per second.
pub fn least_mean(speeds: &[f64], rate: f64) -> Vec<f64> {
    let mut used: Vec<bool> = speeds.iter().map(|speed| *speed > 0.0).collect();
    loop {
        let members = || speeds.iter().zip(&used).filter(|(_, used)| **used);
        let spare = members().map(|(speed, _)| speed).sum::<f64>() - rate;
        let roots: f64 = members().map(|(speed, _)| speed.sqrt()).sum();
        let load = |speed: f64| speed - speed.sqrt() * spare / roots;
        let mut again = false;
        for (speed, used) in speeds.iter().zip(&mut used) {
            if *used && load(*speed) <= 0.0 {
                *used = false;
                again = true;
            }
        }
        if !again {
            let shares = speeds.iter().zip(&used);
            return shares
                .map(|(speed, used)| if *used { load(*speed) / rate } else { 0.0 })
                .collect();
        }
    }
}

/// The shares in proportion to the speeds.
pub fn proportional(speeds: &[f64]) -> Vec<f64> {
    let sum: f64 = speeds.iter().sum();
    speeds.iter().map(|speed| speed / sum).collect()
}

/// Splits of which the best static one is taken, by measuring: from proportional to
/// [`least_mean`] and past it, since the longest times ask for still more spare capacity on slow
/// servers than the mean does.
pub fn candidates(speeds: &[f64], rate: f64) -> Vec<Vec<f64>> {
    let (even, roots) = (proportional(speeds), least_mean(speeds, rate));
    let apart = even
        .iter()
        .zip(&roots)
        .map(|(even, roots)| (even - roots).abs());
    if apart.fold(0.0, f64::max) < 1e-9 {
        return vec![even];
    }
    [0.0, 0.5, 1.0, 1.5, 2.0]
        .map(|part| {
            let mix = even.iter().zip(&roots);
            mix.map(|(even, roots)| (even + part * (roots - even)).max(0.0))
                .collect()
        })
        .to_vec()
}

/// Shares as weights of the switch.
pub fn weights(shares: &[f64]) -> Vec<u32> {
    let unit = 1000.0 * shares.len() as f64;
    shares
        .iter()
        .map(|share| (share * unit).round() as u32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean number in the system, which is proportional to the mean response.
    fn inside(speeds: &[f64], rate: f64, shares: &[f64]) -> f64 {
        let load = |speed: &f64, share: &f64| share * rate / (speed - share * rate);
        speeds
            .iter()
            .zip(shares)
            .map(|(speed, share)| load(speed, share))
            .sum()
    }

    #[test]
    fn nothing_near_it_is_better() {
        let (speeds, rate) = ([1.0, 2.0, 4.0], 5.0);
        let shares = least_mean(&speeds, rate);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let best = inside(&speeds, rate, &shares);
        assert!(best < inside(&speeds, rate, &proportional(&speeds)));
        for (from, to) in [(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)] {
            let mut other = shares.clone();
            other[from] -= 0.01;
            other[to] += 0.01;
            assert!(inside(&speeds, rate, &other) > best);
        }
    }

    #[test]
    fn slow_servers_get_nothing_at_low_load() {
        assert_eq!(least_mean(&[0.1, 10.0], 1.0), [0.0, 1.0]);
        let weights = weights(&proportional(&[1.0, 3.0]));
        assert_eq!(weights, [500, 1500]);
    }
}
