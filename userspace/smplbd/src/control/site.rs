// SPDX-License-Identifier: MIT OR Apache-2.0
//! A followed service: its master, and what is known of its weights in the switch.

use std::collections::BTreeMap;
use std::time::Duration;

use smplb_master::{Master, Proposal, Server};
use tokio::time::Instant;

use crate::board::{ServerView, SiteView, Tally};
use crate::config;
use crate::key::{BackendKey, ServiceKey};
use crate::reconcile::{Gone, Wanted, WantedBackend};
use crate::switch::{Change, Definition, Service};

/// The first and the longest pause after the switch refused a change of the service.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A followed service.
#[derive(Debug)]
pub struct Site {
    key: ServiceKey,
    definition: Definition,
    /// Who decides.
    pub master: Master<BackendKey>,
    servers: BTreeMap<BackendKey, Known>,
    /// Why nothing was published in the last turn.
    pub hold: Option<&'static str>,
    /// After a refusal: when to try again, and the pause until then.
    pause: Option<(Instant, Duration)>,
}

/// What is known of a server.
#[derive(Debug, Default)]
struct Known {
    configured: u32,
    /// Its weight in the switch, as it was found at first or published since.
    weight: Option<u32>,
    /// Whether it is checked; and what the checks found.
    checked: bool,
    followed: bool,
    tally: Tally,
}

impl Site {
    /// A service of which nothing is known.
    pub fn new(service: &config::Service) -> Self {
        Self {
            key: service.key,
            definition: service.definition,
            master: Master::new(service.settings.clone()),
            servers: BTreeMap::new(),
            hold: None,
            pause: None,
        }
    }

    /// Goes on with a configuration; returns the backends that are not in it any more.
    pub fn configure(&mut self, service: &config::Service, now: Duration) -> Vec<Gone> {
        self.definition = service.definition;
        self.master.set_settings(service.settings.clone());
        self.pause = None;
        let mut old = std::mem::take(&mut self.servers);
        for backend in &service.backends {
            let mut known = old.remove(&backend.key).unwrap_or_default();
            let unchecked = known.checked && service.check.is_none();
            known.configured = backend.weight;
            known.checked = service.check.is_some();
            known.followed = backend.load.is_some();
            self.servers.insert(backend.key, known);
            if unchecked {
                // Nobody is left who could find it well again.
                self.master.health(&backend.key, true, now);
            }
        }
        let servers = service.backends.iter().map(|backend| {
            let server = Server {
                weight: backend.weight,
                labels: backend.labels.clone(),
            };
            (backend.key, server)
        });
        self.master.set_servers(servers, now);
        let gone = old.into_keys();
        gone.map(|backend| Gone::Backend(self.key, backend))
            .collect()
    }

    /// What the switch should have.
    pub fn wanted(&self) -> Wanted {
        let backend = |(key, known): (&BackendKey, &Known)| {
            let backend = WantedBackend {
                configured: known.configured,
                known: known.weight,
            };
            (*key, backend)
        };
        Wanted {
            key: self.key,
            definition: self.definition,
            backends: self.servers.iter().map(backend).collect(),
        }
    }

    /// Goes on from weights that the switch has.
    pub fn adopt(&mut self, weights: BTreeMap<BackendKey, u32>) {
        for (key, weight) in &weights {
            if let Some(known) = self.servers.get_mut(key) {
                known.weight = Some(*weight);
            }
        }
        if !weights.is_empty() {
            let service = self.key;
            tracing::info!(%service, servers = weights.len(), "weights of the switch are taken over");
            self.master.adopt(weights);
        }
    }

    /// The switch counted connections.
    pub fn counted(&mut self, service: &Service, now: Duration) {
        for (key, backend) in &service.backends {
            if self.servers.contains_key(key) {
                let (active, made) = (backend.active, backend.connections);
                self.master.connections(key, active, made, now);
            }
        }
    }

    /// The switch has done changes, among them those of this service, which may have been proposed.
    pub fn published(&mut self, changes: &[Change], proposal: Option<&Proposal<BackendKey>>) {
        self.pause = None;
        let mut added = BTreeMap::new();
        for change in changes {
            let (Change::AddBackend(service, backend, weight)
            | Change::SetWeight(service, backend, weight)) = *change
            else {
                continue;
            };
            if service != self.key {
                continue;
            }
            if let Some(known) = self.servers.get_mut(&backend) {
                known.weight = Some(weight);
                if !proposal.is_some_and(|proposal| proposal.weights.contains_key(&backend)) {
                    added.insert(backend, weight);
                }
            }
        }
        // The master did not propose these: they are where it goes on from.
        if !added.is_empty() {
            self.master.adopt(added);
        }
    }

    /// The switch refused a change; if it was of this service alone, it is left for a while.
    pub fn refused(&mut self, alone: bool) {
        if alone {
            let (first, longest) = PAUSES;
            let pause = self
                .pause
                .map_or(first, |(_, pause)| (pause * 2).min(longest));
            self.pause = Some((Instant::now() + pause, pause));
        }
    }

    /// Whether it is not left for a while.
    pub fn may_publish(&self) -> bool {
        self.pause.is_none_or(|(until, _)| Instant::now() >= until)
    }

    /// Counts something of a server.
    pub fn tally(&mut self, backend: &BackendKey, add: impl FnOnce(&mut Tally)) {
        if let Some(known) = self.servers.get_mut(backend) {
            add(&mut known.tally);
        }
    }

    /// As it is shown.
    pub fn view(&self, now: Duration) -> SiteView {
        let view = self.master.view(now);
        let server = |(key, known): (&BackendKey, &Known)| {
            let seen = view.servers.get(key).cloned().unwrap_or_default();
            ServerView {
                key: *key,
                configured: known.configured,
                state: seen.state,
                utilization: seen.utilization,
                rate: seen.rate,
                age: seen.age.map(|age| age.as_secs_f64()),
                wanted: seen.wanted,
                followed: known.followed,
                tally: known.tally.clone(),
            }
        };
        SiteView {
            key: self.key,
            servers: self.servers.iter().map(server).collect(),
            overloaded: view.overloaded,
            panic: view.panic,
            fallback: view.counters.fallback,
            stale: view.counters.stale,
            blackout: view.counters.blackout,
        }
    }
}
