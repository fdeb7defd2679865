// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the master shows.

use std::time::Duration;

use super::Master;
use crate::member::Member;
use crate::pool::Standing;
use crate::view::{ServerView, View};
use crate::weights;

impl<K: Ord + Clone> Master<K> {
    /// What the master knows and does, as of this time.
    pub fn view(&self, now: Duration) -> View<K> {
        let now = self.now.max(now);
        let (standings, _) = self.standings();
        let learns = self.learns();
        let parts = self
            .members
            .values()
            .zip(&standings)
            .map(|(member, standing)| {
                let log = if learns { member.mind.goal } else { 0.0 };
                member.part(standing, log, now, &self.settings)
            });
        let wanted = weights::shares(&parts.collect::<Vec<_>>(), learns, &self.settings);
        let servers = self.members.iter().zip(standings.iter().zip(wanted));
        let servers = servers.map(|((key, member), (standing, wanted))| {
            (key.clone(), self.server_view(member, standing, wanted, now))
        });
        View {
            servers: servers.collect(),
            overloaded: self.overload.is_on(),
            panic: self.panic,
            counters: self.counters.clone(),
        }
    }

    fn server_view(
        &self,
        member: &Member,
        standing: &Standing,
        wanted: f64,
        now: Duration,
    ) -> ServerView {
        let settings = &self.settings;
        let input = member.input(wanted, now, settings);
        ServerView {
            state: standing.state,
            healthy: member.health,
            word: member.word,
            configured: member.server.weight,
            weight: member.weight,
            share: member.share,
            wanted: Some(wanted),
            utilization: input.utilization,
            rate: input.rate,
            errors: input.errors,
            exec_seconds: input.exec,
            clients: member.report.clients,
            connections: member.connections,
            age: input.age,
            interval: member.pulse.interval(),
            reports: member.told,
            rejected: member.rejected.clone(),
            frozen: self.overload.is_on() && standing.used,
            blackout: member.pulse.is_blackout(now, settings),
            stale: member.is_stale(now, settings),
            incredible: member.mind.incredible,
            stuck: member.stuck.is_on(),
            slow_start: member.slow(now, settings).is_some(),
            full: member.is_full(),
        }
    }
}
