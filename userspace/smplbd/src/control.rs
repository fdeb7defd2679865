// SPDX-License-Identifier: MIT OR Apache-2.0
//! The control loop: hears what followers tell, lets the master of each service decide, and
//! publishes what all of them decided in a turn as one generation.
//!
//! It never waits for the switch: a question to it flies while the loop goes on turning, hearing
//! followers and feeding the watchdog. There is one question at a time, so a switch that does not
//! answer costs one task. Whatever fails leaves the state unknown, so that the switch is read before
//! anything more is published.

mod draft;
mod flight;
mod retry;
mod site;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::board::{Board, Counters, Snapshot};
use crate::config::Service;
use crate::key::ServiceKey;
use crate::limit::Limit;
use crate::log::Once;
use crate::manager::{Manager, News, Place};
use crate::notify::Notify;
use crate::reconcile::{Gone, Notice};
use crate::switch::{State, Switch};
use flight::{Flight, Landing};
use retry::Retry;
use site::Site;

/// Between two turns.
const TURN: Duration = Duration::from_millis(100);
/// Between two readings of the switch, and two snapshots for the metrics.
const LOOK: Duration = Duration::from_secs(1);
/// The most generations in any second, over all services.
const PER_SECOND: u32 = 10;
/// News that are taken at once, so that turns come in between.
const BATCH: usize = 256;
/// After a refusal each service is published by itself for so long, so that one which the switch
/// refuses does not hold up the others.
const APART: Duration = Duration::from_secs(10);

/// What the control loop is told to do.
#[derive(Debug)]
pub enum Command {
    /// Goes on with these services. The answer comes when it does.
    Reload(Vec<Service>, oneshot::Sender<()>),
    /// A file was refused.
    Refused,
    /// Ends.
    Stop,
}

/// The control loop.
#[derive(Debug)]
pub struct Control {
    switch: Arc<dyn Switch>,
    manager: Manager,
    notify: Notify,
    board: Board,
    start: Instant,

    sites: BTreeMap<ServiceKey, Site>,
    gone: BTreeSet<Gone>,
    state: Option<Arc<State>>,
    /// Whether `state` may be built on.
    fresh: bool,
    read_at: Option<Instant>,
    news: Option<watch::Receiver<u64>>,
    flight: Option<Flight>,
    limit: Limit,
    retry: Retry,
    apart_until: Option<Instant>,
    /// With services apart: the one that had its turn last.
    last_apart: Option<ServiceKey>,

    counters: Counters,
    up: bool,
    shown_at: Option<Instant>,
    alive_at: Option<Instant>,
    notices: BTreeSet<Notice>,
    troubles: Once<Place>,
    switch_trouble: Once<&'static str>,
}

impl Control {
    /// A loop that has not turned yet.
    pub fn new(
        switch: Arc<dyn Switch>,
        manager: Manager,
        notify: Notify,
        board: Board,
        services: &[Service],
    ) -> Self {
        let news = switch.news();
        let mut control = Self {
            switch,
            manager,
            notify,
            board,
            start: Instant::now(),
            sites: BTreeMap::new(),
            gone: BTreeSet::new(),
            state: None,
            fresh: false,
            read_at: None,
            news,
            flight: None,
            limit: Limit::new(PER_SECOND),
            retry: Retry::default(),
            apart_until: None,
            last_apart: None,
            counters: Counters::default(),
            up: false,
            shown_at: None,
            alive_at: None,
            notices: BTreeSet::new(),
            troubles: Once::default(),
            switch_trouble: Once::default(),
        };
        control.configure(services);
        control
    }

    /// Turns until it is told to stop.
    pub async fn run(
        mut self,
        mut news: mpsc::Receiver<News>,
        mut commands: mpsc::Receiver<Command>,
    ) {
        let mut turns = tokio::time::interval(TURN);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            // In this order: no storm of news keeps a turn from coming.
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(Command::Reload(services, done)) => {
                        self.counters.reloads += 1;
                        self.counters.reload_good = true;
                        self.configure(&services);
                        // Who asked may have given up.
                        let _ = done.send(());
                    }
                    Some(Command::Refused) => self.counters.reload_good = false,
                    Some(Command::Stop) | None => return,
                },
                _ = turns.tick() => {
                    self.turn();
                    // Never less than a turn apart, or the masters, who count from the last one,
                    // leave every other turn out as too soon.
                    turns.reset();
                }
                landing = flight::land(&mut self.flight) => self.land(landing),
                _ = news.recv_many(&mut batch, BATCH) => {
                    for news in batch.drain(..) {
                        self.hear(news);
                    }
                }
            }
        }
    }

    /// Time since the start: what masters are told.
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn turn(&mut self) {
        self.board.turn();
        self.feed_watchdog();
        if self.flight.is_none() {
            match self.wants_to_read() {
                true => self.read(),
                false => self.publish(),
            }
        }
        if is_due(self.shown_at, LOOK) {
            self.shown_at = Some(Instant::now());
            self.manager.mend();
            self.show();
        }
    }

    /// systemd is told from here, and from nowhere else: when the loop hangs, it is to know.
    fn feed_watchdog(&mut self) {
        if let Some(time) = self.notify.watchdog() {
            if is_due(self.alive_at, (time / 4).min(LOOK)) {
                self.alive_at = Some(Instant::now());
                self.notify.alive();
            }
        }
    }

    fn wants_to_read(&mut self) -> bool {
        let told = match &mut self.news {
            Some(news) if news.has_changed().unwrap_or(false) => Some(*news.borrow_and_update()),
            _ => None,
        };
        let active = self.state.as_ref().map(|state| state.generation);
        if told.is_some() && told != active {
            self.fresh = false;
        }
        self.retry.is_due() && (!self.fresh || is_due(self.read_at, LOOK))
    }

    fn read(&mut self) {
        self.read_at = Some(Instant::now());
        self.flight = Some(flight::read(self.switch.clone()));
    }

    fn land(&mut self, landing: Landing) {
        self.flight = None;
        match landing {
            Landing::Read(result) => {
                self.looked(result);
                // The turn that read could not publish.
                self.publish();
            }
            Landing::Published(draft, result, took) => self.published(draft, result, took),
            Landing::Lost => self.fresh = false,
        }
    }

    /// Goes on with the services of a configuration. What was learned of those that stay is kept.
    fn configure(&mut self, services: &[Service]) {
        let now = self.now();
        let wanted: BTreeSet<_> = services.iter().map(|service| service.key).collect();
        let lost = self.sites.keys().filter(|key| !wanted.contains(key));
        self.gone.extend(lost.map(|key| Gone::Service(*key)));
        self.sites.retain(|key, _| wanted.contains(key));
        for service in services {
            let site = self
                .sites
                .entry(service.key)
                .or_insert_with(|| Site::new(service));
            self.gone.extend(site.configure(service, now));
            self.gone.remove(&Gone::Service(service.key));
            for backend in &service.backends {
                self.gone.remove(&Gone::Backend(service.key, backend.key));
            }
        }
        self.manager.follow(services);
        let manager = &self.manager;
        self.troubles.retain(|place| manager.follows(place));
    }

    fn show(&mut self) {
        let now = self.now();
        let sites: Vec<_> = self.sites.values().map(|site| site.view(now)).collect();
        let servers = sites.iter().map(|site| site.servers.len()).sum::<usize>();
        let healthy = sites.iter().flat_map(|site| &site.servers);
        let healthy = healthy.filter(|server| server.state != smplb_master::State::Down);
        let healthy = healthy.count();
        let status = match (&self.state, self.up) {
            (Some(state), true) => format!(
                "generation {}, {healthy} of {servers} servers healthy",
                state.generation
            ),
            _ => format!("the switch does not answer, {healthy} of {servers} servers healthy"),
        };
        self.notify.status(status);
        self.board.show(Snapshot {
            state: self.state.clone(),
            up: self.up,
            sites,
            counters: self.counters.clone(),
        });
    }
}

fn is_due(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= every)
}

#[cfg(test)]
mod tests;
