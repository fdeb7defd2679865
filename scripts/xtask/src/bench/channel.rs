// SPDX-License-Identifier: MIT OR Apache-2.0
//! What round trips by channels and their peers cost, out of what the guest of
//! `bench-channel` has written in several runs: one for times, and others that the plugin
//! watched.

mod counts;
mod told;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use serde::Serialize;

use super::report::met;
use super::symbols::Symbols;
use super::windows;
use counts::Counts;
use told::{parse, Told};

/// Our own systems, each with the kind of AF_XDP that copies frames as often,
const OURS: [(&str, &str); 2] = [("smplb", "xdp-copy"), ("smplb-trusted", "xdp")];
/// and the one that they are compared with first.
const PLAIN: (&str, &str) = ("udp", "one");

/// What applications do that never sleep: instructions are mostly looks at empty rings.
const LOOK: &str = "look";

/// Least times that a plain UDP socket takes more instructions,
const PLAIN_GOAL: f64 = 10.0;
/// and AF_XDP that copies as often.
const XDP_GOAL: f64 = 2.0;

/// One measurement.
#[derive(Serialize)]
pub struct Row {
    system: String,
    port: String,
    mode: String,
    window: u64,
    /// By round trip, of both CPUs; of programs alone,
    instructions: f64,
    instructions_user: f64,
    /// and on the application's CPU.
    system_calls: f64,
    switches: f64,
    /// Without the plugin.
    rounds_a_second: f64,
    p50_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

/// One measurement that the plugin has watched.
pub struct Counted {
    told: Told,
    counts: Counts,
}

/// Reads the results of a run that the plugin has watched, with what is in `dir`.
pub fn counted(results: &str, dir: &Path) -> Result<Vec<Counted>> {
    let windows = fs::read_to_string(dir.join("lines")).context("no windows")?;
    let windows = windows::parse(&windows)?;
    let told = parse(results)?;
    ensure!(
        !windows.is_empty() && windows.len() == told.len(),
        "{} windows were counted, and the guest told of {}",
        windows.len(),
        told.len()
    );
    let mut all = Vec::new();
    // Those of one boot are the same.
    let mut symbols = BTreeMap::new();
    for (told, window) in told.into_iter().zip(&windows) {
        if !symbols.contains_key(&told.symbols) {
            let read = Symbols::read(&dir.join(&told.symbols))?;
            symbols.insert(told.symbols.clone(), read);
        }
        let counts = Counts::of(window, &symbols[&told.symbols])?;
        all.push(Counted { told, counts });
    }
    Ok(all)
}

/// Puts the times of one run and the counts of others together. Of what was measured several
/// times, the first times and the least counts.
pub fn rows(timed: &str, counted: &[Counted]) -> Result<Vec<Row>> {
    let timed = parse(timed)?;
    let first = |(nth, told): &(usize, &Told)| {
        !timed
            .iter()
            .take(*nth)
            .any(|before| before.key() == told.key())
    };
    let row = |(_, timed): (usize, &Told)| {
        let same = counted
            .iter()
            .filter(|counted| counted.told.key() == timed.key());
        let rows = same.map(|counted| Row::new(timed, &counted.told, &counted.counts));
        let least = rows.min_by(|a, b| a.instructions.total_cmp(&b.instructions));
        least.with_context(|| format!("{:?} was not counted", timed.key()))
    };
    timed.iter().enumerate().filter(first).map(row).collect()
}

impl Row {
    fn new(timed: &Told, counted: &Told, counts: &Counts) -> Self {
        let by_round = |count: u64| count as f64 / counted.answered as f64;
        Self {
            system: timed.system.clone(),
            port: timed.port.clone(),
            mode: timed.mode.clone(),
            window: timed.window,
            instructions: by_round(counts.kernel + counts.user),
            instructions_user: by_round(counts.user),
            system_calls: by_round(counts.system_calls),
            switches: by_round(counts.switches),
            rounds_a_second: timed.answered as f64 * 1e9 / timed.elapsed as f64,
            p50_ns: timed.p50,
            p99_ns: timed.p99,
            max_ns: timed.max,
        }
    }

    /// The columns of instructions.
    fn cost(&self) -> String {
        match &*self.mode {
            LOOK => "– | –".to_owned(),
            _ => format!("{:.0} | {:.0}", self.instructions, self.instructions_user),
        }
    }
}

/// The table, and whether the goals are met.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| system | port | application | under way | instructions | of programs | system calls | switches | round trips | p50 | p99 | max |\n\
         |---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let plain = rows.iter().find(|plain| {
            (&*plain.system, &*plain.mode, plain.window) == (PLAIN.0, PLAIN.1, row.window)
        });
        // Absolute times say nothing on a machine that is shared.
        let times = |ours: f64, theirs: fn(&Row) -> f64| {
            plain.map_or_else(String::new, |plain| format!("{:.2}×", ours / theirs(plain)))
        };
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {:.3} | {:.3} | {} | {} | {} | {} |\n",
            row.system,
            row.port,
            row.mode,
            row.window,
            row.cost(),
            row.system_calls,
            row.switches,
            times(row.rounds_a_second, |plain| plain.rounds_a_second),
            times(row.p50_ns as f64, |plain| plain.p50_ns as f64),
            times(row.p99_ns as f64, |plain| plain.p99_ns as f64),
            times(row.max_ns as f64, |plain| plain.max_ns as f64),
        ));
    }
    for (ours, like) in OURS {
        text.push_str(&goals(rows, ours, like).unwrap_or_default());
    }
    text
}

/// What is said of the goals, with as many packets under way as there were, against AF_XDP of the
/// `like` kind.
fn goals(rows: &[Row], ours: &str, like: &str) -> Option<String> {
    let window = rows.iter().map(|row| row.window).max()?;
    let row = |system: &str, mode: &str| {
        let rows = rows.iter().rev();
        let mut same = rows.filter(|row| (&*row.system, &*row.mode) == (system, mode));
        same.find(|row| row.window == window)
    };
    let (sleeps, looks) = (row(ours, "sleep")?, row(ours, LOOK)?);
    let mut text = format!("\n{ours}, with {window} under way, over {}:\n", sleeps.port);
    let goals = [(PLAIN.0, PLAIN.1, PLAIN_GOAL), (like, "sleep", XDP_GOAL)];
    for (system, mode, times) in goals {
        let theirs = row(system, mode)?.instructions / sleeps.instructions;
        text.push_str(&format!(
            "goal of {times} times fewer instructions than {system}: {} with {theirs:.1}\n",
            met(theirs >= times)
        ));
    }
    text.push_str(&format!(
        "goal of no system call and no switch of an application that never sleeps: {} with {:.3} and {:.3}\n",
        met(looks.system_calls == 0.0 && looks.switches == 0.0),
        looks.system_calls,
        looks.switches
    ));
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::windows::{Ran, Window};

    const SYMBOLS: &str = "1000 T entry_SYSCALL_64\n2000 T __switch_to_asm\n";

    fn told(system: &str, mode: &str) -> Told {
        let line = format!(
            r#"{{"system":"{system}","port":"stock","mode":"{mode}","window":8,"answered":100,
            "elapsed":1000000,"p50":5,"p99":7,"max":9,"symbols":"kallsyms"}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    fn counts(user: u64) -> Counts {
        let ran = |cpu, instruction, count| Ran {
            cpu,
            instruction,
            count,
        };
        let window = Window {
            // CPU 0 is neither.
            ran: vec![
                ran(0, 0x1000, 999),
                ran(1, 0x1000, 200),
                ran(2, 0x1000, 200),
                ran(2, 0x1004, 100),
            ],
            user: vec![77, 0, user],
            ..Window::default()
        };
        Counts::of(&window, &Symbols::parse(SYMBOLS)).unwrap()
    }

    fn row(system: &str, mode: &str, user: u64) -> Row {
        let told = told(system, mode);
        Row::new(&told, &told, &counts(user))
    }

    #[test]
    fn counts_are_by_round_trip() {
        let row = row("smplb", "sleep", 1000);
        assert_eq!((row.instructions, row.instructions_user), (15.0, 10.0));
        assert_eq!((row.system_calls, row.switches), (2.0, 0.0));
        assert_eq!(row.rounds_a_second, 100_000.0);
    }

    #[test]
    fn of_several_the_least_counts() {
        let lines: String = ["udp", "xdp", "xdp"]
            .map(|system| {
                format!(
                    r#"{{"system":"{system}","port":"stock","mode":"sleep","window":8,"answered":100,"elapsed":1000000,"p50":5,"p99":7,"max":9,"symbols":"kallsyms"}}"#
                ) + "\n"
            })
            .concat();
        let counted =
            [("xdp", 3000), ("udp", 9000), ("xdp", 1000), ("xdp", 2000)].map(|(system, user)| {
                Counted {
                    told: told(system, "sleep"),
                    counts: counts(user),
                }
            });
        let rows = rows(&lines, &counted).unwrap();
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (&*row.system, row.instructions))
            .collect();
        assert_eq!(rows, [("udp", 95.0), ("xdp", 15.0)]);
    }

    #[test]
    fn goals_are_told() {
        let rows = [
            row("udp", "one", 14_500),
            row("xdp-copy", "sleep", 1_500),
            row("smplb", "sleep", 1_000),
            row("smplb", "look", 1_000),
        ];
        let text = markdown(&rows);
        for line in [
            "| smplb | stock | look | 8 | – | – | 2.000 | 0.000 | 1.00× | 1.00× | 1.00× | 1.00× |",
            "| smplb | stock | sleep | 8 | 15 | 10 | 2.000 | 0.000 | 1.00× | 1.00× | 1.00× | 1.00× |",
            "goal of 10 times fewer instructions than udp: met with 10.0",
            "goal of 2 times fewer instructions than xdp-copy: missed with 1.3",
            "never sleeps: missed with 2.000 and 0.000",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
