// SPDX-License-Identifier: MIT OR Apache-2.0
//! A share of chance that counts with the age of what is known: "basic load interpretation" of
//! Dahlin (2000), the best that is known for old information.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use super::Policy;
use crate::server::Server;

/// Fills the queues to one level over the time until the next look.
#[derive(Clone, Debug)]
pub struct Level {
    period: f64,
    coming: f64,
    until: Vec<f64>,
}

impl Level {
    /// Looks at the queues once in `period` seconds, in which about `rate * period` requests come.
    pub fn new(period: f64, rate: f64) -> Self {
        Self {
            period,
            coming: rate * period,
            until: Vec::new(),
        }
    }
}

/// How much each queue is below the level to which `coming` requests fill them.
fn below(queues: &[f64], coming: f64) -> Vec<f64> {
    let mut sorted = queues.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (mut sum, mut level) = (coming, 0.0);
    for (count, queue) in sorted.iter().enumerate() {
        if count > 0 && level <= *queue {
            break;
        }
        sum += queue;
        level = sum / (count + 1) as f64;
    }
    queues
        .iter()
        .map(|queue| (level - queue).max(0.0))
        .collect()
}

impl Policy for Level {
    fn pick(&mut self, _servers: &[Server], rng: &mut Pcg64Mcg) -> Option<usize> {
        let at = rng.random::<f64>() * self.until.last()?;
        let place = self.until.partition_point(|until| *until <= at);
        Some(place.min(self.until.len() - 1))
    }

    fn period(&self) -> Option<f64> {
        Some(self.period)
    }

    fn refresh(&mut self, _now: f64, servers: &mut [Server], _rng: &mut Pcg64Mcg) {
        let queues: Vec<_> = servers.iter().map(|server| server.open() as f64).collect();
        let mut sum = 0.0;
        self.until = below(&queues, self.coming)
            .iter()
            .map(|part| {
                sum += part;
                sum
            })
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_are_filled_first() {
        assert_eq!(below(&[3.0, 0.0, 1.0], 2.0), [0.0, 1.5, 0.5]);
        assert_eq!(below(&[3.0, 0.0, 1.0], 8.0), [1.0, 4.0, 3.0]);
        assert_eq!(below(&[2.0, 2.0], 1.0), [0.5, 0.5]);
    }
}
