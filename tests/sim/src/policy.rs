// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who gets a request: one file for each way to choose.

pub mod choices;
pub mod least;
pub mod level;
pub mod master;
pub mod split;
pub mod switch;
pub mod wrr;

use rand_pcg::Pcg64Mcg;

use crate::agent::Mood;
use crate::server::Server;

pub use choices::Choices;
pub use least::Least;
pub use level::Level;
pub use master::{Feedback, Follow};
pub use wrr::Wrr;

/// A way to choose.
pub trait Policy {
    /// The server of the next request; none if all are switched off.
    fn pick(&mut self, servers: &[Server], rng: &mut Pcg64Mcg) -> Option<usize>;

    /// How often, in seconds, it looks at the servers.
    fn period(&self) -> Option<f64> {
        None
    }

    /// It looks at the servers, at the beginning and then once in each period.
    fn refresh(&mut self, _now: f64, _servers: &mut [Server], _rng: &mut Pcg64Mcg) {}

    /// A health check found out that a server is there, or not.
    fn check(&mut self, _now: f64, _server: usize, _healthy: bool) {}

    /// The agent of a server behaves otherwise from now on.
    fn agent(&mut self, _server: usize, _mood: Mood) {}

    /// The share of each server, if it wants any.
    fn shares(&self) -> Vec<f64> {
        Vec::new()
    }

    /// How often weights changed.
    fn changes(&self) -> u64 {
        0
    }
}

/// Each server with the same chance.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Policy for Random {
    fn pick(&mut self, servers: &[Server], rng: &mut Pcg64Mcg) -> Option<usize> {
        Some(rand::Rng::random_range(rng, 0..servers.len()))
    }
}

/// All to the first server: one queue, when that server has many workers.
#[derive(Clone, Copy, Debug)]
pub struct Single;

impl Policy for Single {
    fn pick(&mut self, _servers: &[Server], _rng: &mut Pcg64Mcg) -> Option<usize> {
        Some(0)
    }
}
