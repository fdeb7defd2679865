// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scheduler `wrr` of the switch with weights that stay.

use rand_pcg::Pcg64Mcg;

use super::switch::Switch;
use super::Policy;
use crate::server::Server;

/// Weighted round-robin; with equal weights, round-robin.
#[derive(Debug)]
pub struct Wrr {
    switch: Switch,
}

impl Wrr {
    /// With these weights.
    pub fn new(weights: &[u32]) -> Self {
        Self {
            switch: Switch::round_robin(weights),
        }
    }
}

impl Policy for Wrr {
    fn pick(&mut self, servers: &[Server], _rng: &mut Pcg64Mcg) -> Option<usize> {
        self.switch.pick(servers)
    }

    fn check(&mut self, _now: f64, server: usize, healthy: bool) {
        self.switch.enable(server, healthy);
    }

    fn shares(&self) -> Vec<f64> {
        self.switch.shares()
    }
}
