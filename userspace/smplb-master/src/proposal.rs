// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a turn of the master comes to.

use std::collections::BTreeMap;
use std::time::Duration;

/// What a turn comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome<K> {
    /// New weights.
    Publish(Proposal<K>),
    /// Nothing to do.
    Hold(HoldReason),
}

/// Weights to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal<K> {
    /// The weight of every server. A live server has at least 1; one with a fair share has 1,000.
    pub weights: BTreeMap<K, u32>,
    /// Why now.
    pub cause: Cause,
    /// What it was made of.
    pub inputs: BTreeMap<K, Input>,
    /// Part of all new connections that goes elsewhere than before, 0 to 1.
    pub moved: f64,
}

/// What was known of a server when weights were made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Input {
    /// Utilization that it told.
    pub utilization: Option<f64>,
    /// Requests per second that it told.
    pub rate: Option<f64>,
    /// Errors per second that it told.
    pub errors: Option<f64>,
    /// Mean execution time that it told, seconds.
    pub exec: Option<f64>,
    /// Age of its last report.
    pub age: Option<Duration>,
    /// Its share before.
    pub before: f64,
    /// Its share after.
    pub after: f64,
}

/// Why weights are published. When there are several causes, the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Servers, weights or settings were configured.
    Configuration,
    /// A server failed or came back, or was ejected.
    Health,
    /// An agent asked for it.
    Admin,
    /// Reports showed a difference.
    Reports,
    /// A server has been silent.
    Decay,
    /// A server that came back gets more.
    SlowStart,
    /// Small differences that have waited long enough.
    Force,
}

impl Cause {
    /// Its name, for logs and counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Health => "health",
            Self::Admin => "admin",
            Self::Reports => "reports",
            Self::Decay => "decay",
            Self::SlowStart => "slow-start",
            Self::Force => "force",
        }
    }
}

/// Why nothing is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HoldReason {
    /// There are no servers.
    NoServers,
    /// The last publication was less than 100 ms ago.
    TooSoon,
    /// Nothing was told since the last turn.
    NothingNew,
    /// What was told shows no difference that is more than chance.
    NoEvidence,
    /// No share would move enough.
    DeadBand,
    /// The whole site is overloaded: shares are frozen.
    Overload,
}

impl HoldReason {
    /// Its name, for logs and counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoServers => "no-servers",
            Self::TooSoon => "too-soon",
            Self::NothingNew => "nothing-new",
            Self::NoEvidence => "no-evidence",
            Self::DeadBand => "dead-band",
            Self::Overload => "overload",
        }
    }
}
