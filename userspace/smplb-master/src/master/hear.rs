// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the master hears.

use std::time::Duration;

use super::Master;
use crate::distribution;
use crate::evidence::{Figures, Sum};
use crate::report::{Implausible, Report};
use crate::word::Word;

/// Why a report is left aside.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejected {
    /// Its figures cannot be true.
    #[error(transparent)]
    Implausible(#[from] Implausible),
    /// The server is not one of this service.
    #[error("the server is not one of this service: add it to the configuration")]
    UnknownServer,
    /// More than 20 a second.
    #[error("more than 20 reports a second: make the interval of the server longer")]
    TooOften,
    /// It says nothing that the algorithm could use.
    #[error("it lacks figures that the algorithm needs: rate, and utilization or execution time")]
    NoInformation,
}

impl Rejected {
    /// The name of the reason, for counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Implausible(reason) => reason.name(),
            Self::UnknownServer => "unknown-server",
            Self::TooOften => "too-often",
            Self::NoInformation => "no-information",
        }
    }
}

impl<K: Ord + Clone> Master<K> {
    /// A server reported its load.
    ///
    /// # Errors
    ///
    /// The report is left aside, and why.
    pub fn report(&mut self, key: &K, report: &Report, now: Duration) -> Result<(), Rejected> {
        let now = self.advance(now);
        let law = self.law();
        let member = self.members.get_mut(key).ok_or(Rejected::UnknownServer)?;
        if !member.pulse.admit(now) {
            member.reject(Rejected::TooOften.name());
            return Err(Rejected::TooOften);
        }
        if let Err(reason) = report.check() {
            member.reject(reason.name());
            return Err(reason.into());
        }
        if member.held.take().is_some() {
            member.recover(now);
            self.heard = true;
        }
        self.heard |= member.report.labels != report.labels;
        if member.stuck.told(member.report == *report) {
            member.mind.forget();
        }
        member.report = report.clone();
        let figures = Figures::of(report, &self.settings);
        if law.learns() && law.measure(&Sum::of(&figures, 1.0)).is_none() {
            member.reject(Rejected::NoInformation.name());
            return Err(Rejected::NoInformation);
        }
        let (seconds, silence) = member.pulse.beat(now, &self.settings);
        let mind = &mut member.mind;
        if silence {
            mind.forget();
        }
        mind.anchor = None;
        if mind
            .evidence
            .add(Sum::of(&figures, seconds), self.settings.evidence)
        {
            mind.ripe = true;
            if let Some((new, old)) = mind.evidence.newest_two() {
                if let Some((new, old)) = law.measure(&new).zip(law.measure(&old)) {
                    mind.noise
                        .learn(new.log - old.log, new.variance + old.variance);
                }
            }
        }
        member.told += 1;
        self.heard = true;
        Ok(())
    }

    /// The checks of a server came to a result. A failed one beats any word of its agent.
    pub fn health(&mut self, key: &K, healthy: bool, now: Duration) {
        let now = self.advance(now);
        let Some(member) = self.members.get_mut(key) else {
            return;
        };
        let before = member.health.replace(healthy);
        let held = member.held.take().is_some();
        if before == Some(healthy) {
            return;
        }
        self.heard = true;
        // The first result of a server that was there from the beginning is no return.
        let first = before.is_none() && member.back.is_none() && !held;
        if healthy && !first {
            member.recover(now);
        }
    }

    /// The agent of a server spoke.
    pub fn word(&mut self, key: &K, word: Word, now: Duration) {
        let now = self.advance(now);
        let Some(member) = self.members.get_mut(key) else {
            return;
        };
        let before = member.word;
        member.word.update(word);
        member.spoken = Some(now);
        let held = member.held.take().is_some();
        if member.word == before && !held {
            return;
        }
        self.heard = true;
        let up = before.up == Some(false) && member.word.up == Some(true);
        if (held || up) && member.health != Some(false) {
            member.recover(now);
        }
        if let Some(percent) = member
            .word
            .percent
            .filter(|_| std::mem::take(&mut member.adopted))
        {
            // The weight that was taken over was made with this word, as far as can be known.
            if percent > 0.0 && member.weight.is_some_and(|weight| weight > 0) {
                member.mind.shift(-percent.ln());
            }
        }
    }

    /// The switch counted the connections of a server: open ones, and all it ever made.
    pub fn connections(&mut self, key: &K, active: u64, _made: u64, now: Duration) {
        let now = self.advance(now);
        if let Some(member) = self.members.get_mut(key) {
            let before = member.is_full();
            member.connections = Some(active);
            member.stuck.counted(active, now);
            self.heard |= member.is_full() != before;
        }
    }
}

impl<K> Master<K> {
    /// Whether reports are followed at all.
    pub(super) fn learns(&self) -> bool {
        distribution::of(&self.settings).learns()
    }
}
