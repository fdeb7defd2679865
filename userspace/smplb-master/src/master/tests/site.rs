// SPDX-License-Identifier: MIT OR Apache-2.0
//! A site in a closed loop: servers that answer by chance what the published weights send them.

use std::collections::VecDeque;
use std::time::Duration;

use crate::*;

/// A server of the site.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Requests per second that it can answer.
    pub capacity: f64,
    /// Part of the requests that it fails, at once and at no cost.
    pub failing: f64,
    /// What it tells instead of the truth.
    pub lie: Option<Report>,
    /// It tells nothing.
    pub silent: bool,
}

/// The site.
pub struct Site {
    pub master: Master<usize>,
    pub machines: Vec<Machine>,
    pub now: Duration,
    /// Requests per second, all together.
    pub load: f64,
    /// Seconds between reports.
    pub interval: f64,
    /// Reports that are on their way: how many of a server's at a time.
    pub delay: usize,
    pub weights: Vec<u32>,
    pub publications: Vec<(Duration, Cause)>,
    waiting: Vec<VecDeque<Report>>,
    seed: u64,
}

impl Site {
    pub fn new(settings: Settings, capacities: &[f64], load: f64) -> Self {
        let mut master = Master::new(settings);
        let server = Server {
            weight: 100,
            ..Server::default()
        };
        let servers = (0..capacities.len()).map(|i| (i, server.clone()));
        master.set_servers(servers, Duration::ZERO);
        let machine = |capacity: &f64| Machine {
            capacity: *capacity,
            failing: 0.0,
            lie: None,
            silent: false,
        };
        Self {
            master,
            machines: capacities.iter().map(machine).collect(),
            now: Duration::ZERO,
            load,
            interval: 1.0,
            delay: 0,
            weights: vec![100; capacities.len()],
            publications: Vec::new(),
            waiting: vec![VecDeque::new(); capacities.len()],
            seed: 7,
        }
    }

    pub fn shares(&self) -> Vec<f64> {
        let sum: f64 = self.weights.iter().copied().map(f64::from).sum();
        self.weights
            .iter()
            .map(|weight| f64::from(*weight) / sum)
            .collect()
    }

    /// How busy each server is in the mean.
    pub fn utilizations(&self) -> Vec<f64> {
        let shares = self.shares();
        let each = self.machines.iter().zip(shares);
        each.map(|(machine, share)| self.load * share / machine.capacity)
            .collect()
    }

    /// The busiest by the least busy.
    pub fn spread(&self) -> f64 {
        let utilizations = self.utilizations();
        let most = utilizations.iter().copied().fold(0.0, f64::max);
        most / utilizations.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// A number by chance, with mean 0 and variance 1; the same ones in every run.
    fn chance(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..12 {
            self.seed = self
                .seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            sum += (self.seed >> 11) as f64 / (1_u64 << 53) as f64;
        }
        sum - 6.0
    }

    /// One interval: every server works and reports, and the master has its turns.
    pub fn turn(&mut self) {
        let shares = self.shares();
        for (i, share) in shares.into_iter().enumerate() {
            let report = self.work(i, self.load * share);
            let silent = self.machines[i].silent;
            self.waiting[i].push_back(report);
            if self.waiting[i].len() > self.delay {
                let report = self.waiting[i].pop_front().unwrap();
                if !silent {
                    let _ = self.master.report(&i, &report, self.now);
                }
            }
        }
        let ticks = (self.interval * 10.0).round() as usize;
        for _ in 0..ticks {
            self.tick();
            self.now += Duration::from_millis(100);
        }
    }

    pub fn tick(&mut self) -> Outcome<usize> {
        let outcome = self.master.tick(self.now);
        if let Outcome::Publish(proposal) = &outcome {
            self.weights = proposal.weights.values().copied().collect();
            self.publications.push((self.now, proposal.cause));
            self.master.published(self.now, true);
        }
        outcome
    }

    pub fn turns(&mut self, turns: usize) {
        (0..turns).for_each(|_| self.turn());
    }

    fn work(&mut self, i: usize, rate: f64) -> Report {
        let came = (rate * self.interval + self.chance() * (rate * self.interval).sqrt()).max(0.0);
        let machine = self.machines[i].clone();
        let answered = came * (1.0 - machine.failing);
        let chance = self.chance() / answered.sqrt().max(1.0);
        let busy = (answered / machine.capacity * (1.0 + chance)).max(0.0) / self.interval;
        let done = answered.min(machine.capacity * self.interval * 1.02);
        let exec = 1.0 / (machine.capacity * (1.0 - busy).max(0.02));
        machine.lie.unwrap_or(Report {
            rate: Some((done + came * machine.failing) / self.interval),
            errors: Some(came * machine.failing / self.interval),
            cpu: Some(busy),
            exec_seconds: Some(exec * (1.0 + 2.0 * chance).max(0.1)),
            ..Report::default()
        })
    }
}
