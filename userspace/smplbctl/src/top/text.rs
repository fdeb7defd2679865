// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rows as texts in columns, for the terminal and for plain text alike.

use super::frame::{BackendRow, DropRow, EngineRow, Frame, ServiceRow};
use crate::table::{cell, yes_no};

/// A column: its heading, whether words (flush left) or numbers are in it, and how soon it is left
/// out when there is no room (those with the highest number first, 0 never).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub name: &'static str,
    /// Words, which are flush left.
    pub words: bool,
    /// How soon it is left out.
    pub spare: u8,
}

const fn words(name: &'static str, spare: u8) -> Column {
    Column {
        name,
        words: true,
        spare,
    }
}

const fn number(name: &'static str, spare: u8) -> Column {
    Column {
        name,
        words: false,
        spare,
    }
}

/// The columns of services.
pub const SERVICES: &[Column] = &[
    words("SERVICE", 0),
    words("SCHED", 5),
    words("MODE", 6),
    number("UP/ALL", 2),
    number("ACTIVE", 1),
    number("CONN/s", 0),
    number("PKT/s", 3),
    number("BYTE/s", 4),
];

/// The columns of back-ends.
pub const BACKENDS: &[Column] = &[
    words("BACKEND", 0),
    number("WEIGHT", 5),
    number("WANT", 0),
    number("GOT", 0),
    number("ACTIVE", 2),
    number("CONN/s", 7),
    number("PKT/s", 4),
    number("BYTE/s", 6),
    number("UTIL", 1),
    number("AGE", 3),
    words("STATE", 8),
    words("SERVICE", 9),
];

/// The columns of engines.
pub const ENGINES: &[Column] = &[
    number("CPU", 0),
    number("BUSY", 0),
    number("PKT/s", 1),
    number("ROUNDS", 4),
    number("PORTS", 3),
    words("ISOLATED", 2),
];

/// The columns of drops.
pub const DROPS: &[Column] = &[
    words("DROPPED FOR", 0),
    number("PKT/s", 0),
    number("TOTAL", 1),
];

/// A share in percent.
pub fn percent(share: Option<f64>) -> String {
    cell(&share.map(|share| format!("{:.1}%", share * 100.0)))
}

/// A number with a unit that leaves it short.
pub fn short(value: Option<f64>) -> String {
    cell(&value.map(|value| {
        let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
        // What rounds up to the next unit is told in it.
        match units.iter().find(|(unit, _)| value >= unit * 0.9995) {
            Some((unit, name)) if value / unit < 9.995 => format!("{:.2}{name}", value / unit),
            Some((unit, name)) if value / unit < 99.95 => format!("{:.1}{name}", value / unit),
            Some((unit, name)) => format!("{:.0}{name}", value / unit),
            None if value == 0.0 => "0".to_owned(),
            None if value < 9.95 => format!("{value:.1}"),
            None => format!("{value:.0}"),
        }
    }))
}

/// A time in seconds, minutes or hours.
pub fn age(seconds: Option<f64>) -> String {
    cell(&seconds.map(|seconds| match seconds {
        s if s < 9.95 => format!("{s:.1}s"),
        s if s < 100.0 => format!("{s:.0}s"),
        s if s < 6000.0 => format!("{:.0}m", s / 60.0),
        s => format!("{:.0}h", s / 3600.0),
    }))
}

/// The line above all lists.
pub fn head(frame: &Frame) -> String {
    let flips = frame.flips.map(|flips| format!(" ({flips} flips)"));
    format!(
        "generation {}{}  connections {} of {}{}",
        cell(&frame.generation),
        flips.unwrap_or_default(),
        cell(&frame.connections),
        cell(&frame.connections_max),
        if frame.load { "" } else { "  no smplbd" },
    )
}

/// What can be shown as a row.
pub trait Cells {
    /// One text per column.
    fn cells(&self) -> Vec<String>;

    /// What columns are sorted by, one per column; none where words are, and where nothing is
    /// known.
    fn numbers(&self) -> Vec<Option<f64>>;
}

impl Cells for ServiceRow {
    fn cells(&self) -> Vec<String> {
        vec![
            self.service.to_string(),
            cell(&self.scheduler),
            cell(&self.mode),
            format!("{}/{}", self.weighted, self.backends),
            self.active.to_string(),
            short(self.connections),
            short(self.packets),
            short(self.bytes),
        ]
    }

    fn numbers(&self) -> Vec<Option<f64>> {
        vec![
            None,
            None,
            None,
            Some(self.weighted as f64),
            Some(self.active as f64),
            self.connections,
            self.packets,
            self.bytes,
        ]
    }
}

impl Cells for BackendRow {
    fn cells(&self) -> Vec<String> {
        vec![
            self.backend.to_string(),
            cell(&self.weight),
            percent(self.wanted),
            percent(self.got),
            cell(&self.active),
            short(self.connections),
            short(self.packets),
            short(self.bytes),
            percent(self.utilization),
            age(self.age),
            cell(&self.state),
            self.service.to_string(),
        ]
    }

    fn numbers(&self) -> Vec<Option<f64>> {
        vec![
            None,
            self.weight.map(f64::from),
            self.wanted,
            self.got,
            self.active.map(|active| active as f64),
            self.connections,
            self.packets,
            self.bytes,
            self.utilization,
            self.age,
            None,
            None,
        ]
    }
}

impl Cells for EngineRow {
    fn cells(&self) -> Vec<String> {
        vec![
            self.cpu.to_string(),
            percent(self.busy),
            short(self.packets),
            percent(self.busy_rounds),
            cell(&self.ports),
            yes_no(self.isolated),
        ]
    }

    fn numbers(&self) -> Vec<Option<f64>> {
        vec![
            Some(f64::from(self.cpu)),
            self.busy,
            self.packets,
            self.busy_rounds,
            self.ports.map(f64::from),
            None,
        ]
    }
}

impl Cells for DropRow {
    fn cells(&self) -> Vec<String> {
        vec![
            self.reason.to_string(),
            short(self.packets),
            self.total.to_string(),
        ]
    }

    fn numbers(&self) -> Vec<Option<f64>> {
        vec![None, self.packets, Some(self.total as f64)]
    }
}

/// A list as texts.
#[derive(Debug)]
pub struct Texts {
    /// The columns for which there is room.
    pub columns: Vec<Column>,
    /// Their widths.
    pub widths: Vec<usize>,
    /// One text per column and row.
    pub rows: Vec<Vec<String>>,
}

impl Texts {
    /// The rows in as many columns as `room` allows, two blanks between them.
    pub fn fit<R: Cells>(columns: &[Column], rows: &[R], room: usize) -> Self {
        let rows: Vec<_> = rows.iter().map(Cells::cells).collect();
        let width = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
            widest.max(columns[at].name.len())
        };
        let widths: Vec<_> = (0..columns.len()).map(width).collect();
        let mut kept: Vec<_> = (0..columns.len()).collect();
        let taken = |kept: &[usize]| kept.iter().map(|&at| widths[at] + 2).sum::<usize>();
        while taken(&kept) > room + 2 {
            let spare = kept.iter().max_by_key(|&&at| columns[at].spare).copied();
            match spare.filter(|&at| columns[at].spare > 0) {
                Some(at) => kept.retain(|&other| other != at),
                None => break,
            }
        }
        let pick = |row: &Vec<String>| kept.iter().map(|&at| row[at].clone()).collect();
        Self {
            columns: kept.iter().map(|&at| columns[at]).collect(),
            widths: kept.iter().map(|&at| widths[at]).collect(),
            rows: rows.iter().map(pick).collect(),
        }
    }
}
