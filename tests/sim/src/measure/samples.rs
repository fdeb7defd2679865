// SPDX-License-Identifier: MIT OR Apache-2.0
//! Times of many requests.

/// Times, and when their requests came.
#[derive(Clone, Default)]
pub struct Samples {
    times: Vec<(f32, f32)>,
    sum: f64,
    sorted: Vec<f32>,
}

impl Samples {
    /// Adds one.
    pub fn push(&mut self, arrived: f64, time: f64) {
        self.times.push((arrived as f32, time as f32));
        self.sum += time;
    }

    /// Adds those of another run. To be sorted again.
    pub fn extend(&mut self, other: &Self) {
        self.times.extend(&other.times);
        self.sum += other.sum;
    }

    /// Makes quantiles known.
    pub fn sort(&mut self) {
        self.sorted = self.times.iter().map(|(_, time)| *time).collect();
        self.sorted.sort_unstable_by(f32::total_cmp);
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.sum / self.times.len() as f64
    }

    /// The time below which `part` of them are; to be used after [`Samples::sort`].
    pub fn quantile(&self, part: f64) -> f64 {
        at(&self.sorted, part)
    }

    /// The same of requests that came in a time.
    pub fn quantile_between(&self, part: f64, from: f64, until: f64) -> f64 {
        let inside = |(arrived, _): &&(f32, f32)| (from..until).contains(&f64::from(*arrived));
        let mut times: Vec<_> = self
            .times
            .iter()
            .filter(inside)
            .map(|(_, time)| *time)
            .collect();
        times.sort_unstable_by(f32::total_cmp);
        at(&times, part)
    }

    /// The 99th percentile.
    pub fn p99(&self) -> f64 {
        self.quantile(0.99)
    }
}

fn at(sorted: &[f32], part: f64) -> f64 {
    let place = (sorted.len() as f64 * part) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(place.min(last))
        .map_or(f64::NAN, |time| f64::from(*time))
}

impl std::fmt::Debug for Samples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} samples, mean {}", self.count(), self.mean())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let mut samples = Samples::default();
        for time in 0..1000 {
            samples.push(f64::from(time), f64::from((time * 7) % 1000));
        }
        samples.sort();
        assert_eq!((samples.quantile(0.5), samples.p99()), (500.0, 990.0));
        assert_eq!(samples.mean(), 499.5);
        assert_eq!(samples.quantile_between(1.0, 0.0, 10.0), 63.0);
        assert!(Samples::default().p99().is_nan());
    }
}
