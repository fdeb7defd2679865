// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a report as it is on the wire to a report as the master takes it.

use std::collections::{BTreeMap, HashMap};

use smplb_master::Report;
use smplb_orca::{OrcaLoadReport, CLIENTS, EXEC_SECONDS, LABEL_PREFIX};

use crate::trouble::printable;

/// Named utilizations of one report, and labels of one report, that are taken.
pub const NAMES: usize = 64;
/// Octets of one name that are taken.
pub const NAME: usize = 128;

/// Why a report cannot be taken, whatever its figures are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It has too many names.
    #[error("{found} {what}, and {NAMES} are the most")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A name is too long.
    #[error("a name of {octets} octets, and {NAME} are the most: {start:?}")]
    TooLong {
        /// Its length.
        octets: usize,
        /// How it begins.
        start: String,
    },
    /// A name has characters that must not reach a log or a terminal.
    #[error("a name with control characters: {name:?}")]
    Control {
        /// The name, without them.
        name: String,
    },
}

/// The report as the master takes it.
///
/// A figure of 0 is one that the server does not say, since the two are the same on the wire. Figures
/// are not judged here: NaN and absurd ones are passed on. Metrics that have no meaning here are
/// left out.
///
/// # Errors
///
/// The report has too many names, or one that cannot be taken.
pub fn report(wire: OrcaLoadReport) -> Result<Report, Wrong> {
    #[allow(deprecated)] // Older servers fill in only this one.
    let whole = wire.rps as f64;
    let labels = labels(&wire.named_metrics)?;
    Ok(Report {
        rate: said(wire.rps_fractional).or(said(whole)),
        errors: said(wire.eps),
        application: said(wire.application_utilization),
        cpu: said(wire.cpu_utilization),
        memory: said(wire.mem_utilization),
        named: named(wire.utilization)?,
        clients: wire.named_metrics.get(CLIENTS).copied().and_then(said),
        exec_seconds: wire.named_metrics.get(EXEC_SECONDS).copied().and_then(said),
        labels,
    })
}

/// The figure, unless it is not set. NaN is set.
fn said(figure: f64) -> Option<f64> {
    (figure != 0.0).then_some(figure)
}

fn named(utilization: HashMap<String, f64>) -> Result<BTreeMap<String, f64>, Wrong> {
    if utilization.len() > NAMES {
        return Err(Wrong::TooMany {
            what: "named utilizations",
            found: utilization.len(),
        });
    }
    utilization
        .into_iter()
        .map(|(name, figure)| Ok((check(name)?, figure)))
        .collect()
}

fn labels(metrics: &HashMap<String, f64>) -> Result<Vec<String>, Wrong> {
    let advertised = metrics.iter().filter(|(_, figure)| **figure > 0.0);
    let labels = advertised.filter_map(|(name, _)| name.strip_prefix(LABEL_PREFIX));
    let mut labels: Vec<_> = labels.filter(|label| !label.is_empty()).collect();
    if labels.len() > NAMES {
        return Err(Wrong::TooMany {
            what: "labels",
            found: labels.len(),
        });
    }
    labels.sort_unstable();
    labels
        .into_iter()
        .map(|label| check(label.to_owned()))
        .collect()
}

fn check(name: String) -> Result<String, Wrong> {
    if name.len() > NAME {
        let start = printable(&name.chars().take(32).collect::<String>());
        return Err(Wrong::TooLong {
            octets: name.len(),
            start,
        });
    }
    if name.chars().any(char::is_control) {
        return Err(Wrong::Control {
            name: printable(&name),
        });
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
