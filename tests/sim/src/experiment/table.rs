// SPDX-License-Identifier: MIT OR Apache-2.0
//! All ways to distribute in all patterns.

mod pattern;

use std::path::Path;

use anyhow::Result;
use smplb_master::Algorithm;

use super::goals::{settings, FOLLOWERS};
use super::{digits, markdown, Size};
use crate::measure::{series, Measured};
use crate::plot::{Chart, Line};
use crate::policy::{split, Choices, Feedback, Follow, Least, Policy, Wrr};

pub use pattern::{all, Case};

/// A row: one way in one pattern.
#[derive(Debug)]
pub struct Row {
    /// The way to distribute.
    pub way: String,
    /// What was measured.
    pub measured: Measured,
}

impl Row {
    /// The widest swing of a share, as a part of its mean, from `from` on; nothing for a way without
    /// shares, or without a moment to begin at.
    fn swing(&self, from: Option<f64>) -> Option<f64> {
        let from = from?;
        let bins = || self.measured.bins.iter().filter(|bin| bin.at >= from);
        let servers = bins().next().map_or(0, |bin| bin.shares.len());
        let swing = |server: usize| {
            let shares = bins().filter_map(|bin| bin.shares.get(server).copied());
            series::swing(&shares.collect::<Vec<_>>())
        };
        (0..servers).map(swing).reduce(f64::max)
    }
}

/// The rows of a pattern.
pub fn rows(case: &Case) -> Vec<Row> {
    let count = case.speeds.len();
    let run = |way: &str, policy: &mut dyn Policy| Row {
        way: way.to_string(),
        measured: case.scenario.run(policy),
    };
    let mut rows: Vec<_> = FOLLOWERS
        .iter()
        .map(|(name, algorithm)| run(name, &mut follow(*algorithm, case, count)))
        .collect();
    rows.push(run("wrr", &mut Wrr::new(&vec![1; count])));
    rows.push(run("least-connection", &mut Least::new(&vec![1; count])));
    rows.push(run("two choices", &mut Choices::new(2, 0.0)));
    let candidates = split::candidates(&case.speeds, case.scenario.arrivals.most() * case.work);
    let splits = candidates
        .iter()
        .map(|shares| run("best static split", &mut Wrr::new(&split::weights(shares))));
    rows.extend(splits.reduce(|best, row| {
        if row.measured.wait.p99() < best.measured.wait.p99() {
            row
        } else {
            best
        }
    }));
    rows
}

fn follow(algorithm: Algorithm, case: &Case, count: usize) -> Follow {
    Follow::equal(Feedback::new(settings(algorithm)).late(case.delay), count)
}

/// The section of the results.
pub fn report(out: &Path, size: Size) -> Result<String> {
    let mut text = "## All ways in all patterns\n\nTen servers unless said otherwise, a report each second. \
        Gap is the mean of greatest less least utilization in a second; bad is the part of the \
        requests that were answered with an error, lost, or not answered within 5 s; swing is the \
        widest swing of a share from 10 reports after the step on. Times are milliseconds. \
        Least-connection and two choices use the switch's own counts of this moment, which one switch \
        alone has, and no reports. The best static split knows the speeds of the servers.\n"
        .to_string();
    for case in all(size) {
        let rows = rows(&case);
        let cells: Vec<_> = rows.iter().map(|row| cells(row, case.step)).collect();
        let head = [
            "way",
            "gap",
            "wait p50",
            "wait p90",
            "wait p99",
            "wait p99.9",
            "response p99",
            "bad",
            "changes per minute",
            "swing",
        ];
        text += &format!(
            "\n### {}\n\n{}\n{}",
            case.name,
            case.text,
            markdown(&head, &cells)
        );
        if let Some(file) = case.plot {
            let lines: Vec<_> = rows
                .iter()
                .map(|row| curve(row, case.scenario.seconds))
                .collect();
            Chart::new(&case.name, "seconds", "p99 of waiting in 10 s, ms")
                .logarithmic_y()
                .draw(&out.join(file), &lines)?;
            text += &format!("\n![{}]({file})\n", case.name);
        }
    }
    Ok(text)
}

fn cells(row: &Row, step: Option<f64>) -> Vec<String> {
    let measured = &row.measured;
    let bad = (measured.errors + measured.late + measured.lost) as f64;
    let all = measured.response.count() as f64 + (measured.errors + measured.lost) as f64;
    let wait = |part| digits(measured.wait.quantile(part) * 1e3);
    vec![
        row.way.clone(),
        digits(measured.gap()),
        wait(0.5),
        wait(0.9),
        wait(0.99),
        wait(0.999),
        digits(measured.response.p99() * 1e3),
        format!("{:.1} %", bad / all * 100.0),
        digits(measured.changes_per_minute()),
        row.swing(step)
            .map_or("–".to_string(), |swing| format!("{:.1} %", swing * 100.0)),
    ]
}

fn curve(row: &Row, seconds: f64) -> Line {
    let tens = (0..(seconds / 10.0) as u32).map(|ten| f64::from(ten) * 10.0);
    let wait = |from: f64| row.measured.wait.quantile_between(0.99, from, from + 10.0) * 1e3;
    let points = tens.map(|from| (from + 5.0, wait(from)));
    Line::new(&row.way, points.filter(|(_, wait)| *wait > 0.01).collect())
}
