// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a run is judged by.

mod samples;
pub mod series;

use crate::server::{Done, Server};

pub use samples::Samples;

/// One second of a run.
#[derive(Clone, Debug)]
pub struct Bin {
    /// Its end, seconds.
    pub at: f64,
    /// Busy part of each server.
    pub busy: Vec<f32>,
    /// Requests that came to each server.
    pub came: Vec<f32>,
    /// Shares that the policy wanted at its end; empty if it wants none.
    pub shares: Vec<f64>,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Seconds that requests waited for a worker.
    pub wait: Samples,
    /// Seconds that requests took in all.
    pub response: Samples,
    /// Requests answered with an error.
    pub errors: u64,
    /// Requests that missed their deadline.
    pub late: u64,
    /// Requests for which nobody was there.
    pub lost: u64,
    /// How often weights changed.
    pub changes: u64,
    /// The seconds of the run.
    pub bins: Vec<Bin>,
    from: f64,
    seconds: f64,
    busy: Vec<f64>,
    came: Vec<u64>,
}

impl Measured {
    /// Nothing yet. Requests that come before `from` will not be measured.
    pub fn new(servers: usize, from: f64, seconds: f64) -> Self {
        Self {
            wait: Samples::default(),
            response: Samples::default(),
            errors: 0,
            late: 0,
            lost: 0,
            changes: 0,
            bins: Vec::new(),
            from,
            seconds,
            busy: vec![0.0; servers],
            came: vec![0; servers],
        }
    }

    /// A request is over.
    pub fn over(&mut self, done: &Done) {
        if done.arrived >= self.from {
            self.wait.push(done.arrived, done.wait);
            self.response.push(done.arrived, done.response);
            self.late += u64::from(done.late);
        }
    }

    /// A request was answered with an error. How fast says nothing good of it: it counts apart.
    pub fn failed(&mut self, done: &Done) {
        self.errors += u64::from(done.arrived >= self.from);
    }

    /// Requests were lost.
    pub fn lost(&mut self, now: f64, count: usize) {
        if now >= self.from {
            self.lost += count as u64;
        }
    }

    /// A second is over.
    pub fn bin(&mut self, now: f64, servers: &mut [Server], shares: Vec<f64>) {
        let mut bin = Bin {
            at: now,
            busy: Vec::with_capacity(servers.len()),
            came: Vec::with_capacity(servers.len()),
            shares,
        };
        let before = self.busy.iter_mut().zip(&mut self.came);
        for (server, (busy, came)) in servers.iter_mut().zip(before) {
            let totals = server.totals(now);
            let workers = server.workers() as f64;
            bin.busy.push(((totals.busy - *busy) / workers) as f32);
            bin.came.push((totals.arrived - *came) as f32);
            (*busy, *came) = (totals.busy, totals.arrived);
        }
        if now > 0.0 {
            self.bins.push(bin);
        }
    }

    /// The run is over.
    pub fn finish(&mut self) {
        self.wait.sort();
        self.response.sort();
    }

    fn between(&self, from: f64, until: f64) -> impl Iterator<Item = &Bin> {
        // The time of a bin is its end.
        let inside = move |bin: &&Bin| bin.at > from + 0.5 && bin.at < until + 0.5;
        self.bins.iter().filter(inside)
    }

    /// Busy part of a server over a time.
    pub fn utilization(&self, server: usize, from: f64, until: f64) -> f64 {
        let busy = self
            .between(from, until)
            .filter_map(|bin| bin.busy.get(server));
        series::mean(busy.map(|busy| f64::from(*busy)))
    }

    /// Share of the requests that came to a server over a time.
    pub fn share(&self, server: usize, from: f64, until: f64) -> f64 {
        let (mut own, mut all) = (0.0, 0.0);
        for bin in self.between(from, until) {
            own += f64::from(bin.came.get(server).copied().unwrap_or(0.0));
            all += f64::from(bin.came.iter().sum::<f32>());
        }
        if all > 0.0 {
            own / all
        } else {
            0.0
        }
    }

    /// Utilization of the busiest server over that of the idlest, over a time.
    pub fn spread(&self, from: f64, until: f64) -> f64 {
        let used = (0..self.busy.len()).map(|server| self.utilization(server, from, until));
        let (least, most) = used.fold((f64::INFINITY, 0.0f64), |(least, most), used| {
            (least.min(used), most.max(used))
        });
        most / least.max(1e-9)
    }

    /// The mean over the seconds after the warm-up of how far the utilizations of a second lie
    /// apart: greatest less least.
    pub fn gap(&self) -> f64 {
        let gap = |bin: &Bin| {
            let most = bin.busy.iter().fold(0.0f32, |most, busy| most.max(*busy));
            f64::from(most - bin.busy.iter().fold(most, |least, busy| least.min(*busy)))
        };
        series::mean(self.between(self.from, self.seconds).map(gap))
    }

    /// Changes of weights in a minute.
    pub fn changes_per_minute(&self) -> f64 {
        self.changes as f64 / self.seconds * 60.0
    }
}
