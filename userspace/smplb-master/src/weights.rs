// SPDX-License-Identifier: MIT OR Apache-2.0
//! From what servers are taken for to shares, and from shares to the weights of the switch.

use crate::settings::Settings;

/// The weight of a server with a fair share.
pub(crate) const FAIR: f64 = 1000.0;
/// The largest weight that the switch takes.
pub(crate) const LARGEST: u32 = 65535;

/// What makes the share of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// It gets connections.
    pub used: bool,
    /// Its configured weight.
    pub weight: f64,
    /// Logarithm of the part of that which it is taken for.
    pub log: f64,
    /// Part of its share that it gets since it came back.
    pub slow: Option<f64>,
    /// Part of its share that its agent wants.
    pub percent: f64,
    /// It gets as little as possible.
    pub full: bool,
}

impl Part {
    /// It gets what it is configured for.
    fn is_plain(&self) -> bool {
        self.slow.is_none() && self.percent >= 1.0 && !self.full
    }
}

/// Shares of the servers: they sum up to 1 unless nobody is used. With `floor`, nobody who is used gets
/// less than the minimum share, but by the word of its own agent.
pub(crate) fn shares(parts: &[Part], floor: bool, settings: &Settings) -> Vec<f64> {
    let used = || parts.iter().filter(|part| part.used);
    // The largest is 1, so that no sum overflows and nothing becomes 0 that is not.
    let highest = used()
        .map(|part| part.log)
        .fold(f64::NEG_INFINITY, f64::max);
    let capacity = |part: &Part| match part.used {
        true => part.weight * (part.log - highest).exp(),
        false => 0.0,
    };
    let configured: f64 = used().map(|part| part.weight).sum();
    let all: f64 = parts.iter().map(capacity).sum();
    if all <= 0.0 {
        return vec![0.0; parts.len()];
    }
    let least = |part: &Part| settings.min_share * part.weight / configured;
    let mut shares: Vec<f64> = parts
        .iter()
        .map(|part| match part.full {
            true if part.used => least(part),
            _ => capacity(part) / all * part.slow.unwrap_or(1.0),
        })
        .collect();
    normalize(&mut shares);
    if floor {
        raise(&mut shares, |i| {
            if parts[i].used {
                least(&parts[i])
            } else {
                0.0
            }
        });
    }
    for (share, part) in shares.iter_mut().zip(parts) {
        *share *= part.percent;
    }
    normalize(&mut shares);
    shares
}

fn normalize(shares: &mut [f64]) {
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 {
        shares.iter_mut().for_each(|share| *share /= sum);
    }
}

/// Raises shares to the least they can be, at the cost of those that have more. Each round fixes at
/// least one, and the least of all together are far below 1.
fn raise(shares: &mut [f64], least: impl Fn(usize) -> f64) {
    let mut fixed = vec![false; shares.len()];
    loop {
        let below = |i: usize, share: f64| share < least(i);
        let newly: Vec<usize> = (0..shares.len())
            .filter(|i| !fixed[*i] && below(*i, shares[*i]))
            .collect();
        if newly.is_empty() {
            return;
        }
        for i in newly {
            fixed[i] = true;
            shares[i] = least(i);
        }
        let taken: f64 = (0..shares.len())
            .filter(|i| fixed[*i])
            .map(|i| shares[i])
            .sum();
        let rest: f64 = (0..shares.len())
            .filter(|i| !fixed[*i])
            .map(|i| shares[i])
            .sum();
        for (share, _) in shares.iter_mut().zip(&fixed).filter(|(_, fixed)| !**fixed) {
            *share *= (1.0 - taken) / rest;
        }
    }
}

/// Slots of a service in the switch when weights do not divide well: past that many, weights are rounded
/// to slots there, and equal servers get unequal numbers of them.
const SLOTS: u64 = 1024;
/// Slots of a fair share, from fine to coarse: divisors of its weight.
const STEPS: [u32; 15] = [500, 250, 200, 125, 100, 50, 40, 25, 20, 10, 8, 5, 4, 2, 1];

/// The weights of shares: 1,000 is a fair one, and who has a share at all has at least 1. They are in steps
/// that the slots of the switch show exactly, as fine as those allow; past a thousand servers they are not.
pub(crate) fn integers(shares: &[f64]) -> Vec<u32> {
    let used = shares.iter().filter(|share| **share > 0.0).count() as f64;
    let round = |share: &f64, steps: u32| {
        // CAST: between 1 and the largest.
        let slots = (share * used * f64::from(steps)).round().max(1.0);
        let weight = slots * FAIR / f64::from(steps);
        if *share > 0.0 {
            weight.min(f64::from(LARGEST)) as u32
        } else {
            0
        }
    };
    let rounded =
        |steps: u32| -> Vec<u32> { shares.iter().map(|share| round(share, steps)).collect() };
    let fits = |weights: &Vec<u32>, steps: u32| {
        let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        sum * u64::from(steps) <= SLOTS * FAIR as u64
    };
    let fine = |steps: u32| Some(rounded(steps)).filter(|weights| fits(weights, steps));
    STEPS
        .into_iter()
        .find_map(fine)
        .unwrap_or_else(|| rounded(FAIR as u32))
}

/// The configured weights as they are, when nothing but being used or not makes a difference.
pub(crate) fn configured(parts: &[Part]) -> Option<Vec<u32>> {
    let plain = parts.iter().filter(|part| part.used).all(Part::is_plain);
    // CAST: at most the largest.
    let weight = |part: &Part| {
        if part.used {
            part.weight.min(f64::from(LARGEST)) as u32
        } else {
            0
        }
    };
    plain.then(|| parts.iter().map(weight).collect())
}

#[cfg(test)]
mod tests;
