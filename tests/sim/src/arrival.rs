// SPDX-License-Identifier: MIT OR Apache-2.0
//! When requests arrive: a Poisson process whose rate may change in time.

use std::f64::consts::TAU;

use rand::Rng;
use rand_distr::Exp1;

/// Requests per second as a function of time.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Always the same.
    Constant(f64),
    /// One rate until a moment, then another.
    Step {
        /// Rate at first.
        before: f64,
        /// Rate from `at` on.
        after: f64,
        /// The moment, seconds.
        at: f64,
    },
    /// From one rate to another in a straight line, and then on at the second.
    Ramp {
        /// Rate at first.
        from: f64,
        /// Rate at the end.
        to: f64,
        /// How long it takes, seconds.
        seconds: f64,
    },
    /// Up and down.
    Sine {
        /// The middle.
        mean: f64,
        /// How far from the middle.
        swing: f64,
        /// Time of one swing, seconds.
        period: f64,
    },
}

impl Pattern {
    /// The rate at a moment.
    pub fn rate(&self, now: f64) -> f64 {
        match *self {
            Self::Constant(rate) => rate,
            Self::Step { before, after, at } => {
                if now < at {
                    before
                } else {
                    after
                }
            }
            Self::Ramp { from, to, seconds } => {
                from + (to - from) * (now / seconds).clamp(0.0, 1.0)
            }
            Self::Sine {
                mean,
                swing,
                period,
            } => mean + swing * (TAU * now / period).sin(),
        }
    }

    /// No rate is above this.
    pub fn most(&self) -> f64 {
        match *self {
            Self::Constant(rate) => rate,
            Self::Step { before, after, .. } => before.max(after),
            Self::Ramp { from, to, .. } => from.max(to),
            Self::Sine { mean, swing, .. } => mean + swing.abs(),
        }
    }

    /// The next arrival after `now`, by thinning of a process of the greatest rate.
    pub fn next(&self, now: f64, rng: &mut impl Rng) -> f64 {
        let most = self.most();
        let mut at = now;
        loop {
            at += rng.sample::<f64, _>(Exp1) / most;
            if matches!(self, Self::Constant(_)) || rng.random::<f64>() * most < self.rate(at) {
                return at;
            }
        }
    }
}

/// How much work requests are, in seconds of a server of speed 1.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Exponential with this mean.
    Exponential(f64),
    /// Normal, the negative half cut off, with this mean and deviation before the cut.
    Normal {
        /// Mean before the cut.
        mean: f64,
        /// Deviation before the cut.
        deviation: f64,
    },
    /// Always the same.
    Fixed(f64),
}

impl Work {
    /// The work of one request.
    pub fn draw(&self, rng: &mut impl Rng) -> f64 {
        match *self {
            Self::Exponential(mean) => mean * rng.sample::<f64, _>(Exp1),
            Self::Normal { mean, deviation } => loop {
                let work = mean + deviation * rng.sample::<f64, _>(rand_distr::StandardNormal);
                if work > 0.0 {
                    return work;
                }
            },
            Self::Fixed(work) => work,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn as_many_as_the_rate_says() {
        let patterns = [
            (Pattern::Constant(50.0), 50_000.0),
            (
                Pattern::Step {
                    before: 10.0,
                    after: 90.0,
                    at: 500.0,
                },
                50_000.0,
            ),
            (
                Pattern::Ramp {
                    from: 0.0,
                    to: 100.0,
                    seconds: 1000.0,
                },
                50_000.0,
            ),
            (
                Pattern::Sine {
                    mean: 50.0,
                    swing: 40.0,
                    period: 100.0,
                },
                50_000.0,
            ),
        ];
        for (pattern, wanted) in patterns {
            let (mut rng, mut now, mut count) = (Pcg64Mcg::seed_from_u64(1), 0.0, 0.0);
            while now < 1000.0 {
                now = pattern.next(now, &mut rng);
                count += 1.0;
            }
            let deviation: f64 = count - wanted;
            assert!(deviation.abs() < 4.0 * f64::sqrt(wanted), "{pattern:?}");
        }
    }

    #[test]
    fn means_of_work() {
        let mut rng = Pcg64Mcg::seed_from_u64(2);
        // The mean of a normal one whose deviation is its mean is 1.2876 without the negative half.
        let normal = Work::Normal {
            mean: 1.0,
            deviation: 1.0,
        };
        for (work, wanted) in [
            (Work::Exponential(2.0), 2.0),
            (Work::Fixed(3.0), 3.0),
            (normal, 1.2876),
        ] {
            let mean = (0..100_000).map(|_| work.draw(&mut rng)).sum::<f64>() / 100_000.0;
            assert!((mean / wanted - 1.0).abs() < 0.02, "{work:?}: {mean}");
        }
    }
}
