// SPDX-License-Identifier: MIT OR Apache-2.0
//! A load report of one server.

use std::collections::BTreeMap;

/// What a server says of its load. What it does not say is `None`; zero counts as not said, since
/// ORCA cannot tell the two apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Requests per second that it answers, of all services.
    pub rate: Option<f64>,
    /// Errors per second.
    pub errors: Option<f64>,
    /// Its own view of its utilization; above 1 past its limit.
    pub application: Option<f64>,
    /// Used part of the CPU; above 1 past its limit.
    pub cpu: Option<f64>,
    /// Used part of the memory, 0 to 1.
    pub memory: Option<f64>,
    /// Used part of other resources, by name.
    pub named: BTreeMap<String, f64>,
    /// Clients (connections or running requests) it serves now.
    pub clients: Option<f64>,
    /// Mean time in which it executes a request, seconds.
    pub exec_seconds: Option<f64>,
    /// Labels that it advertises.
    pub labels: Vec<String>,
}

/// Why a report cannot be true.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Implausible {
    /// A figure is no number, or has no end.
    #[error("{field} is {value}, which is no number")]
    NotANumber {
        /// The figure.
        field: String,
        /// What it says.
        value: f64,
    },
    /// A figure is below zero.
    #[error("{field} is {value}, which is below zero")]
    Negative {
        /// The figure.
        field: String,
        /// What it says.
        value: f64,
    },
    /// A figure is larger than any server can reach.
    #[error("{field} is {value}, and {most} is the most that is believed")]
    Absurd {
        /// The figure.
        field: String,
        /// What it says.
        value: f64,
        /// What is still believed.
        most: f64,
    },
    /// It names too many resources or labels.
    #[error("{found} {what}, and {MOST_NAMES} are the most")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        found: usize,
    },
}

impl Implausible {
    /// The name of the reason, for counters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotANumber { .. } => "not-a-number",
            Self::Negative { .. } => "negative",
            Self::Absurd { .. } => "absurd",
            Self::TooMany { .. } => "too-many",
        }
    }
}

/// Resources that a report may name, and labels that it may advertise.
pub const MOST_NAMES: usize = 64;
/// A server may be past its limit, but not ten times.
const MOST_UTILIZATION: f64 = 10.0;
/// Requests and errors per second, and clients.
const MOST_RATE: f64 = 1e9;
/// Seconds.
const MOST_EXEC: f64 = 3600.0;

impl Report {
    /// Whether the figures can be true.
    ///
    /// # Errors
    ///
    /// The first figure that cannot.
    pub fn check(&self) -> Result<(), Implausible> {
        if self.named.len() > MOST_NAMES {
            return Err(Implausible::TooMany {
                what: "named utilizations",
                found: self.named.len(),
            });
        }
        if self.labels.len() > MOST_NAMES {
            return Err(Implausible::TooMany {
                what: "labels",
                found: self.labels.len(),
            });
        }
        let figures = [
            ("rate", self.rate, MOST_RATE),
            ("errors", self.errors, MOST_RATE),
            (
                "application utilization",
                self.application,
                MOST_UTILIZATION,
            ),
            ("cpu utilization", self.cpu, MOST_UTILIZATION),
            ("memory utilization", self.memory, MOST_UTILIZATION),
            ("clients", self.clients, MOST_RATE),
            ("execution time", self.exec_seconds, MOST_EXEC),
        ];
        for (field, value, most) in figures {
            if let Some(value) = value {
                check(|| field.to_owned(), value, most)?;
            }
        }
        for (name, value) in &self.named {
            check(|| format!("utilization {name:?}"), *value, MOST_UTILIZATION)?;
        }
        Ok(())
    }
}

fn check(field: impl Fn() -> String, value: f64, most: f64) -> Result<(), Implausible> {
    if !value.is_finite() {
        return Err(Implausible::NotANumber {
            field: field(),
            value,
        });
    }
    if value < 0.0 {
        return Err(Implausible::Negative {
            field: field(),
            value,
        });
    }
    if value > most {
        return Err(Implausible::Absurd {
            field: field(),
            value,
            most,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
