// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the master makes of what it heard: goals, ejections, overload, and the fading of the silent.

use super::Master;
use crate::ejection;
use crate::learner::{self, Pupil};
use crate::member::Member;
use crate::pool::{self, Standing};

/// Windows over which an overload is looked for, so that it is none by chance.
const LOOK: usize = 4;

impl<K: Ord + Clone> Master<K> {
    /// Looks at everything that was heard since the last time.
    pub(super) fn study(&mut self) {
        self.eject();
        if self.learns() {
            self.find_stuck();
            self.watch_overload();
            self.learn();
            self.fade();
        } else {
            self.overload.end();
        }
    }

    /// Who is used now, and whether by panic.
    pub(super) fn standings(&self) -> (Vec<Standing>, bool) {
        let law = self.law();
        let fitness = self.members.values().map(|member| {
            let preferred = law.prefers(&|label| member.has(label));
            member.fitness(preferred, self.now, &self.settings)
        });
        pool::decide(&fitness.collect::<Vec<_>>(), &self.settings)
    }

    fn learn(&mut self) {
        let (now, law) = (self.now, self.law());
        let settings = &self.settings;
        let pupils = self
            .members
            .values_mut()
            .filter(|member| member.is_informed(now, settings));
        let mut pupils: Vec<_> = pupils
            .map(|member| Pupil {
                weight: f64::from(member.server.weight.max(1)),
                mind: &mut member.mind,
            })
            .collect();
        learner::learn(&mut pupils, &*law, settings, self.overload.is_on());
        let most = self.fair();
        for member in self.members.values_mut() {
            if member.mind.incredible || member.stuck.is_on() {
                member.mind.aim(most);
            }
        }
    }

    /// What a server counts for that is not to be believed: the middle, but never more than gives it its
    /// fair share.
    fn fair(&self) -> f64 {
        let believed = |member: &&Member| {
            member.is_informed(self.now, &self.settings) && !member.mind.incredible
        };
        let (mut shares, mut weights) = (0.0, 0.0);
        for member in self.members.values().filter(believed) {
            let weight = f64::from(member.server.weight);
            shares += weight * member.mind.goal.exp();
            weights += weight;
        }
        let mean: f64 = shares / weights;
        match mean > 0.0 {
            true => self.middle().min(mean.ln()),
            false => self.middle(),
        }
    }

    /// Servers whose agents are stuck count as unknown.
    fn find_stuck(&mut self) {
        let open = |member: &Member| member.connections.unwrap_or(0);
        let all_open: f64 = self
            .members
            .values()
            .map(|member| open(member) as f64)
            .sum();
        let all_usual: f64 = self
            .members
            .values()
            .map(|member| member.stuck.usual())
            .sum();
        for member in self
            .members
            .values_mut()
            .filter(|member| member.standing.used)
        {
            member.stuck.look(open(member), all_open, all_usual);
        }
    }

    /// Who is silent goes back to the middle of the others, for its configured weight. With nobody left to
    /// compare with, all go back to what is configured.
    fn fade(&mut self) {
        let now = self.now;
        if !self.members.values().any(|member| member.pulse.is_known()) {
            return;
        }
        let middle = self.middle();
        for member in self.members.values_mut() {
            let left = member.left(now, &self.settings);
            if left >= 1.0 {
                continue;
            }
            let anchor = *member.mind.anchor.get_or_insert(member.mind.goal);
            member.mind.aim(middle + (anchor - middle) * left);
        }
    }

    fn watch_overload(&mut self) {
        let now = self.now;
        let settings = &self.settings;
        let informed = self
            .members
            .values()
            .filter(|member| member.is_informed(now, settings));
        let last = informed.filter_map(|member| member.mind.evidence.last(LOOK)?.utilization());
        let told: Vec<f64> = last.collect();
        let used = self
            .members
            .values()
            .filter(|member| member.standing.used)
            .count();
        if 2 * told.len() < used || told.is_empty() {
            return self.overload.end();
        }
        if self.overload.look(&told, settings.overload) {
            for member in self.members.values_mut() {
                member.mind.goal = member.mind.at;
            }
        }
    }

    fn eject(&mut self) {
        let (now, settings) = (self.now, &self.settings);
        let servers = self
            .members
            .values()
            .filter(|m| m.server.weight > 0)
            .count();
        let ejected = self
            .members
            .values()
            .filter(|m| m.ejection.is_on(now))
            .count();
        let mut room = ejection::most(servers, settings).saturating_sub(ejected);
        for member in self.members.values_mut() {
            if member.ejection.ended(now) {
                member.recover(now);
            }
            let filled = member.mind.evidence.filled();
            if std::mem::replace(&mut member.judged, filled) == filled
                || !member.standing.used
                || member.ejection.is_on(now)
            {
                continue;
            }
            match member.mind.evidence.last(1) {
                Some(window) if ejection::is_reason(&window, settings) => {
                    if room > 0 {
                        room -= 1;
                        member.ejection.eject(now, settings);
                    }
                }
                _ => member.ejection.forgive(),
            }
        }
    }
}
