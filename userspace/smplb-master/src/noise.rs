// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much the figures of a server vary by chance, learned from those that follow each other.

/// Windows that what is assumed at first counts as.
const ASSUMED: f64 = 8.0;
/// Windows that are remembered.
const REMEMBERED: f64 = 128.0;
/// Never believed to be less, or more, than this times what is assumed.
const RANGE: (f64, f64) = (0.5, 25.0);

/// How much the figures vary, next to requests that come by chance and take times by chance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    factor: f64,
    seen: f64,
}

impl Default for Noise {
    fn default() -> Self {
        Self {
            factor: 1.0,
            seen: ASSUMED,
        }
    }
}

impl Noise {
    /// Two windows that follow each other differ by this, and should by this variance. A change of
    /// the server is a difference too, so that large ones count no more than a few small ones.
    pub fn learn(&mut self, difference: f64, variance: f64) {
        let found = difference * difference / variance;
        if found.is_finite() {
            self.seen = (self.seen + 1.0).min(REMEMBERED);
            let found = found.min(9.0 * self.factor);
            self.factor += (found - self.factor) / self.seen;
            self.factor = self.factor.clamp(RANGE.0, RANGE.1);
        }
    }

    /// The variance to be reckoned with.
    pub fn apply(&self, variance: f64) -> f64 {
        self.factor * variance
    }
}

#[cfg(test)]
mod tests {
    use super::Noise;

    #[test]
    fn calm_figures_become_more_credible() {
        let mut noise = Noise::default();
        (0..500).for_each(|_| noise.learn(0.0, 0.04));
        assert_eq!(noise.apply(0.02), 0.01);
    }

    #[test]
    fn wild_figures_become_less_credible() {
        let mut noise = Noise::default();
        (0..500).for_each(|_| noise.learn(0.4, 0.04));
        assert!((noise.apply(0.02) / 0.08 - 1.0).abs() < 0.01);
    }

    #[test]
    fn one_change_of_the_server_changes_little() {
        let mut noise = Noise::default();
        noise.learn(3.0, 0.04);
        assert!(noise.apply(0.02) < 0.04);
        noise.learn(f64::NAN, 0.04);
        noise.learn(1.0, 0.0);
        assert!(noise.apply(0.02).is_finite());
    }
}
