// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of a distribution: the table `[service.distribution]` of the daemon's file.

mod check;
mod source;

use serde::Deserialize;

pub use check::SettingsError;
pub use source::Source;

/// Settings of a distribution. Times are seconds; shares and parts are 0 to 1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settings {
    /// How shares are found: `even`, `capacity`, `latency`, `prefer` or `static`. Default `capacity`.
    pub algorithm: Algorithm,
    /// Which figure is the utilization of a server: the first of these that it tells, of `application`,
    /// `cpu`, `memory` and `named:NAME`. Default `application`, `cpu`.
    pub utilization: Vec<Source>,
    /// With `prefer`: labels that a server must have, all of them.
    pub labels: Vec<String>,
    /// With `prefer`: how those that have them share. Default `capacity`.
    pub prefer_by: Algorithm,
    /// Utilization that an error for each request counts as. Default 1.
    pub error_penalty: f64,
    /// Time between reports that servers are asked for. Default 1, 0.1 to 30.
    pub interval: f64,
    /// Time from the first report of a server until it is followed. Default 10.
    pub blackout: f64,
    /// Reports of a server until it is followed, whichever is later. Default 5.
    pub blackout_reports: u32,
    /// Silence after which a server counts less and less, if longer than three of its intervals.
    /// Default 10.
    pub expiry: f64,
    /// Silence after which what a server told counts no more at all. Default 180.
    pub hard_limit: f64,
    /// Nothing is published while no share moves by more than this part of itself. Default 0.02.
    pub dead_band: f64,
    /// Time after which smaller differences are published all the same. Default 10.
    pub force_after: f64,
    /// Part of its share that a live server can lose in one publication. Default 0.5.
    pub most_down: f64,
    /// Part of its share that a server can gain by one report. Default 0.5.
    pub most_up: f64,
    /// Part of the way up that a share goes by one report. Default 0.5.
    pub smoothing: f64,
    /// Part of its fair share that a live server keeps in any case. Default 0.03.
    pub min_share: f64,
    /// Time in which the share of a server that came back grows. Default 60; 0 for none.
    pub slow_start_window: f64,
    /// Part of its share with which it begins. Default 0.1.
    pub slow_start_min: f64,
    /// Mean utilization above which the whole site counts as overloaded. Default 0.9.
    pub overload: f64,
    /// Part of the servers that must be healthy for health to be looked at. Default 0.5.
    pub panic: f64,
    /// What happens below that. Default `all`.
    pub panic_mode: PanicMode,
    /// Part of the servers that can be ejected at a time, rounded down, so none of fewer than ten by
    /// default. Default 0.1.
    pub max_ejection: f64,
    /// Part of its requests that fail when a server is ejected. Default 0.85.
    pub ejection_errors: f64,
    /// Time for which a server is ejected, times the times it was. Default 30.
    pub ejection_time: f64,
    /// A server that claims to be so many times better than the median of the pool, for its configured
    /// weight, is not believed. Default 10.
    pub credible: f64,
    /// Requests that make a window of reports worth looking at. Default 100.
    pub evidence: f64,
    /// Standard deviations that a difference must have to count as more than chance. Default 3.5.
    pub certainty: f64,
    /// Part of a difference that `even` takes out at once; `latency` takes a sixteenth of it. Default 0.5.
    pub gain: f64,
}

/// How shares are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// The same utilization on every server.
    Even,
    /// Shares follow what servers can answer: requests by utilization, errors counted as load.
    #[default]
    Capacity,
    /// The same mean execution time on every server.
    Latency,
    /// Servers with certain labels, as long as there are any.
    Prefer,
    /// Configured weights.
    Static,
}

impl Algorithm {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Even => "even",
            Self::Capacity => "capacity",
            Self::Latency => "latency",
            Self::Prefer => "prefer",
            Self::Static => "static",
        }
    }
}

/// What happens when too few servers are healthy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PanicMode {
    /// Health is not looked at: all servers are used, so that the few are not overrun.
    #[default]
    All,
    /// No panic: the healthy ones go on alone. When there are none at all, all are used even so.
    None,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Capacity,
            utilization: vec![Source::Application, Source::Cpu],
            labels: Vec::new(),
            prefer_by: Algorithm::Capacity,
            error_penalty: 1.0,
            interval: 1.0,
            blackout: 10.0,
            blackout_reports: 5,
            expiry: 10.0,
            hard_limit: 180.0,
            dead_band: 0.02,
            force_after: 10.0,
            most_down: 0.5,
            most_up: 0.5,
            smoothing: 0.5,
            min_share: 0.03,
            slow_start_window: 60.0,
            slow_start_min: 0.1,
            overload: 0.9,
            panic: 0.5,
            panic_mode: PanicMode::All,
            max_ejection: 0.1,
            ejection_errors: 0.85,
            ejection_time: 30.0,
            credible: 10.0,
            evidence: 100.0,
            certainty: 3.5,
            gain: 0.5,
        }
    }
}

#[cfg(test)]
mod tests;
