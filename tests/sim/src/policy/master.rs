// SPDX-License-Identifier: MIT OR Apache-2.0
//! The real master, told by simulated agents, with its weights in the real slot list.

use std::collections::VecDeque;
use std::time::Duration;

use rand_pcg::Pcg64Mcg;
use smplb_master::{Master, Outcome, Report, Settings, View};

use super::switch::Switch;
use super::Policy;
use crate::agent::{Agent, Meter, Mood};
use crate::server::Server;

/// How often smplbd looks whether there is something to publish, seconds.
const TICK: f64 = 0.1;

/// What reaches the master.
#[derive(Clone, Debug)]
pub struct Feedback {
    /// The settings of the master.
    pub settings: Settings,
    /// Time between two reports of a server, seconds.
    pub interval: f64,
    /// How old a report is when it arrives, seconds.
    pub delay: f64,
    /// How agents measure.
    pub meter: Meter,
}

impl Feedback {
    /// A report each second, fresh.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            interval: 1.0,
            delay: 0.0,
            meter: Meter::default(),
        }
    }

    /// With a report each `interval` seconds.
    pub fn every(self, interval: f64) -> Self {
        Self { interval, ..self }
    }

    /// With reports that arrive `delay` seconds after they were measured.
    pub fn late(self, delay: f64) -> Self {
        Self { delay, ..self }
    }
}

/// The shares of a moment.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Since when, seconds.
    pub at: f64,
    /// The share of each server.
    pub shares: Vec<f64>,
}

/// A policy that follows the servers.
#[derive(Debug)]
pub struct Follow {
    master: Master<usize>,
    switch: Switch,
    agents: Vec<Agent>,
    due: Vec<f64>,
    post: VecDeque<(f64, usize, Report)>,
    interval: f64,
    delay: f64,
    /// The shares at the beginning and at each change.
    pub history: Vec<Moment>,
    /// Reports that the master did not take.
    pub rejected: u64,
}

impl Follow {
    /// With servers of these configured weights.
    pub fn new(feedback: Feedback, weights: &[u32]) -> Self {
        let mut master = Master::new(feedback.settings);
        let server = |weight: &u32| smplb_master::Server {
            weight: *weight,
            ..smplb_master::Server::default()
        };
        master.set_servers(weights.iter().map(server).enumerate(), Duration::ZERO);
        let switch = Switch::round_robin(weights);
        // Agents start at different moments, so their reports are spread over the interval.
        let phase = |place| feedback.interval * (1.0 + place as f64 / weights.len() as f64);
        Self {
            master,
            history: vec![Moment {
                at: 0.0,
                shares: switch.shares(),
            }],
            switch,
            agents: vec![Agent::new(feedback.meter); weights.len()],
            due: (0..weights.len()).map(phase).collect(),
            post: VecDeque::new(),
            interval: feedback.interval,
            delay: feedback.delay,
            rejected: 0,
        }
    }

    /// `count` servers of the same configured weight.
    pub fn equal(feedback: Feedback, count: usize) -> Self {
        Self::new(feedback, &vec![100; count])
    }

    /// What the master thinks.
    pub fn view(&self, now: f64) -> View<usize> {
        self.master.view(Duration::from_secs_f64(now))
    }

    /// The share of a server at a moment.
    pub fn share_at(&self, server: usize, now: f64) -> f64 {
        let after = self.history.partition_point(|moment| moment.at <= now);
        let moment = self.history.get(after.saturating_sub(1));
        moment
            .and_then(|moment| moment.shares.get(server))
            .copied()
            .unwrap_or(0.0)
    }

    fn collect(&mut self, now: f64, servers: &mut [Server]) {
        let each = servers.iter_mut().zip(&mut self.agents).zip(&mut self.due);
        for (place, ((server, agent), due)) in each.enumerate() {
            // The clock of ticks adds up small errors.
            if now + 1e-6 < *due {
                continue;
            }
            *due += self.interval;
            if !server.up {
                continue;
            }
            if let Some(report) = agent.report(now, server) {
                self.post.push_back((now + self.delay, place, report));
            }
        }
        let arrived = |post: &VecDeque<(f64, usize, Report)>| {
            post.front()
                .is_some_and(|(arrives, _, _)| *arrives <= now + 1e-6)
        };
        while arrived(&self.post) {
            let Some((_, place, report)) = self.post.pop_front() else {
                break;
            };
            let taken = self
                .master
                .report(&place, &report, Duration::from_secs_f64(now));
            self.rejected += u64::from(taken.is_err());
        }
    }
}

impl Policy for Follow {
    fn pick(&mut self, servers: &[Server], _rng: &mut Pcg64Mcg) -> Option<usize> {
        self.switch.pick(servers)
    }

    fn period(&self) -> Option<f64> {
        Some(TICK)
    }

    fn refresh(&mut self, now: f64, servers: &mut [Server], _rng: &mut Pcg64Mcg) {
        self.collect(now, servers);
        let time = Duration::from_secs_f64(now);
        for (place, server) in servers.iter().enumerate() {
            self.master
                .connections(&place, server.open() as u64, server.arrived(), time);
        }
        if let Outcome::Publish(proposal) = self.master.tick(time) {
            let mut weights = self.switch.weights();
            for (place, weight) in &proposal.weights {
                if let Some(old) = weights.get_mut(*place) {
                    *old = *weight;
                }
            }
            self.switch.set(&weights);
            self.master.published(time, true);
            self.history.push(Moment {
                at: now,
                shares: self.switch.shares(),
            });
        }
    }

    fn check(&mut self, now: f64, server: usize, healthy: bool) {
        self.master
            .health(&server, healthy, Duration::from_secs_f64(now));
    }

    fn agent(&mut self, server: usize, mood: Mood) {
        if let Some(agent) = self.agents.get_mut(server) {
            agent.mood = mood;
        }
    }

    fn shares(&self) -> Vec<f64> {
        self.switch.shares()
    }

    fn changes(&self) -> u64 {
        self.history.len() as u64 - 1
    }
}
