// SPDX-License-Identifier: MIT OR Apache-2.0
//! The shortest queue of all.

use rand::Rng;
use rand_pcg::Pcg64Mcg;

use super::switch::Switch;
use super::Policy;
use crate::server::Server;

/// The server with the fewest requests, as a snapshot of some age knows them; equal ones by chance.
#[derive(Clone, Debug)]
pub struct Best {
    period: Option<f64>,
    least: Vec<usize>,
}

impl Best {
    /// Looks at the queues once in `period` seconds, at 0 for each request.
    pub fn new(period: f64) -> Self {
        Self {
            period: (period > 0.0).then_some(period),
            least: Vec::new(),
        }
    }

    fn look(&mut self, servers: &[Server]) {
        let mut fewest = usize::MAX;
        for (place, server) in servers.iter().enumerate() {
            let open = server.open();
            if open < fewest {
                fewest = open;
                self.least.clear();
            }
            if open == fewest {
                self.least.push(place);
            }
        }
    }
}

impl Policy for Best {
    fn pick(&mut self, servers: &[Server], rng: &mut Pcg64Mcg) -> Option<usize> {
        if self.period.is_none() {
            self.look(servers);
        }
        let place = rng.random_range(0..self.least.len().max(1));
        self.least.get(place).copied()
    }

    fn period(&self) -> Option<f64> {
        self.period
    }

    fn refresh(&mut self, _now: f64, servers: &mut [Server], _rng: &mut Pcg64Mcg) {
        self.look(servers);
    }
}

/// The scheduler `lc` of the switch: fewest connections for the weight.
#[derive(Debug)]
pub struct Least {
    switch: Switch,
}

impl Least {
    /// With these weights.
    pub fn new(weights: &[u32]) -> Self {
        Self {
            switch: Switch::least_connection(weights),
        }
    }
}

impl Policy for Least {
    fn pick(&mut self, servers: &[Server], _rng: &mut Pcg64Mcg) -> Option<usize> {
        self.switch.pick(servers)
    }

    fn check(&mut self, _now: f64, server: usize, healthy: bool) {
        self.switch.enable(server, healthy);
    }
}
