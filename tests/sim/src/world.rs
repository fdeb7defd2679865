// SPDX-License-Identifier: MIT OR Apache-2.0
//! A pool of servers, what comes to it, and what happens to it: one run.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::agent::Mood;
use crate::arrival::{Pattern, Work};
use crate::event::{Event, Queue};
use crate::measure::Measured;
use crate::policy::Policy;
use crate::server::{Next, Plan, Server};

#[cfg(test)]
mod tests;

/// Seconds that a server takes to answer with an error.
const REFUSAL: f64 = 0.001;

/// Something that happens to a server.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// When, seconds.
    pub at: f64,
    /// To which.
    pub server: usize,
    /// What.
    pub what: What,
}

/// What can happen to a server.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// It has another speed.
    Speed(f64),
    /// It answers this part of its requests with an error, at once.
    Failing(f64),
    /// It dies with all that is in it.
    Crash,
    /// It is there again.
    Start,
    /// A health check finds out that it is there, or not.
    Check(bool),
    /// Its agent behaves otherwise.
    Agent(Mood),
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The servers at the beginning.
    pub servers: Vec<Plan>,
    /// When requests come.
    pub arrivals: Pattern,
    /// What they cost.
    pub work: Work,
    /// What happens to servers.
    pub changes: Vec<Change>,
    /// Length, seconds.
    pub seconds: f64,
    /// Requests that come before are not measured.
    pub warmup: f64,
    /// A request that takes longer is an error.
    pub deadline: f64,
    /// The same seed gives the same requests, whatever the policy.
    pub seed: u64,
}

impl Scenario {
    /// Servers of these speeds under a constant load, for `seconds` of which the first fifth is
    /// not measured.
    pub fn steady(speeds: &[f64], rate: f64, work: Work, seconds: f64) -> Self {
        Self {
            servers: speeds.iter().map(|speed| Plan::of_speed(*speed)).collect(),
            arrivals: Pattern::Constant(rate),
            work,
            changes: Vec::new(),
            seconds,
            warmup: seconds / 5.0,
            deadline: f64::INFINITY,
            seed: 1,
        }
    }

    /// The same with something that happens.
    pub fn with(mut self, at: f64, server: usize, what: What) -> Self {
        self.changes.push(Change { at, server, what });
        self
    }

    /// The same with other chance.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Runs it.
    pub fn run(&self, policy: &mut dyn Policy) -> Measured {
        World::new(self, policy).run()
    }
}

struct World<'a> {
    scenario: &'a Scenario,
    policy: &'a mut dyn Policy,
    servers: Vec<Server>,
    queue: Queue,
    arrivals: Pcg64Mcg,
    choices: Pcg64Mcg,
    failures: Pcg64Mcg,
    measured: Measured,
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, policy: &'a mut dyn Policy) -> Self {
        let mut queue = Queue::default();
        // At one moment changes come first, then the policy looks, then requests come.
        for (number, change) in scenario.changes.iter().enumerate() {
            queue.push(change.at, Event::Change(number));
        }
        if policy.period().is_some() {
            queue.push(0.0, Event::Refresh);
        }
        queue.push(0.0, Event::Bin);
        let mut arrivals = Pcg64Mcg::seed_from_u64(scenario.seed);
        queue.push(scenario.arrivals.next(0.0, &mut arrivals), Event::Arrival);
        let plans = scenario.servers.iter();
        Self {
            servers: plans
                .map(|plan| Server::new(*plan, scenario.deadline))
                .collect(),
            measured: Measured::new(scenario.servers.len(), scenario.warmup, scenario.seconds),
            choices: Pcg64Mcg::seed_from_u64(scenario.seed ^ 0x5eed_c401),
            failures: Pcg64Mcg::seed_from_u64(scenario.seed ^ 0x5eed_fa11),
            scenario,
            policy,
            queue,
            arrivals,
        }
    }

    fn run(mut self) -> Measured {
        let mut over = Vec::new();
        while let Some((now, event)) = self.queue.pop() {
            // What came before the end is worked off, or the slowest would not be measured.
            let ended = now > self.scenario.seconds;
            if ended && !matches!(event, Event::Departure { .. } | Event::Refusal { .. }) {
                continue;
            }
            match event {
                Event::Arrival => {
                    self.arrive(now);
                    let next = self.scenario.arrivals.next(now, &mut self.arrivals);
                    self.queue.push(next, Event::Arrival);
                }
                Event::Departure {
                    server,
                    worker,
                    epoch,
                } => {
                    let done = Next {
                        at: now,
                        worker,
                        epoch,
                    };
                    let Some(place) = self.servers.get_mut(server) else {
                        continue;
                    };
                    let next = place.depart(now, done, &mut over);
                    for done in over.drain(..) {
                        self.measured.over(&done);
                    }
                    self.schedule(server, next);
                }
                Event::Refusal { server, arrived } => {
                    if let Some(server) = self.servers.get_mut(server) {
                        let done = server.refused(now, arrived);
                        self.measured.failed(&done);
                    }
                }
                Event::Change(number) => self.change(now, number),
                Event::Refresh => {
                    self.policy
                        .refresh(now, &mut self.servers, &mut self.choices);
                    if let Some(period) = self.policy.period() {
                        self.queue.push(now + period, Event::Refresh);
                    }
                }
                Event::Bin => {
                    self.measured
                        .bin(now, &mut self.servers, self.policy.shares());
                    self.queue.push(now + 1.0, Event::Bin);
                }
            }
        }
        self.measured.changes = self.policy.changes();
        self.measured.finish();
        self.measured
    }

    fn arrive(&mut self, now: f64) {
        let work = self.scenario.work.draw(&mut self.arrivals);
        let picked = self.policy.pick(&self.servers, &mut self.choices);
        let Some((place, server)) =
            picked.and_then(|place| Some((place, self.servers.get_mut(place)?)))
        else {
            self.measured.lost(now, 1);
            return;
        };
        if !server.up {
            self.measured.lost(now, 1);
        } else if server.failing > 0.0 && self.failures.random::<f64>() < server.failing {
            server.refuse();
            let event = Event::Refusal {
                server: place,
                arrived: now,
            };
            self.queue.push(now + REFUSAL, event);
        } else {
            let next = server.arrive(now, work);
            self.schedule(place, next);
        }
    }

    fn schedule(&mut self, server: usize, next: impl IntoIterator<Item = Next>) {
        for Next { at, worker, epoch } in next {
            if at.is_finite() {
                let event = Event::Departure {
                    server,
                    worker,
                    epoch,
                };
                self.queue.push(at, event);
            }
        }
    }

    fn change(&mut self, now: f64, number: usize) {
        let Some(change) = self.scenario.changes.get(number) else {
            return;
        };
        let Some(server) = self.servers.get_mut(change.server) else {
            return;
        };
        match change.what {
            What::Speed(speed) => {
                let next = server.set_speed(now, speed);
                self.schedule(change.server, next);
            }
            What::Failing(part) => server.failing = part,
            What::Crash => {
                let lost = server.crash(now);
                self.measured.lost(now, lost);
            }
            What::Start => server.up = true,
            What::Check(healthy) => self.policy.check(now, change.server, healthy),
            What::Agent(mood) => self.policy.agent(change.server, mood),
        }
    }
}
