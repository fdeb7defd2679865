// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which figure of a report is the utilization.

use std::fmt;
use std::str::FromStr;

use serde::{de, Deserialize, Deserializer};

use crate::report::Report;

/// A figure of a report that can be the utilization of the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The application's own.
    Application,
    /// The CPU's.
    Cpu,
    /// The memory's.
    Memory,
    /// That of another resource.
    Named(String),
}

impl Source {
    /// What a report says, unless it is zero, which is the same as not said.
    pub fn of(&self, report: &Report) -> Option<f64> {
        let figure = match self {
            Self::Application => report.application,
            Self::Cpu => report.cpu,
            Self::Memory => report.memory,
            Self::Named(name) => report.named.get(name).copied(),
        };
        figure.filter(|figure| *figure > 0.0)
    }
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("named:")) {
            ("application", _) => Ok(Self::Application),
            ("cpu", _) => Ok(Self::Cpu),
            ("memory", _) => Ok(Self::Memory),
            (_, Some(name)) if !name.is_empty() => Ok(Self::Named(name.to_owned())),
            _ => Err(format!(
                "{text:?} is no utilization: write application, cpu, memory or named:NAME"
            )),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application => f.write_str("application"),
            Self::Cpu => f.write_str("cpu"),
            Self::Memory => f.write_str("memory"),
            Self::Named(name) => write!(f, "named:{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
