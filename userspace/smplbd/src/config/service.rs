// SPDX-License-Identifier: MIT OR Apache-2.0
//! A service with its backends.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::Deserialize;
use smplb_master::Settings;
use smplb_nl::{Mode, Scheduler};
use smplb_probe::check::Check;
use smplb_probe::Tls;

use super::load::{beside, Load};
use super::{raw, Faults};
use crate::key::{BackendKey, ServiceKey};
use crate::switch::Definition;

/// The greatest weight that the kernel takes.
pub const MAX_WEIGHT: u32 = 65_535;
/// The greatest timeout that the kernel takes, seconds.
const MAX_TIMEOUT: i64 = 2_678_400;

/// A `[[service]]`.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub key: ServiceKey,
    /// How it is made when the kernel lacks it.
    pub definition: Definition,
    /// How load becomes shares.
    pub settings: Settings,
    /// How its backends are checked.
    pub check: Option<Check>,
    /// Its servers.
    pub backends: Vec<Backend>,
}

/// A `[[service.backend]]`.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name.
    pub key: BackendKey,
    /// Its configured weight; 0 drains it.
    pub weight: u32,
    /// What it can do.
    pub labels: Vec<String>,
    /// Who tells its load.
    pub load: Option<Load>,
}

impl Service {
    /// Between two reports that agents are asked for.
    pub fn interval(&self) -> Duration {
        Duration::try_from_secs_f64(self.settings.interval).unwrap_or(Duration::from_secs(1))
    }
}

/// Judges every service.
pub fn services(raw: Vec<raw::Service>, dir: &Path, faults: &mut Faults) -> Vec<Service> {
    let mut seen = BTreeSet::new();
    let mut services = Vec::new();
    for raw in raw {
        let place = format!("service {}", raw.address);
        match raw.address.parse::<ServiceKey>() {
            Ok(key) if key.port == 0 => faults.add(&place, "port 0 cannot be balanced"),
            Ok(key) => {
                if !seen.insert(key) {
                    faults.add(
                        &place,
                        "comes twice: put its backends under one [[service]]",
                    );
                }
                services.push(service(key, raw, dir, &place, faults));
            }
            Err(error) => faults.add(&place, format!("address: {error}")),
        }
    }
    services
}

fn service(
    key: ServiceKey,
    raw: raw::Service,
    dir: &Path,
    place: &str,
    faults: &mut Faults,
) -> Service {
    let named = |name: &str| format!("{place}: {name}");
    let settings: Settings = table(raw.distribution, &named("distribution"), faults);
    if let Err(error) = settings.check() {
        faults.add(&named("distribution"), error);
    }
    let common = raw.tls.map(|tls| beside(dir, tls));
    let mut seen = BTreeSet::new();
    let mut backends = Vec::new();
    for raw in raw.backend {
        let place = format!("{place}: backend {}", raw.address);
        match BackendKey::parse(&raw.address, key.port) {
            Ok(backend) if backend.port == 0 => faults.add(&place, "port 0 cannot be reached"),
            Ok(backend) => {
                if !seen.insert(backend) {
                    faults.add(&place, "comes twice in its service: leave one out");
                }
                backends.push(judge(backend, raw, dir, common.clone(), &place, faults));
            }
            Err(error) => faults.add(&place, format!("address: {error}")),
        }
    }
    Service {
        key,
        definition: Definition {
            scheduler: raw.scheduler.and_then(|name| {
                let known = Scheduler::ALL.iter().map(|known| (known.name(), *known));
                choice(&name, known, &named("scheduler"), faults)
            }),
            mode: raw.mode.and_then(|name| {
                let known = Mode::ALL.iter().map(|known| (known.name(), *known));
                choice(&name, known, &named("mode"), faults)
            }),
            timeout: raw.timeout.and_then(|seconds| {
                if !(1..=MAX_TIMEOUT).contains(&seconds) {
                    let reason = format!("{seconds} is not a time: write 1 to {MAX_TIMEOUT}");
                    faults.add(&named("timeout"), reason);
                }
                u32::try_from(seconds).ok()
            }),
            announce: raw.announce,
        },
        settings,
        check: raw
            .check
            .and_then(|raw| check(raw, dir, &named("check"), faults)),
        backends,
    }
}

fn judge(
    key: BackendKey,
    raw: raw::Backend,
    dir: &Path,
    common: Option<Tls>,
    place: &str,
    faults: &mut Faults,
) -> Backend {
    let named = |name: &str| format!("{place}: {name}");
    let weight = raw.weight.unwrap_or(1);
    let weight = u32::try_from(weight).ok().filter(|w| *w <= MAX_WEIGHT);
    if let (None, Some(written)) = (weight, raw.weight) {
        let reason =
            format!("{written} is not a weight: write 0 (no new connections) to {MAX_WEIGHT}");
        faults.add(&named("weight"), reason);
    }
    if raw.labels.iter().any(|label| label.trim().is_empty()) {
        faults.add(&named("labels"), "a label is empty: leave it out");
    }
    let own = raw.tls.map(|tls| beside(dir, tls));
    if raw.load.is_none() && raw.agent_send.is_some() {
        faults.add(&named("agent-send"), "nobody is asked: give load too");
    }
    let secured = |load: &String| load.starts_with("orcas:");
    if own.is_some() && !raw.load.as_ref().is_some_and(secured) {
        faults.add(&named("tls"), "only load = \"orcas:...\" is encrypted");
    }
    let load = raw.load.and_then(|text| {
        let load = Load::parse(&text, own.or(common), raw.agent_send);
        load.map_err(|reason| faults.add(&named("load"), reason))
            .ok()
    });
    Backend {
        key,
        weight: weight.unwrap_or(1),
        labels: raw.labels,
        load,
    }
}

/// `[service.check]`, with files that are named relative to a directory.
fn check(mut raw: toml::Table, dir: &Path, place: &str, faults: &mut Faults) -> Option<Check> {
    for name in ["ca", "certificate", "key"] {
        if let Some(toml::Value::String(file)) = raw.get_mut(name) {
            *file = dir.join(&*file).display().to_string();
        }
    }
    match Check::deserialize(toml::Value::Table(raw)) {
        Ok(check) => {
            if let Err(reason) = check.verify() {
                faults.add(place, reason);
            }
            Some(check)
        }
        Err(error) => {
            faults.add(place, first_line(&error));
            None
        }
    }
}

/// A table of somebody else's; the default of it when it is absent or wrong.
fn table<T: DeserializeOwned + Default>(
    raw: Option<toml::Table>,
    place: &str,
    faults: &mut Faults,
) -> T {
    let Some(raw) = raw else {
        return T::default();
    };
    T::deserialize(toml::Value::Table(raw)).unwrap_or_else(|error| {
        faults.add(place, first_line(&error));
        T::default()
    })
}

fn first_line(error: &toml::de::Error) -> String {
    let lines: Vec<_> = error.message().lines().collect();
    lines.join(", ")
}

fn choice<T: Copy>(
    name: &str,
    known: impl Iterator<Item = (Option<&'static str>, T)>,
    place: &str,
    faults: &mut Faults,
) -> Option<T> {
    let known: Vec<_> = known
        .filter_map(|(name, value)| Some((name?, value)))
        .collect();
    let found = known.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        faults.add(
            place,
            format_args!("{name:?} is unknown: write {}", names.join(" or ")),
        );
    }
    found.map(|(_, value)| *value)
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}
