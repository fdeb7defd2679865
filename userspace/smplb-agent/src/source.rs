// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where figures of the application come from: one file for each kind of source.
//!
//! A source is read every so often by a task of its own, within a time limit. When it fails, its
//! figures are left out of reports until it works again; other sources do not notice.

mod command;
mod counter;
mod exposition;
mod file;
mod http;
mod lines;
mod nginx;
mod prometheus;
mod set;
#[cfg(test)]
mod testing;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::Deserialize;
use tokio::time::timeout;

use crate::config::de;
use crate::report::{BadValue, Field, Report};
pub use set::Set;

/// Most bytes that are taken from a source at a time.
const MOST_BYTES: usize = 1 << 20;

/// What a source gave.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    /// The figures.
    pub report: Report,
    /// Figures that it should have given and did not, and why. Nothing in it may change from one
    /// reading to the next while the reason stays the same, since every change is logged.
    pub missing: Vec<String>,
}

/// Why a source gave nothing. As with [`Reading::missing`], the same reason has the same words.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// It took too long.
    #[error("no answer in time; raise `timeout` if it may take longer")]
    Timeout,
    /// It cannot be reached or read.
    #[error("{0}")]
    Unreachable(String),
    /// It gave too much.
    #[error("gives more than 1 MiB; let it give less")]
    TooBig,
    /// It cannot be understood.
    #[error("{0}")]
    Unreadable(String),
    /// It gave a figure that cannot be.
    #[error(transparent)]
    BadValue(#[from] BadValue),
}

/// A source that has been opened.
pub trait Source: Send {
    /// Reads it once.
    fn read(&mut self) -> Pin<Box<dyn Future<Output = Result<Reading, Failure>> + Send + '_>>;
}

/// Reads a source within a time limit.
pub async fn read(source: &mut dyn Source, limit: Duration) -> Result<Reading, Failure> {
    timeout(limit, source.read())
        .await
        .unwrap_or(Err(Failure::Timeout))
}

/// What is configured for one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What it is called in the log.
    pub name: String,
    /// Time between readings.
    pub every: Duration,
    /// Longest time for one.
    pub timeout: Duration,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Nginx(nginx::Settings),
    Prometheus(prometheus::Settings),
    File(file::Settings),
    Command(command::Settings),
}

/// Keys that every kind of source has.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Common {
    name: Option<String>,
    #[serde(deserialize_with = "de::seconds")]
    every: Duration,
    #[serde(deserialize_with = "de::seconds")]
    timeout: Duration,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            name: None,
            every: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
        }
    }
}

impl Settings {
    /// Reads the table of source number `index`, from 0. An error begins with the source and the
    /// key.
    pub(crate) fn read(index: usize, mut table: toml::Table) -> Result<Self, String> {
        let number = index + 1;
        let kinds = "use nginx, prometheus, file or command";
        let kind = match table.remove("type") {
            Some(toml::Value::String(kind)) => kind,
            Some(_) => return Err(format!("source {number}: type must be a string; {kinds}")),
            None => return Err(format!("source {number}: type is missing; {kinds}")),
        };
        let name = format!("{number} ({kind})");
        let mut common = toml::Table::new();
        for key in ["name", "every", "timeout"] {
            common.extend(table.remove_entry(key));
        }
        let common: Common = keys(&name, common)?;
        for (key, time) in [("every", common.every), ("timeout", common.timeout)] {
            let (shortest, longest) = (Duration::from_millis(10), Duration::from_secs(3600));
            if !(shortest..=longest).contains(&time) {
                return Err(format!("source {name}: {key} must be 0.01 to 3600 seconds"));
            }
        }
        let kind = match kind.as_str() {
            "nginx" => Kind::Nginx(keys(&name, table)?),
            "prometheus" => Kind::Prometheus(keys(&name, table)?),
            "file" => Kind::File(keys(&name, table)?),
            "command" => Kind::Command(keys(&name, table)?),
            other => {
                return Err(format!(
                    "source {number}: type `{other}` is unknown; {kinds}"
                ))
            }
        };
        let check = match &kind {
            Kind::Prometheus(settings) => settings.check(),
            Kind::Command(settings) => settings.check(),
            Kind::Nginx(_) | Kind::File(_) => Ok(()),
        };
        check.map_err(|error| format!("source {name}: {error}"))?;
        Ok(Self {
            name: common.name.unwrap_or(name),
            every: common.every,
            timeout: common.timeout,
            kind,
        })
    }

    /// Fields that are known to come from it.
    pub(crate) fn fields(&self) -> Vec<Field> {
        match &self.kind {
            Kind::Nginx(_) => vec![Field::Clients, Field::Rps],
            Kind::Prometheus(settings) => settings.fields(),
            Kind::File(settings) => settings.field.clone().into_iter().collect(),
            Kind::Command(settings) => settings.field.clone().into_iter().collect(),
        }
    }

    /// Opens it, which does not touch it yet.
    pub fn open(&self) -> Box<dyn Source> {
        match self.kind.clone() {
            Kind::Nginx(settings) => Box::new(nginx::Nginx::new(settings)),
            Kind::Prometheus(settings) => Box::new(prometheus::Prometheus::new(settings)),
            Kind::File(settings) => Box::new(file::File::new(settings)),
            Kind::Command(settings) => Box::new(command::Command::new(settings)),
        }
    }
}

/// Reads keys of a source; an error names the one that is wrong.
fn keys<T: DeserializeOwned>(source: &str, table: toml::Table) -> Result<T, String> {
    serde_path_to_error::deserialize(table).map_err(|error| {
        let reason = de::one_line(error.inner().message());
        match error.path().to_string().as_str() {
            "." => format!("source {source}: {reason}"),
            key => format!("source {source}: {key}: {reason}"),
        }
    })
}
