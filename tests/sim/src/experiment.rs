// SPDX-License-Identifier: MIT OR Apache-2.0
//! The experiments: what they do, what they measure, and how their figures are drawn.

pub mod calibration;
pub mod faults;
pub mod goals;
pub mod ramp;
pub mod staleness;
pub mod step;
pub mod table;

use std::path::Path;

use anyhow::Result;

/// How long runs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Enough to see whether everything works.
    Quick,
    /// Enough for figures with little chance in them.
    Full,
}

impl Size {
    /// `full`, or less.
    pub fn of(self, full: f64) -> f64 {
        match self {
            Self::Quick => full / 10.0,
            Self::Full => full,
        }
    }
}

/// An experiment.
#[derive(Clone, Copy, Debug)]
pub struct Experiment {
    /// Its name: also that of its plots.
    pub name: &'static str,
    /// Runs it, draws its plots into a directory and gives its section of the results.
    pub run: fn(&Path, Size) -> Result<String>,
}

/// All experiments, in the order of the results.
pub const ALL: [Experiment; 7] = [
    Experiment {
        name: "calibration",
        run: calibration::report,
    },
    Experiment {
        name: "staleness",
        run: staleness::report,
    },
    Experiment {
        name: "goals",
        run: goals::report,
    },
    Experiment {
        name: "step",
        run: step::report,
    },
    Experiment {
        name: "ramp",
        run: ramp::report,
    },
    Experiment {
        name: "faults",
        run: faults::report,
    },
    Experiment {
        name: "table",
        run: table::report,
    },
];

/// A table in Markdown.
pub fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<_> = cells.collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut text = line(&mut head.iter().map(ToString::to_string));
    text += &line(&mut head.iter().enumerate().map(|(column, _)| {
        let rule = if column == 0 { "---" } else { "---:" };
        rule.to_string()
    }));
    for row in rows {
        text += &line(&mut row.iter().cloned());
    }
    text
}

/// A number with three digits that matter.
pub fn digits(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "–".to_string(),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
