// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration: TOML, wholly checked before anything of it is used. What is wrong is told
//! with its key and what to do.

pub(crate) mod de;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::report::field_name_is_good;
use crate::source::Settings as Source;
use crate::system::Settings as System;

/// Everything that can be configured; the default is what runs without a configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where reports are served; absent: port 9470 of every address.
    #[serde(deserialize_with = "de::some_address")]
    pub listen: Option<SocketAddr>,
    /// Which events are logged: a level, or levels by module.
    #[serde(deserialize_with = "de::parsed")]
    pub log: Targets,
    /// How they are written.
    pub format: Format,
    /// Time between reports when a client names none.
    #[serde(deserialize_with = "de::seconds")]
    pub interval: Duration,
    /// Least time between reports, whatever a client asks for.
    #[serde(deserialize_with = "de::seconds")]
    pub min_interval: Duration,
    /// Time between looks at the system; absent: 1 s, or less when a client asks for less.
    #[serde(deserialize_with = "de::some_seconds")]
    pub sample: Option<Duration>,
    /// Most streams of reports at a time.
    pub max_streams: usize,
    /// What this server can do that others cannot, advertised as named metrics.
    pub labels: Vec<String>,
    /// Certificates; absent: no TLS.
    pub tls: Option<Tls>,
    /// Which figures of the system are reported, and of which cgroup.
    pub system: System,
    /// Where figures of the application come from.
    #[serde(rename = "source", deserialize_with = "de::sources")]
    pub sources: Vec<Source>,
    /// The responder for HAProxy's agent-check; absent: none.
    pub agent_check: Option<AgentCheck>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One line of text per event.
    #[default]
    Text,
    /// One JSON object per event.
    Json,
}

/// Files of the certificates, in PEM.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// The agent's certificate, followed by those that signed it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Who signs the certificates of clients; absent: clients need none.
    pub client_ca: Option<PathBuf>,
}

/// Where HAProxy's agent-check is answered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AgentCheck {
    /// Address and port.
    #[serde(deserialize_with = "de::address")]
    pub listen: SocketAddr,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}: {fault}", file.display())]
    Fault {
        /// Which.
        file: PathBuf,
        /// What.
        fault: Fault,
    },
}

/// What is wrong in the text of a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no TOML.
    #[error("line {line}: {reason}")]
    Syntax {
        /// In which line, from 1.
        line: usize,
        /// What.
        reason: String,
    },
    /// A key does not belong there, is missing, or has a value that it cannot have.
    #[error("{key}: {reason}")]
    Key {
        /// Which, with the tables it is in.
        key: String,
        /// What.
        reason: String,
    },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: None,
            log: Targets::new().with_default(LevelFilter::INFO),
            format: Format::Text,
            interval: Duration::from_secs(1),
            min_interval: Duration::from_millis(100),
            sample: None,
            max_streams: 64,
            labels: Vec::new(),
            tls: None,
            system: System::default(),
            sources: Vec::new(),
            agent_check: None,
        }
    }
}

impl Config {
    /// Reads and checks a file.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(file).map_err(|reason| Error::Read {
            file: file.to_owned(),
            reason,
        })?;
        Self::parse(&text).map_err(|fault| Error::Fault {
            file: file.to_owned(),
            fault,
        })
    }

    /// Reads and checks the text of a configuration.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            Fault::Syntax {
                line: before.map_or(1, |before| before.matches('\n').count() + 1),
                reason: de::one_line(error.message()),
            }
        })?;
        let config: Self = serde_path_to_error::deserialize(table).map_err(|error| {
            let path = error.path().to_string();
            let reason = de::one_line(error.inner().message());
            // The reader of a source says itself where it is.
            match reason.split_once(": ") {
                Some((key, reason)) if path == "source" && key.starts_with("source") => {
                    fault(key, reason)
                }
                _ => fault(if path == "." { "configuration" } else { &path }, reason),
            }
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Fault> {
        let shortest = Duration::from_millis(10);
        let longest = Duration::from_secs(3600);
        for (key, time) in [
            ("interval", Some(self.interval)),
            ("min-interval", Some(self.min_interval)),
            ("sample", self.sample),
        ] {
            if time.is_some_and(|time| !(shortest..=longest).contains(&time)) {
                return Err(fault(key, "must be 0.01 to 3600 seconds"));
            }
        }
        if self.interval < self.min_interval {
            return Err(fault("interval", "is less than min-interval; raise it"));
        }
        if self.sample.is_some_and(|sample| sample < self.min_interval) {
            return Err(fault("sample", "is less than min-interval; raise it"));
        }
        if !(1..=1024).contains(&self.max_streams) {
            return Err(fault("max-streams", "must be 1 to 1024"));
        }
        if self.labels.len() > 32 {
            return Err(fault("labels", "must be 32 at most"));
        }
        if let Some(label) = self.labels.iter().find(|label| !field_name_is_good(label)) {
            let reason = format!("`{label}` is no label; use 1 to 100 letters, digits and signs");
            return Err(fault("labels", reason));
        }
        self.system
            .check()
            .map_err(|(key, reason)| fault(&format!("system.{key}"), reason))?;
        let mut seen = BTreeSet::new();
        for source in &self.sources {
            for field in source.fields() {
                if !seen.insert(field.clone()) {
                    let key = format!("source {}", source.name);
                    let reason = format!("{field} comes from another place already; remove one");
                    return Err(fault(&key, reason));
                }
            }
        }
        Ok(())
    }
}

fn fault(key: &str, reason: impl Into<String>) -> Fault {
    Fault::Key {
        key: key.to_owned(),
        reason: reason.into(),
    }
}
