// SPDX-License-Identifier: MIT OR Apache-2.0
//! All that the master knows of one server.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ejection::Ejection;
use crate::mind::Mind;
use crate::pool::{Fitness, Standing};
use crate::proposal::Input;
use crate::pulse::Pulse;
use crate::report::Report;
use crate::server::Server;
use crate::settings::Settings;
use crate::slow_start;
use crate::stuck::Stuck;
use crate::weights::Part;
use crate::word::Word;

/// All that the master knows of one server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// As it is configured.
    pub server: Server,
    /// Since when it is one of the servers.
    pub since: Duration,
    /// Result of its checks.
    pub health: Option<bool>,
    /// What its agent asked for.
    pub word: Word,
    /// When it did.
    pub spoken: Option<Duration>,
    /// It was taken over, and its agent has not spoken since: what it says first is in the weight already.
    pub adopted: bool,
    /// It was taken over with weight 0, at this time, and nobody has said a word of it since.
    pub held: Option<Duration>,
    /// When it came back.
    pub back: Option<Duration>,
    pub ejection: Ejection,
    /// Windows that were looked at for a reason to eject it.
    pub judged: u64,
    pub pulse: Pulse,
    /// Whether its agent repeats itself while the server is overrun.
    pub stuck: Stuck,
    /// Its last report that could be true.
    pub report: Report,
    pub mind: Mind,
    /// Open connections, by the switch.
    pub connections: Option<u64>,
    /// Reports that it sent, and those of them on which its share has moved.
    pub told: u64,
    pub answered: u64,
    pub rejected: BTreeMap<&'static str, u64>,
    /// What was published: its weight, its share, and as what.
    pub weight: Option<u32>,
    pub share: f64,
    pub standing: Standing,
}

impl Member {
    /// It has a label, by the configuration or by what it says.
    pub fn has(&self, label: &str) -> bool {
        self.server
            .labels
            .iter()
            .chain(&self.report.labels)
            .any(|known| known == label)
    }

    /// It has as many connections as its agent wants.
    pub fn is_full(&self) -> bool {
        let most = self
            .word
            .max_connections
            .filter(|most| *most > 0)
            .map(u64::from);
        most.zip(self.connections)
            .is_some_and(|(most, open)| open >= most)
    }

    /// How long it has said nothing of its load.
    pub fn silence(&self, now: Duration) -> Duration {
        self.pulse
            .age(now)
            .unwrap_or_else(|| now.saturating_sub(self.since))
    }

    /// What is left of the influence of what it told.
    pub fn left(&self, now: Duration, settings: &Settings) -> f64 {
        self.pulse.left(self.silence(now), settings)
    }

    /// It has been silent so long that it counts less and less.
    pub fn is_stale(&self, now: Duration, settings: &Settings) -> bool {
        self.pulse.is_known() && self.left(now, settings) < 1.0
    }

    /// It can be compared with others.
    pub fn is_informed(&self, now: Duration, settings: &Settings) -> bool {
        self.standing.used
            && self.pulse.is_known()
            && self.mind.evidence.len() > 0
            && !self.stuck.is_on()
            && !self.pulse.is_blackout(now, settings)
            && !self.is_stale(now, settings)
    }

    /// Something was told since its share moved the last time.
    pub fn is_fresh(&self) -> bool {
        self.told > self.answered
    }

    /// Part of its share that it gets since it came back.
    pub fn slow(&self, now: Duration, settings: &Settings) -> Option<f64> {
        slow_start::part(self.back, now, settings)
    }

    /// It works again, after a time in which it did not: it may be another server now.
    pub fn recover(&mut self, now: Duration) {
        self.back = Some(now);
        self.pulse.rearm();
        self.mind.forget();
    }

    /// Part of its share that its agent wants. Of an agent that is silent less and less is left, in tenths:
    /// each of them is a publication.
    pub fn wanted(&self, now: Duration, settings: &Settings) -> Option<f64> {
        let percent = self.word.percent?;
        let silence = self.spoken.map(|spoken| now.saturating_sub(spoken));
        let left = Pulse::default().left(silence.unwrap_or_default(), settings);
        let left = (10.0 * left).ceil() / 10.0;
        Some(1.0 - (1.0 - percent) * left)
    }

    /// How fit it is.
    pub fn fitness(&self, preferred: bool, now: Duration, settings: &Settings) -> Fitness {
        let limit = Duration::from_secs_f64(settings.hard_limit);
        Fitness {
            configured: self.server.weight > 0,
            healthy: self.health != Some(false),
            word: Word {
                percent: self.wanted(now, settings),
                ..self.word
            },
            held: self
                .held
                .is_some_and(|since| now.saturating_sub(since) < limit),
            ejected: self.ejection.is_on(now),
            preferred,
            full: self.is_full(),
            slow: self.slow(now, settings).is_some(),
        }
    }

    /// What makes its share.
    pub fn part(&self, standing: &Standing, log: f64, now: Duration, settings: &Settings) -> Part {
        Part {
            used: standing.used,
            weight: f64::from(self.server.weight),
            log,
            slow: self.slow(now, settings),
            percent: standing.percent,
            full: standing.full,
        }
    }

    /// What weights were made of.
    pub fn input(&self, after: f64, now: Duration, settings: &Settings) -> Input {
        Input {
            utilization: settings
                .utilization
                .iter()
                .find_map(|source| source.of(&self.report)),
            rate: self.report.rate,
            errors: self.report.errors,
            exec: self.report.exec_seconds,
            age: self.pulse.age(now),
            before: self.share,
            after,
        }
    }

    /// A report is left aside.
    pub fn reject(&mut self, reason: &'static str) {
        *self.rejected.entry(reason).or_default() += 1;
    }
}
