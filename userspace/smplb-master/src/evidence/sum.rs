// SPDX-License-Identifier: MIT OR Apache-2.0
//! Figures of a report, and sums of them over time.

use crate::report::Report;
use crate::settings::Settings;

/// The figures of a report that count. Zero is the same as not said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub rate: Option<f64>,
    pub errors: Option<f64>,
    pub utilization: Option<f64>,
    pub exec: Option<f64>,
}

impl Figures {
    /// Those of a report; the utilization is the first of the settings' sources that it has.
    pub fn of(report: &Report, settings: &Settings) -> Self {
        let said = |figure: Option<f64>| figure.filter(|figure| *figure > 0.0);
        Self {
            rate: said(report.rate),
            errors: said(report.errors),
            utilization: settings
                .utilization
                .iter()
                .find_map(|source| source.of(report)),
            exec: said(report.exec_seconds),
        }
    }
}

/// What a server did in a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub seconds: f64,
    pub requests: f64,
    pub errors: f64,
    /// Seconds that it was busy, in reports that say so; and requests in those.
    busy: (f64, f64),
    /// Seconds that requests took together, in reports that say so; and requests in those.
    exec: (f64, f64),
}

impl Sum {
    /// A report that stands for so many seconds.
    pub fn of(figures: &Figures, seconds: f64) -> Self {
        let requests = figures.rate.unwrap_or(0.0) * seconds;
        let busy = figures
            .utilization
            .map(|utilization| (utilization * seconds, requests));
        let exec = figures.exec.map(|exec| (exec * requests, requests));
        Self {
            seconds,
            requests,
            errors: figures.errors.unwrap_or(0.0) * seconds,
            busy: busy.unwrap_or_default(),
            exec: exec.unwrap_or_default(),
        }
    }

    /// Adds another time.
    pub fn add(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.requests += other.requests;
        self.errors += other.errors;
        self.busy = (self.busy.0 + other.busy.0, self.busy.1 + other.busy.1);
        self.exec = (self.exec.0 + other.exec.0, self.exec.1 + other.exec.1);
    }

    /// Seconds that it was busy for each request.
    pub fn cost(&self) -> Option<f64> {
        ratio(self.busy.0, self.busy.1)
    }

    /// Seconds that a request took in the mean.
    pub fn exec(&self) -> Option<f64> {
        ratio(self.exec.0, self.exec.1)
    }

    /// Part of the requests that failed, 0 to 1.
    pub fn failed(&self) -> f64 {
        ratio(self.errors, self.requests).map_or(0.0, |failed| failed.min(1.0))
    }

    /// Requests per second.
    pub fn rate(&self) -> Option<f64> {
        ratio(self.requests, self.seconds)
    }

    /// Part of the time that it was busy. Above 1 past its limit.
    pub fn utilization(&self) -> Option<f64> {
        Some(self.cost()? * self.rate()?)
    }
}

fn ratio(a: f64, b: f64) -> Option<f64> {
    let ratio = a / b;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}
