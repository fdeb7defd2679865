// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was there before CPUs were isolated, kept over crashes of the program.

use std::collections::BTreeMap;
use std::io;

use anyhow::{anyhow, Context, Result};
use serde::{Deserialize, Serialize};

use super::files::{explain, Files};
use super::set::CpuSet;

/// Where it is kept.
pub const PATH: &str = "/run/smplb/cpu.json";
/// What is locked while it changes.
pub const LOCK: &str = "/run/smplb/cpu.lock";

const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A file with a set of CPUs that was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// What was there before.
    pub before: String,
    /// What was written since, the last one last: more than one while a change is being made.
    pub ours: Vec<String>,
}

/// What was there before, and what was made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The boot of the machine that it is about.
    boot: String,
    /// The CPUs that are isolated, as a list.
    cpus: String,
    /// Whether the controller was not enabled for the cgroups below the root before.
    pub controller: bool,
    /// Files by path.
    pub settings: BTreeMap<String, Setting>,
}

impl State {
    /// Nothing was changed yet; `controller` says whether the controller will have to be enabled.
    pub fn new(controller: bool) -> Self {
        Self {
            controller,
            ..Self::default()
        }
    }

    /// Reads it. None when there is none, or none of this boot.
    pub fn load(files: &impl Files) -> Result<Option<Self>> {
        let Some(text) = files.text_if_any(PATH)? else {
            return Ok(None);
        };
        let state: Self = serde_json::from_str(&text)
            .map_err(|error| anyhow!("{PATH} was not written by smplbctl: {error}"))?;
        let boot = files.text_if_any(BOOT)?.unwrap_or_default();
        Ok(Some(state).filter(|state| state.boot == boot))
    }

    /// Writes it.
    pub fn save(&mut self, files: &impl Files) -> Result<()> {
        self.boot = files.text_if_any(BOOT)?.unwrap_or_default();
        let text = serde_json::to_string_pretty(self)?;
        files
            .store(PATH, &text)
            .map_err(|error| explain(PATH, &error))
    }

    /// Removes it.
    pub fn forget(files: &impl Files) -> Result<()> {
        match files.remove(PATH) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(explain(PATH, &error)),
            _ => Ok(()),
        }
    }

    /// The CPUs that are isolated.
    pub fn cpus(&self) -> Result<CpuSet> {
        self.cpus.parse().context(PATH)
    }

    /// Isolates others.
    pub fn set_cpus(&mut self, cpus: &CpuSet) {
        self.cpus = cpus.to_string();
    }
}
