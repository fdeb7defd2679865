// SPDX-License-Identifier: MIT OR Apache-2.0
//! A field of a report, by the name it has in the configuration.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// Where a figure goes.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub enum Field {
    /// Used part of the CPU; above 1 when more is asked of it than it has.
    Cpu,
    /// Used part of the memory.
    Memory,
    /// How full the application sees itself; above 1 past its limit.
    Application,
    /// Requests per second.
    Rps,
    /// Errors per second.
    Eps,
    /// Clients being served now.
    Clients,
    /// Mean time to execute a request, in seconds.
    ExecSeconds,
    /// Used part of some other resource.
    Utilization(String),
    /// Anything else.
    Named(String),
}

/// A name that is not one of a field.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no field; use rps, eps, clients, exec-seconds, application-utilization, \
     cpu-utilization, mem-utilization, utilization:NAME or named:NAME"
)]
pub struct BadName(String);

/// A figure that a field cannot hold.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{field} cannot be {value}: it must be {wanted}")]
pub struct BadValue {
    field: Field,
    value: f64,
    wanted: &'static str,
}

impl Field {
    /// Whether it goes by a name, of which a report holds a limited number.
    pub(crate) fn is_named(&self) -> bool {
        matches!(
            self,
            Field::Utilization(_) | Field::Named(_) | Field::Clients | Field::ExecSeconds
        )
    }

    /// Whether `value` can be one of this field, by the rules of ORCA.
    pub(crate) fn check(&self, value: f64) -> Result<(), BadValue> {
        let (good, wanted) = match self {
            Field::Named(_) => (value.is_finite(), "a number"),
            Field::Memory | Field::Utilization(_) => ((0.0..=1.0).contains(&value), "0 to 1"),
            _ => (value.is_finite() && value >= 0.0, "0 or more"),
        };
        if good {
            return Ok(());
        }
        Err(BadValue {
            field: self.clone(),
            value,
            wanted,
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Cpu => f.write_str("cpu-utilization"),
            Field::Memory => f.write_str("mem-utilization"),
            Field::Application => f.write_str("application-utilization"),
            Field::Rps => f.write_str("rps"),
            Field::Eps => f.write_str("eps"),
            Field::Clients => f.write_str("clients"),
            Field::ExecSeconds => f.write_str("exec-seconds"),
            Field::Utilization(name) => write!(f, "utilization:{name}"),
            Field::Named(name) => write!(f, "named:{name}"),
        }
    }
}

impl FromStr for Field {
    type Err = BadName;

    fn from_str(word: &str) -> Result<Self, BadName> {
        Ok(match word {
            "cpu-utilization" => Field::Cpu,
            "mem-utilization" => Field::Memory,
            "application-utilization" => Field::Application,
            "rps" => Field::Rps,
            "eps" => Field::Eps,
            "clients" => Field::Clients,
            "exec-seconds" => Field::ExecSeconds,
            _ => match word.split_once(':') {
                Some(("utilization", name)) if is_name(name) => Field::Utilization(name.to_owned()),
                Some(("named", name)) if is_name(name) => Field::Named(name.to_owned()),
                _ => return Err(BadName(word.chars().take(80).collect())),
            },
        })
    }
}

impl TryFrom<String> for Field {
    type Error = BadName;

    fn try_from(word: String) -> Result<Self, BadName> {
        word.parse()
    }
}

/// Whether `name` can be the name of a metric or of a label.
pub(crate) fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_graphic();
    (1..=100).contains(&name.len()) && name.chars().all(good)
}
