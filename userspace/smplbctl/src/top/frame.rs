// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happened between two snapshots: rows to show.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use serde::Serialize;
use smplb_nl::{DropReason, Mode, Scheduler};

use super::snapshot::{Key, Snapshot};
use crate::key::{shown, ServiceKey};

/// All rows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Frame {
    pub generation: Option<u64>,
    pub standby: Option<u64>,
    pub flips: Option<u64>,
    pub connections: Option<u32>,
    pub connections_max: Option<u32>,
    pub seconds: f64,
    /// Whether smplbd told anything.
    pub load: bool,
    pub services: Vec<ServiceRow>,
    pub backends: Vec<BackendRow>,
    pub engines: Vec<EngineRow>,
    pub drops: Vec<DropRow>,
}

/// A service. Rates are per second.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceRow {
    #[serde(serialize_with = "text")]
    pub service: ServiceKey,
    #[serde(serialize_with = "shown")]
    pub scheduler: Option<Scheduler>,
    #[serde(serialize_with = "shown")]
    pub mode: Option<Mode>,
    pub backends: usize,
    pub weighted: usize,
    pub active: u64,
    pub connections: Option<f64>,
    pub packets: Option<f64>,
    pub bytes: Option<f64>,
}

/// A back-end. Rates are per second, shares parts of 1.
#[derive(Clone, Debug, Serialize)]
pub struct BackendRow {
    #[serde(serialize_with = "text")]
    pub service: ServiceKey,
    pub backend: SocketAddrV4,
    pub weight: Option<u32>,
    pub wanted: Option<f64>,
    pub got: Option<f64>,
    pub active: Option<u64>,
    pub connections: Option<f64>,
    pub packets: Option<f64>,
    pub bytes: Option<f64>,
    pub utilization: Option<f64>,
    pub age: Option<f64>,
    pub state: Option<String>,
}

/// An engine.
#[derive(Clone, Debug, Serialize)]
pub struct EngineRow {
    pub cpu: u32,
    pub ports: Option<u32>,
    pub isolated: Option<bool>,
    pub busy: Option<f64>,
    pub busy_rounds: Option<f64>,
    pub packets: Option<f64>,
}

/// A reason for drops.
#[derive(Clone, Debug, Serialize)]
pub struct DropRow {
    #[serde(serialize_with = "text")]
    pub reason: DropReason,
    pub packets: Option<f64>,
    pub total: u64,
}

fn text<S: serde::Serializer>(value: &impl ToString, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&value.to_string())
}

impl Frame {
    /// The rows of what happened from `before` to `now`.
    pub fn between(before: &Snapshot, now: &Snapshot) -> Self {
        let change = Change {
            before,
            now,
            seconds: now.at.saturating_sub(before.at).as_secs_f64(),
        };
        Self {
            generation: now.generation.active,
            standby: now.generation.standby,
            flips: now.generation.flips,
            connections: now.stats.connections,
            connections_max: now.stats.connections_max,
            seconds: change.seconds,
            load: now.load.is_some(),
            services: change.services(),
            backends: change.backends(),
            engines: change.engines(),
            drops: change.drops(),
        }
    }
}

struct Change<'a> {
    before: &'a Snapshot,
    now: &'a Snapshot,
    seconds: f64,
}

/// How much a counter grew; nothing when it began anew, as that of a back-end that was deleted
/// and added again does.
fn grown(before: Option<u64>, now: Option<u64>) -> Option<u64> {
    now?.checked_sub(before?)
}

/// A part of a whole; none of nothing.
fn part(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Change<'_> {
    fn rate(&self, before: Option<u64>, now: Option<u64>) -> Option<f64> {
        let grown = grown(before, now)?;
        (self.seconds > 0.0).then(|| grown as f64 / self.seconds)
    }

    fn services(&self) -> Vec<ServiceRow> {
        let rows = self.now.services.iter().map(|(key, now)| {
            let before = self.before.services.get(key);
            let of = self
                .now
                .backends
                .iter()
                .filter(|(of, _)| of.service == *key);
            let of: Vec<_> = of.map(|(_, backend)| backend).collect();
            ServiceRow {
                service: *key,
                scheduler: now.scheduler,
                mode: now.mode,
                backends: of.len(),
                weighted: of.iter().filter(|b| b.weight != Some(0)).count(),
                active: of.iter().filter_map(|b| b.active).sum(),
                connections: self.rate(before.and_then(|b| b.connections), now.connections),
                packets: self.rate(before.and_then(|b| b.packets), now.packets),
                bytes: self.rate(before.and_then(|b| b.bytes), now.bytes),
            }
        });
        rows.collect()
    }

    fn backends(&self) -> Vec<BackendRow> {
        let made = |key: &Key| {
            let before = self.before.backends.get(key)?.connections;
            grown(before, self.now.backends.get(key)?.connections)
        };
        // Of each service: the sum of the weights, and of the connections made.
        let mut sums: BTreeMap<ServiceKey, (u64, u64)> = BTreeMap::new();
        for (key, backend) in &self.now.backends {
            let (weights, connections) = sums.entry(key.service).or_default();
            *weights += u64::from(backend.weight.unwrap_or(0));
            *connections += made(key).unwrap_or(0);
        }
        let rows = self.now.backends.iter().map(|(key, now)| {
            let before = self.before.backends.get(key);
            let (weights, connections) = sums.get(&key.service).copied().unwrap_or_default();
            let load = self.now.load.as_ref().and_then(|loads| loads.get(key));
            BackendRow {
                service: key.service,
                backend: SocketAddrV4::new(key.addr, key.port),
                weight: now.weight,
                wanted: now.weight.and_then(|w| part(w.into(), weights)),
                got: made(key).and_then(|made| part(made, connections)),
                active: now.active,
                connections: self.rate(before.and_then(|b| b.connections), now.connections),
                packets: self.rate(before.and_then(|b| b.packets), now.packets),
                bytes: self.rate(before.and_then(|b| b.bytes), now.bytes),
                utilization: load.and_then(|load| load.utilization),
                age: load.and_then(|load| load.age),
                state: load.and_then(|load| load.state.clone()),
            }
        });
        rows.collect()
    }

    fn engines(&self) -> Vec<EngineRow> {
        let rows = self.now.engines.iter().map(|(cpu, now)| {
            let before = self.before.engines.get(cpu);
            let rounds = grown(before.and_then(|b| b.rounds), now.rounds);
            let idle = grown(before.and_then(|b| b.idle_rounds), now.idle_rounds);
            let time = grown(before.and_then(|b| b.time), now.time);
            let busy = grown(before.and_then(|b| b.busy_time), now.busy_time);
            EngineRow {
                cpu: *cpu,
                ports: now.ports,
                isolated: now.isolated.map(|isolated| isolated != 0),
                busy: busy.zip(time).and_then(|(busy, time)| part(busy, time)),
                busy_rounds: rounds
                    .zip(idle)
                    .and_then(|(rounds, idle)| part(rounds.saturating_sub(idle), rounds)),
                packets: self.rate(before.and_then(|b| b.packets), now.packets),
            }
        });
        rows.collect()
    }

    fn drops(&self) -> Vec<DropRow> {
        let before = |reason| {
            let mut all = self.before.stats.drop.iter();
            all.find(|drop| drop.reason == Some(reason))
                .and_then(|drop| drop.packets)
        };
        let rows = self.now.stats.drop.iter().filter_map(|drop| {
            let (reason, total) = (drop.reason?, drop.packets?);
            (total > 0).then(|| DropRow {
                reason,
                packets: self.rate(before(reason), Some(total)),
                total,
            })
        });
        let mut rows: Vec<_> = rows.collect();
        // What drops now comes first, then what dropped most.
        rows.sort_by(|a, b| {
            let rate = |row: &DropRow| row.packets.unwrap_or(0.0);
            rate(b).total_cmp(&rate(a)).then(b.total.cmp(&a.total))
        });
        rows
    }
}
