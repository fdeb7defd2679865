// SPDX-License-Identifier: MIT OR Apache-2.0
//! A report in the making: figures by the field they go to.

mod field;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{json, Map, Value};
use smplb_orca::{OrcaLoadReport, CLIENTS, EXEC_SECONDS};

pub(crate) use field::is_name as field_name_is_good;
pub use field::{BadName, BadValue, Field};

/// Most named figures (of both kinds) that a report holds, which receivers count on.
pub const MOST_NAMED: usize = 64;

/// Figures of a server, or of a part of them. What is not known is not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    figures: BTreeMap<Field, f64>,
}

impl Report {
    /// Puts a figure in, if it can be one of that field.
    pub fn set(&mut self, field: Field, value: f64) -> Result<(), BadValue> {
        field.check(value)?;
        self.figures.insert(field, value);
        Ok(())
    }

    /// The figure of a field.
    pub fn get(&self, field: &Field) -> Option<f64> {
        self.figures.get(field).copied()
    }

    /// How many figures it holds.
    pub fn len(&self) -> usize {
        self.figures.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty()
    }

    /// Takes over the figures of `other`, which win. Says how many named ones were left out
    /// because a report is full.
    pub fn merge(&mut self, other: &Report) -> usize {
        let named = |report: &Self| report.figures.keys().filter(|f| f.is_named()).count();
        let mut room = MOST_NAMED.saturating_sub(named(self));
        let mut left_out = 0;
        for (field, value) in &other.figures {
            if field.is_named() && !self.figures.contains_key(field) {
                if room == 0 {
                    left_out += 1;
                    continue;
                }
                room -= 1;
            }
            self.figures.insert(field.clone(), *value);
        }
        left_out
    }

    /// How full the server is by its own word, or else by its CPU or its memory, whichever is
    /// fuller.
    pub fn utilization(&self) -> Option<f64> {
        let cpu = self.get(&Field::Cpu);
        let memory = self.get(&Field::Memory);
        let own = self.get(&Field::Application).filter(|u| *u > 0.0);
        own.or_else(|| cpu.into_iter().chain(memory).reduce(f64::max))
    }

    /// As it goes over the wire.
    pub fn orca(&self) -> OrcaLoadReport {
        let mut orca = OrcaLoadReport::default();
        for (field, &value) in &self.figures {
            match field {
                Field::Cpu => orca.cpu_utilization = value,
                Field::Memory => orca.mem_utilization = value,
                Field::Application => orca.application_utilization = value,
                Field::Rps => orca.rps_fractional = value,
                Field::Eps => orca.eps = value,
                Field::Clients => {
                    orca.named_metrics.insert(CLIENTS.to_owned(), value);
                }
                Field::ExecSeconds => {
                    orca.named_metrics.insert(EXEC_SECONDS.to_owned(), value);
                }
                Field::Utilization(name) => {
                    orca.utilization.insert(name.clone(), value);
                }
                Field::Named(name) => {
                    orca.named_metrics.insert(name.clone(), value);
                }
            }
        }
        orca
    }

    /// For people and scripts, by the names of the wire format.
    pub fn json(&self) -> Value {
        let mut fields = Map::new();
        let mut utilization = Map::new();
        let mut named = Map::new();
        for (field, &value) in &self.figures {
            match field {
                Field::Cpu => drop(fields.insert("cpu_utilization".to_owned(), json!(value))),
                Field::Memory => drop(fields.insert("mem_utilization".to_owned(), json!(value))),
                Field::Application => {
                    drop(fields.insert("application_utilization".to_owned(), json!(value)));
                }
                Field::Rps => drop(fields.insert("rps_fractional".to_owned(), json!(value))),
                Field::Eps => drop(fields.insert("eps".to_owned(), json!(value))),
                Field::Clients => drop(named.insert(CLIENTS.to_owned(), json!(value))),
                Field::ExecSeconds => drop(named.insert(EXEC_SECONDS.to_owned(), json!(value))),
                Field::Utilization(name) => drop(utilization.insert(name.clone(), json!(value))),
                Field::Named(name) => drop(named.insert(name.clone(), json!(value))),
            }
        }
        for (name, map) in [("utilization", utilization), ("named_metrics", named)] {
            if !map.is_empty() {
                fields.insert(name.to_owned(), Value::Object(map));
            }
        }
        Value::Object(fields)
    }
}
