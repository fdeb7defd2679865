// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration file: TOML, judged as a whole before anything of it is used.
//!
//! What TOML itself refuses (a wrong type, an unknown key) is told with line and column. What is
//! well formed and still wrong is told with the name of the service and the backend, all of it
//! at once.

mod faults;
mod load;
mod raw;
mod service;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use smplb_probe::{Target, Tls};
use tracing_subscriber::EnvFilter;

pub use faults::{ConfigError, Faults};
pub use load::Load;
pub use service::{Backend, Service};

/// A configuration that was found good.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The daemon itself.
    pub daemon: Daemon,
    /// Where the switch is; the kernel of this host when it is absent.
    pub switch: Option<Remote>,
    /// Services whose shares are followed.
    pub services: Vec<Service>,
}

/// The table `[daemon]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// Filter of the log, as `info` or `smplbd=debug`.
    pub log: String,
    /// Form of the log.
    pub format: Format,
    /// Where `/metrics` is served.
    pub metrics: Option<SocketAddr>,
}

impl Default for Daemon {
    fn default() -> Self {
        Self {
            log: "info".to_owned(),
            format: Format::Text,
            metrics: None,
        }
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `key=value` for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The table `[switch]`: a relay on the switch, over mutual TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its address, `https://HOST:PORT`.
    pub url: String,
    /// Who signed the certificate of the relay.
    pub ca: PathBuf,
    /// The daemon's own certificate.
    pub certificate: PathBuf,
    /// And its key.
    pub key: PathBuf,
    /// Name in the certificate of the relay, where it is not the host of the address.
    pub server_name: Option<String>,
}

impl Config {
    /// Reads and judges a file.
    ///
    /// # Errors
    /// Everything that is wrong with it, one line each.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| ConfigError::read(&name, &error))?;
        let dir = file.parent().unwrap_or_else(|| Path::new(""));
        Self::parse(&name, &text, dir)
    }

    /// Judges the text of a file; names of other files in it are relative to `dir`.
    ///
    /// # Errors
    /// Everything that is wrong with it, one line each.
    pub fn parse(name: &str, text: &str, dir: &Path) -> Result<Self, ConfigError> {
        let raw: raw::File =
            toml::from_str(text).map_err(|error| ConfigError::syntax(name, text, &error))?;
        let mut faults = Faults::default();
        let config = Self {
            daemon: daemon(raw.daemon, &mut faults),
            switch: raw.switch.and_then(|raw| remote(raw, dir, &mut faults)),
            services: service::services(raw.service, dir, &mut faults),
        };
        faults.finish(name).map(|()| config)
    }
}

fn daemon(raw: raw::Daemon, faults: &mut Faults) -> Daemon {
    let default = Daemon::default();
    let log = raw.log.unwrap_or(default.log);
    if let Err(error) = EnvFilter::try_new(&log) {
        let reason = format!("{log:?} is no filter ({error}): write info, or smplbd=debug,info");
        faults.add("daemon: log", reason);
    }
    let metrics = raw.metrics.and_then(|text| {
        let addr = text.parse();
        if addr.is_err() {
            let reason = format!("{text:?} is not ADDRESS:PORT: write as 127.0.0.1:9472");
            faults.add("daemon: metrics", reason);
        }
        addr.ok()
    });
    Daemon {
        log,
        format: raw.format,
        metrics,
    }
}

fn remote(raw: raw::Switch, dir: &Path, faults: &mut Faults) -> Option<Remote> {
    let host = raw.remote.strip_prefix("https://").unwrap_or_default();
    let tls = load::beside(
        dir,
        Tls {
            ca: Some(raw.ca),
            certificate: Some(raw.certificate),
            key: Some(raw.key),
            server_name: raw.server_name,
        },
    );
    let Tls {
        ca: Some(ca),
        certificate: Some(certificate),
        key: Some(key),
        server_name,
    } = tls.clone()
    else {
        return None;
    };
    let target = Target {
        addr: host.to_owned(),
        tls: None,
    };
    if target.verify().is_err() {
        let reason = format!(
            "{:?} is not https://HOST:PORT: write as https://switch.example:9471",
            raw.remote
        );
        faults.add("switch: remote", reason);
    } else {
        let target = Target {
            tls: Some(tls),
            ..target
        };
        if let Err(reason) = target.verify() {
            faults.add("switch", reason);
        }
    }
    Some(Remote {
        url: raw.remote,
        ca,
        certificate,
        key,
        server_name,
    })
}

#[cfg(test)]
mod tests;
