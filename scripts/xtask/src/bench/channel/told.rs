// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the guest of `bench-channel` tells.

use anyhow::{Context, Result};
use serde::Deserialize;

/// One measurement, as the guest describes it; times in nanoseconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// `smplb`, or what it is compared with.
    pub system: String,
    /// The driver of the port.
    pub port: String,
    /// What the application does when it finds nothing.
    pub mode: String,
    /// Packets under way.
    pub window: u64,
    /// Round trips,
    pub answered: u64,
    /// which all took this time,
    pub elapsed: u64,
    /// and each no more than this.
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
    /// The file with the symbols.
    pub symbols: String,
}

/// Reads what the guest wrote, a line for each.
pub fn parse(lines: &str) -> Result<Vec<Told>> {
    let told = |line| serde_json::from_str(line).with_context(|| format!("no measurement: {line}"));
    lines.lines().map(told).collect()
}

impl Told {
    /// What is the same in both runs.
    pub fn key(&self) -> (&str, &str, &str, u64) {
        (&self.system, &self.port, &self.mode, self.window)
    }
}
