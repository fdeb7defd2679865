// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the master knows and does, for metrics, logs and people.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::proposal::{Cause, HoldReason};
use crate::word::Word;

/// What the master knows and does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View<K> {
    /// Every server.
    pub servers: BTreeMap<K, ServerView>,
    /// The whole site is overloaded: shares are frozen.
    pub overloaded: bool,
    /// Too few servers are healthy for health to be looked at.
    pub panic: bool,
    /// What was counted.
    pub counters: Counters,
}

/// A server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerView {
    /// What it is.
    pub state: State,
    /// Result of its checks; `None` before the first.
    pub healthy: Option<bool>,
    /// What its agent asked for last.
    pub word: Word,
    /// Weight in the configuration.
    pub configured: u32,
    /// Weight that was published last; `None` before the first time.
    pub weight: Option<u32>,
    /// Share of new connections by the weights that were published.
    pub share: f64,
    /// Share that it should have, 0 to 1, before steps are limited.
    pub wanted: Option<f64>,
    /// Utilization that it last told.
    pub utilization: Option<f64>,
    /// Requests per second that it last told.
    pub rate: Option<f64>,
    /// Errors per second that it last told.
    pub errors: Option<f64>,
    /// Mean execution time that it last told, seconds.
    pub exec_seconds: Option<f64>,
    /// Clients that it last told.
    pub clients: Option<f64>,
    /// Open connections by the switch's own count.
    pub connections: Option<u64>,
    /// Age of the last report with information.
    pub age: Option<Duration>,
    /// Time between its reports, as observed.
    pub interval: Option<Duration>,
    /// Reports that were taken.
    pub reports: u64,
    /// Reports that were not, by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Its share is frozen, since the whole site is overloaded.
    pub frozen: bool,
    /// It has not reported long enough to be followed.
    pub blackout: bool,
    /// It has been silent so long that it counts less and less.
    pub stale: bool,
    /// Its figures are too good to be true, so it counts as unknown.
    pub incredible: bool,
    /// Its agent says the same over and over while connections pile up, so it counts as unknown.
    pub stuck: bool,
    /// Its share grows since it came back.
    pub slow_start: bool,
    /// It has as many connections as its agent wants.
    pub full: bool,
}

/// What a server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It takes connections.
    #[default]
    Up,
    /// It takes connections, with a growing share since it came back.
    SlowStart,
    /// It has as many connections as its agent wants, so it gets few new ones.
    Full,
    /// It takes no new connections: weight 0 in the configuration, or by its agent.
    Drain,
    /// Its agent wants no new connections, since it is being worked on.
    Maint,
    /// Its checks fail, or its agent says so.
    Down,
    /// It is up and was taken out, since nearly all it answers is errors.
    Ejected,
    /// It lacks a label that the service prefers, and others have it.
    Spare,
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::SlowStart => "slow-start",
            Self::Full => "full",
            Self::Drain => "drain",
            Self::Maint => "maint",
            Self::Down => "down",
            Self::Ejected => "ejected",
            Self::Spare => "spare",
        }
    }
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    /// Proposals made from configured weights, since fewer than two servers had told their load.
    pub fallback: u64,
    /// Weights made while the server had been silent for too long.
    pub stale: u64,
    /// Weights made while the server had not reported long enough.
    pub blackout: u64,
    /// Turns that published nothing, by reason.
    pub suppressed: BTreeMap<HoldReason, u64>,
    /// Proposals that the switch took, by cause.
    pub published: BTreeMap<Cause, u64>,
    /// Proposals that the switch did not take.
    pub refused: u64,
}
