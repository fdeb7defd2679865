// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shortest queue of some that chance chose, as a snapshot of some age knows them.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use super::Policy;
use crate::server::Server;

/// The least loaded of `count` random servers, drawn with replacement.
#[derive(Clone, Debug)]
pub struct Choices {
    count: usize,
    period: Option<f64>,
    seen: Vec<usize>,
}

impl Choices {
    /// Looks at the queues once in `period` seconds, at 0 for each request.
    pub fn new(count: usize, period: f64) -> Self {
        Self {
            count,
            period: (period > 0.0).then_some(period),
            seen: Vec::new(),
        }
    }
}

impl Policy for Choices {
    fn pick(&mut self, servers: &[Server], rng: &mut Pcg64Mcg) -> Option<usize> {
        let load = |server: usize| match self.period {
            Some(_) => self.seen.get(server).copied(),
            None => servers.get(server).map(Server::open),
        };
        (0..self.count)
            .map(|_| rng.random_range(0..servers.len()))
            .min_by_key(|server| load(*server))
    }

    fn period(&self) -> Option<f64> {
        self.period
    }

    fn refresh(&mut self, _now: f64, servers: &mut [Server], _rng: &mut Pcg64Mcg) {
        self.seen.clear();
        self.seen.extend(servers.iter().map(Server::open));
    }
}
