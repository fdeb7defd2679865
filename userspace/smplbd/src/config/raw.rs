// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file as it is written. Numbers and names are judged later, so that all faults are told at
//! once.

use std::path::PathBuf;

use serde::Deserialize;
use smplb_probe::Tls;

use super::Format;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    #[serde(default)]
    pub daemon: Daemon,
    pub switch: Option<Switch>,
    #[serde(default)]
    pub service: Vec<Service>,
}

/// The table `[daemon]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Daemon {
    pub log: Option<String>,
    #[serde(default)]
    pub format: Format,
    pub metrics: Option<String>,
}

/// The table `[switch]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Switch {
    pub remote: String,
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub server_name: Option<String>,
}

/// A `[[service]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    pub address: String,
    pub scheduler: Option<String>,
    pub mode: Option<String>,
    pub timeout: Option<i64>,
    pub announce: Option<bool>,
    pub distribution: Option<toml::Table>,
    pub check: Option<toml::Table>,
    pub tls: Option<Tls>,
    #[serde(default)]
    pub backend: Vec<Backend>,
}

/// A `[[service.backend]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Backend {
    pub address: String,
    pub weight: Option<i64>,
    #[serde(default)]
    pub labels: Vec<String>,
    pub load: Option<String>,
    pub agent_send: Option<String>,
    pub tls: Option<Tls>,
}
