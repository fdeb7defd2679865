// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server: workers of some speed before one queue, first come first served.

use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// How a server begins.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Seconds of work that a worker does in a second.
    pub speed: f64,
    /// How many requests it works at, at the same time.
    pub workers: usize,
}

impl Plan {
    /// One worker of this speed.
    pub fn of_speed(speed: f64) -> Self {
        Self { speed, workers: 1 }
    }
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// When it arrived.
    pub arrived: f64,
    /// Seconds of a worker of speed 1.
    pub work: f64,
}

/// A request that has begun.
#[derive(Clone, Copy, Debug)]
struct Running {
    job: Job,
    begun: f64,
    left: f64,
    since: f64,
    epoch: u32,
}

/// When a worker will be done, if its speed does not change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Next {
    /// Time; infinite at speed 0.
    pub at: f64,
    /// The worker.
    pub worker: usize,
    /// To be given back to [`Server::depart`].
    pub epoch: u32,
}

/// A request that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Done {
    /// When it arrived.
    pub arrived: f64,
    /// How long it waited for a worker.
    pub wait: f64,
    /// How long it took in all.
    pub response: f64,
    /// Whether it missed its deadline.
    pub late: bool,
}

/// What a server has done since the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Requests that came.
    pub arrived: u64,
    /// Requests answered, well or not.
    pub answered: u64,
    /// Requests answered with an error.
    pub errors: u64,
    /// Seconds that workers were busy.
    pub busy: f64,
    /// Seconds that answered requests took, from arrival to answer.
    pub response: f64,
}

/// A server.
#[derive(Debug)]
pub struct Server {
    speed: f64,
    workers: Vec<Option<Running>>,
    free: Vec<usize>,
    queue: VecDeque<Job>,
    refusing: usize,
    epoch: u32,
    settled: f64,
    totals: Totals,
    deadline: f64,
    /// Part of the requests that it answers with an error, at once.
    pub failing: f64,
    /// Whether it is there at all.
    pub up: bool,
}

impl Server {
    /// An idle server that drops requests which waited for `deadline` seconds.
    pub fn new(plan: Plan, deadline: f64) -> Self {
        Self {
            speed: plan.speed,
            workers: vec![None; plan.workers],
            free: (0..plan.workers).rev().collect(),
            queue: VecDeque::new(),
            refusing: 0,
            epoch: 0,
            settled: 0.0,
            totals: Totals::default(),
            deadline,
            failing: 0.0,
            up: true,
        }
    }

    /// Requests in it: the connections that a switch sees open.
    pub fn open(&self) -> usize {
        self.queue.len() + self.workers.len() - self.free.len() + self.refusing
    }

    /// How many workers it has.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// What it has done until `now`.
    pub fn totals(&mut self, now: f64) -> Totals {
        self.settle(now);
        self.totals
    }

    /// Requests that came so far.
    pub fn arrived(&self) -> u64 {
        self.totals.arrived
    }

    /// A request comes.
    pub fn arrive(&mut self, now: f64, work: f64) -> Option<Next> {
        let job = Job { arrived: now, work };
        self.totals.arrived += 1;
        self.settle(now);
        match self.free.pop() {
            Some(worker) => Some(self.begin(now, worker, job)),
            None => {
                self.queue.push_back(job);
                None
            }
        }
    }

    /// A request comes that will be answered with an error, by [`Server::refused`].
    pub fn refuse(&mut self) {
        self.totals.arrived += 1;
        self.refusing += 1;
    }

    /// The error is answered.
    pub fn refused(&mut self, now: f64, arrived: f64) -> Done {
        self.refusing = self.refusing.saturating_sub(1);
        self.totals.answered += 1;
        self.totals.errors += 1;
        self.totals.response += now - arrived;
        Done {
            arrived,
            wait: 0.0,
            response: now - arrived,
            late: false,
        }
    }

    /// A worker is done: pushes the request, and those of the queue that it finds too late, to
    /// `over`, and tells when the worker is done with the next one. Nothing happens when the
    /// `epoch` is not that of the worker.
    pub fn depart(&mut self, now: f64, next: Next, over: &mut Vec<Done>) -> Option<Next> {
        let place = self.workers.get_mut(next.worker)?;
        let running = place.take_if(|running| running.epoch == next.epoch)?;
        self.settle(now);
        let response = now - running.job.arrived;
        let late = response > self.deadline;
        self.totals.answered += 1;
        self.totals.errors += u64::from(late);
        self.totals.response += response;
        over.push(Done {
            arrived: running.job.arrived,
            wait: running.begun - running.job.arrived,
            response: response.min(self.deadline),
            late,
        });
        while let Some(job) = self.queue.pop_front() {
            if now - job.arrived < self.deadline {
                return Some(self.begin(now, next.worker, job));
            }
            self.totals.answered += 1;
            self.totals.errors += 1;
            self.totals.response += self.deadline;
            over.push(Done {
                arrived: job.arrived,
                wait: self.deadline,
                response: self.deadline,
                late: true,
            });
        }
        self.free.push(next.worker);
        None
    }

    /// Changes the speed, and tells when the workers are done now.
    pub fn set_speed(&mut self, now: f64, speed: f64) -> Vec<Next> {
        self.settle(now);
        let old = std::mem::replace(&mut self.speed, speed);
        let mut changed = Vec::new();
        for (worker, running) in self.workers.iter_mut().enumerate() {
            let Some(running) = running else { continue };
            running.left = (running.left - (now - running.since) * old).max(0.0);
            running.since = now;
            self.epoch = self.epoch.wrapping_add(1);
            running.epoch = self.epoch;
            changed.push(Next {
                at: now + running.left / speed,
                worker,
                epoch: running.epoch,
            });
        }
        changed
    }

    /// The server dies: tells how many requests die with it.
    pub fn crash(&mut self, now: f64) -> usize {
        self.settle(now);
        self.up = false;
        let lost = self.open() - self.refusing;
        self.queue.clear();
        self.workers.fill(None);
        self.free = (0..self.workers.len()).rev().collect();
        lost
    }

    fn begin(&mut self, now: f64, worker: usize, job: Job) -> Next {
        self.epoch = self.epoch.wrapping_add(1);
        let epoch = self.epoch;
        if let Some(place) = self.workers.get_mut(worker) {
            *place = Some(Running {
                job,
                begun: now,
                left: job.work,
                since: now,
                epoch,
            });
        }
        let at = now + job.work / self.speed;
        Next { at, worker, epoch }
    }

    /// Accounts the time of busy workers.
    fn settle(&mut self, now: f64) {
        let busy = self.workers.len() - self.free.len();
        self.totals.busy += busy as f64 * (now - self.settled);
        self.settled = now;
    }
}
