// SPDX-License-Identifier: MIT OR Apache-2.0
//! The master of one service: what it serves, and where it starts. What it hears is in `hear`, what it
//! decides in `turn` and `study`, what it shows in `show`.

mod hear;
mod show;
mod study;
mod turn;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::distribution::{self, Distribution};
use crate::median::median;
use crate::member::Member;
use crate::overload::Overload;
use crate::server::Server;
use crate::settings::Settings;
use crate::view::Counters;
pub use hear::Rejected;
use turn::Pending;

/// The master of one service: from what servers tell to the weights they should have.
#[derive(Clone, Debug)]
pub struct Master<K> {
    settings: Settings,
    members: BTreeMap<K, Member>,
    /// The latest time it was told.
    now: Duration,
    /// Servers were set once.
    begun: bool,
    /// Something was heard since it was made or took weights over.
    heard: bool,
    /// Configurations, and those of them that are published.
    configured: (u64, u64),
    overload: Overload,
    panic: bool,
    /// What was proposed last, and when.
    pending: Option<Pending<K>>,
    proposed: Option<Duration>,
    published: Option<Duration>,
    counters: Counters,
}

impl<K: Ord + Clone> Master<K> {
    /// A master that knows of no servers yet. Settings are taken as they are: see [`Settings::check`].
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            members: BTreeMap::new(),
            now: Duration::ZERO,
            begun: false,
            heard: false,
            configured: (0, 0),
            overload: Overload::default(),
            panic: false,
            pending: None,
            proposed: None,
            published: None,
            counters: Counters::default(),
        }
    }

    /// Goes on with other settings. What was learned is kept.
    pub fn set_settings(&mut self, settings: Settings) {
        if self.settings != settings {
            self.settings = settings;
            self.configured.0 += u64::from(self.begun);
            self.heard |= self.begun;
        }
    }

    /// Goes on with these servers. Unknown ones are added, others removed; what was learned of those that stay is
    /// kept. A server that is added later begins with a small share, as one that came back does.
    pub fn set_servers(&mut self, servers: impl IntoIterator<Item = (K, Server)>, now: Duration) {
        self.advance(now);
        let servers: BTreeMap<K, Server> = servers.into_iter().collect();
        let before = self.members.len();
        self.members.retain(|key, _| servers.contains_key(key));
        let mut changed = self.members.len() != before;
        let middle = self.middle();
        for (key, server) in servers {
            match self.members.get_mut(&key) {
                Some(member) if member.server == server => {}
                Some(member) => {
                    changed = true;
                    member.configure(server, self.now, &self.settings);
                }
                None => {
                    changed = true;
                    let mut member = Member {
                        server,
                        since: self.now,
                        ..Member::default()
                    };
                    member.back = self.begun.then_some(self.now);
                    member.mind.place(middle);
                    self.members.insert(key, member);
                }
            }
        }
        if changed && self.begun {
            self.configured.0 += 1;
            self.heard = true;
        }
        self.begun = true;
    }

    /// Goes on from weights that the switch has, without changing them before something is heard.
    pub fn adopt(&mut self, weights: impl IntoIterator<Item = (K, u32)>) {
        let weights: Vec<(K, u32)> = weights
            .into_iter()
            .filter(|(key, _)| self.members.contains_key(key))
            .collect();
        for (key, weight) in &weights {
            let member = self.members.get_mut(key);
            // Who serves already, whoever gave it its weight, does not come back: its weight is not a part of one.
            if let Some(member) = member.filter(|m| m.weight.is_none() && *weight > 0) {
                member.back = None;
            }
        }
        let adopted: BTreeSet<K> = weights.iter().map(|(key, _)| key.clone()).collect();
        let log = |member: &Member, weight: u32| {
            let part = member.standing_part(self.now, &self.settings);
            let log = (f64::from(weight) / f64::from(member.server.weight) / part).ln();
            log.is_finite().then_some(log)
        };
        // The unit of the weights: that of those which were published before, or else such that the middle is
        // what is configured.
        let before = self
            .members
            .iter()
            .filter(|(key, _)| !adopted.contains(key));
        let before = before.filter_map(|(_, m)| Some(log(m, m.weight?)? - m.mind.at));
        let raw = |(key, weight): &(K, u32)| log(self.members.get(key)?, *weight);
        let unit = median(before).or_else(|| median(weights.iter().filter_map(raw)));
        let logs: Vec<Option<f64>> = weights.iter().map(raw).collect();
        for ((key, weight), log) in weights.into_iter().zip(logs) {
            let Some(member) = self.members.get_mut(&key) else {
                continue;
            };
            member.weight = Some(weight);
            member.adopted = member.word.percent.is_none();
            if let Some((log, unit)) = log.zip(unit) {
                member.mind.place(log - unit);
            }
            let silent = member.health.is_none() && !member.pulse.is_known();
            let out = weight == 0 && member.server.weight > 0;
            member.held = (out && silent).then_some(self.now);
        }
        let sum: f64 = self
            .members
            .values()
            .filter_map(|m| m.weight)
            .map(f64::from)
            .sum();
        for member in self.members.values_mut() {
            member.share = f64::from(member.weight.unwrap_or(0)) / sum.max(1.0);
        }
        // As what they were published: as what they are now.
        let (standings, panic) = self.standings();
        for (member, standing) in self.members.values_mut().zip(standings) {
            member.standing = standing;
        }
        self.panic = panic;
    }

    /// What a server counts for of which nothing is known: the middle of those that are.
    fn middle(&self) -> f64 {
        let informed = |member: &&Member| member.is_informed(self.now, &self.settings);
        let goals = |member: &Member| member.mind.goal;
        let known = self
            .members
            .values()
            .filter(informed)
            .filter(|m| !m.mind.incredible);
        median(known.map(goals))
            .or_else(|| median(self.members.values().map(goals)))
            .unwrap_or(0.0)
    }

    fn law(&self) -> Box<dyn Distribution> {
        distribution::of(&self.settings)
    }

    /// Time does not go back.
    fn advance(&mut self, now: Duration) -> Duration {
        self.now = self.now.max(now);
        self.now
    }
}

impl Member {
    /// Goes on with another configuration. Where the share of a server was learned, it stays.
    fn configure(&mut self, server: Server, now: Duration, settings: &Settings) {
        let (old, new) = (self.server.weight, server.weight);
        if old == 0 && new > 0 {
            self.recover(now);
        } else if new > 0 && self.is_informed(now, settings) {
            self.mind.shift((f64::from(old) / f64::from(new)).ln());
        }
        self.server = server;
    }

    /// Part of its share that it gets by its agent and by having come back.
    fn standing_part(&self, now: Duration, settings: &Settings) -> f64 {
        let wanted = self.wanted(now, settings);
        let percent = wanted.filter(|percent| *percent > 0.0).unwrap_or(1.0);
        percent * self.slow(now, settings).unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests;
