// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a check is configured.

use std::time::Duration;

use serde::Deserialize;

use super::{dns::Dns, grpc::Grpc, http::Http};

mod raw;

use raw::Raw;

/// Shortest and longest time between checks, in seconds.
const INTERVAL: (f64, f64) = (0.1, 3600.0);
/// Shortest and longest timeout, in seconds.
const TIMEOUT: (f64, f64) = (0.01, 60.0);
/// Most checks in a row that can be asked for.
const COUNT: u32 = 100;

/// How a server is checked: a table with `type` = `tcp`, `http`, `https`, `dns` or `grpc`.
///
/// All types: `interval` (2 s), `timeout` (2 s), `rise` (2), `fall` (3), `fast-interval` (the interval
/// while a change is being counted), `port` (when it is not the one of the service).
///
/// - `http`, `https`: `method` (GET), `path` (/), `host`, `status` (200-399), `body` (text that
///   the first 64 KiB of the body must have).
/// - `https`, and `grpc` with `tls = true`: `verify` (true), `ca`, `certificate`, `key`, `server-name`.
/// - `dns`: `name` (the root), `record` (SOA), `rcode` (NOERROR), `address` that an answer must have.
/// - `grpc`: `service` (the whole server).
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "Raw")]
pub struct Check {
    interval: f64,
    fast_interval: Option<f64>,
    timeout: f64,
    rise: u32,
    fall: u32,
    port: Option<u16>,
    kind: Kind,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Tcp,
    Http(Http),
    Dns(Dns),
    Grpc(Grpc),
}

impl Check {
    /// Looks whether every value is one that can be used, files included.
    ///
    /// # Errors
    ///
    /// One line that names the value and what it can be.
    pub fn verify(&self) -> Result<(), String> {
        between("interval", self.interval, INTERVAL)?;
        if let Some(fast) = self.fast_interval {
            between("fast-interval", fast, INTERVAL)?;
        }
        between("timeout", self.timeout, TIMEOUT)?;
        for (name, count) in [("rise", self.rise), ("fall", self.fall)] {
            if !(1..=COUNT).contains(&count) {
                return Err(format!("{name} = {count}: 1 to {COUNT} is wanted"));
            }
        }
        if self.port == Some(0) {
            return Err("port = 0: 1 to 65535 is wanted".into());
        }
        match &self.kind {
            Kind::Tcp => Ok(()),
            Kind::Http(http) => http.verify(),
            Kind::Dns(dns) => dns.verify(),
            Kind::Grpc(grpc) => grpc.verify(),
        }
    }

    /// Time between the starts of two checks.
    pub fn interval(&self) -> Duration {
        seconds(self.interval, INTERVAL)
    }

    /// The same, while a change is being counted.
    pub fn fast_interval(&self) -> Duration {
        seconds(self.fast_interval.unwrap_or(self.interval), INTERVAL)
    }

    /// Longest time of one check.
    pub fn timeout(&self) -> Duration {
        seconds(self.timeout, TIMEOUT)
    }

    /// Checks in a row that must pass.
    pub fn rise(&self) -> u32 {
        self.rise
    }

    /// Checks in a row that must fail.
    pub fn fall(&self) -> u32 {
        self.fall
    }

    /// Port that is checked, when it is not the one of the service.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }
}

fn between(name: &str, value: f64, (least, most): (f64, f64)) -> Result<(), String> {
    // NaN is not between anything.
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!(
            "{name} = {value}: {least} to {most} seconds are wanted"
        ))
    }
}

/// A time within its bounds, whatever was configured.
fn seconds(value: f64, (least, most): (f64, f64)) -> Duration {
    Duration::from_secs_f64(value.max(least).min(most))
}

#[cfg(test)]
mod tests;
