// SPDX-License-Identifier: MIT OR Apache-2.0
//! What round trips by channels and their peers cost, out of what the guest of
//! `bench-channel` has written in two runs: one for times, and one that the plugin
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

/// Our own systems,
const OURS: [&str; 2] = ["smplb", "smplb-trusted"];
/// and the one that it is compared with first.
const PLAIN: (&str, &str) = ("udp", "one");

/// What is measured first: timer interrupts alone.
const TICKS: &str = "ticks";
/// What applications do that never sleep: instructions are mostly looks at empty rings.
const LOOK: &str = "look";

/// Least times that a plain UDP socket, and AF_XDP, take more instructions.
const GOALS: [(&str, &str, f64); 2] = [("udp", "one", 10.0), ("xdp", "sleep", 2.0)];

/// One measurement.
#[derive(Serialize)]
pub struct Row {
    system: String,
    port: String,
    mode: String,
    window: u64,
    /// By round trip, of both CPUs, timer interrupts left out; of programs alone,
    instructions: f64,
    instructions_user: f64,
    /// on the application's CPU,
    system_calls: f64,
    switches: f64,
    /// and timer interrupts, of both.
    ticks: f64,
    /// Without the plugin.
    rounds_a_second: f64,
    p50_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

/// Reads the results of the first run, and those of the second with what is in `dir`.
pub fn read(timed: &str, counted: &str, dir: &Path) -> Result<Vec<Row>> {
    let windows = fs::read_to_string(dir.join("lines")).context("no windows")?;
    let windows = windows::parse(&windows)?;
    let (timed, counted) = (parse(timed)?, parse(counted)?);
    ensure!(
        !windows.is_empty() && windows.len() == counted.len() && timed.len() == counted.len(),
        "{} windows were counted, and the guest told of {} and {}",
        windows.len(),
        timed.len(),
        counted.len()
    );
    let (mut tick, mut rows) = (None, Vec::new());
    // Those of one boot are the same.
    let mut symbols = BTreeMap::new();
    for ((timed, counted), window) in timed.iter().zip(&counted).zip(&windows) {
        ensure!(timed.key() == counted.key(), "the runs differ");
        if !symbols.contains_key(&counted.symbols) {
            let read = Symbols::read(&dir.join(&counted.symbols))?;
            symbols.insert(&counted.symbols, read);
        }
        let counts = Counts::of(window, &symbols[&counted.symbols])?;
        match tick {
            None => tick = Some(counts.tick(counted)?),
            Some(tick) => rows.push(Row::new(timed, counted, &counts, tick)),
        }
    }
    Ok(rows)
}

impl Row {
    fn new(timed: &Told, counted: &Told, counts: &Counts, tick: f64) -> Self {
        let by_round = |count: u64| count as f64 / counted.answered as f64;
        let ticks = by_round(counts.ticks);
        Self {
            system: timed.system.clone(),
            port: timed.port.clone(),
            mode: timed.mode.clone(),
            window: timed.window,
            instructions: by_round(counts.kernel + counts.user) - ticks * tick,
            instructions_user: by_round(counts.user),
            system_calls: by_round(counts.system_calls),
            switches: by_round(counts.switches),
            ticks,
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
    for system in OURS {
        text.push_str(&goals(rows, system).unwrap_or_default());
    }
    text
}

/// What is said of the goals, with as many packets under way as there were.
fn goals(rows: &[Row], ours: &str) -> Option<String> {
    let window = rows.iter().map(|row| row.window).max()?;
    let row = |system: &str, mode: &str| {
        let rows = rows.iter().rev();
        let mut same = rows.filter(|row| (&*row.system, &*row.mode) == (system, mode));
        same.find(|row| row.window == window)
    };
    let (sleeps, looks) = (row(ours, "sleep")?, row(ours, LOOK)?);
    let mut text = format!("\n{ours}, with {window} under way, over {}:\n", sleeps.port);
    for (system, mode, times) in GOALS {
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

    const SYMBOLS: &str = "1000 T entry_SYSCALL_64\n2000 T __switch_to_asm\n\
                           3000 T asm_sysvec_apic_timer_interrupt\n";

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
                ran(1, 0x1000, 690),
                ran(1, 0x3000, 10),
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
        Row::new(&told, &told, &counts(user), 50.0)
    }

    #[test]
    fn counts_are_by_round_trip() {
        let row = row("smplb", "sleep", 1000);
        assert_eq!((row.instructions, row.instructions_user), (15.0, 10.0));
        assert_eq!((row.system_calls, row.switches), (2.0, 0.0));
        assert_eq!((row.ticks, row.rounds_a_second), (0.1, 100_000.0));
    }

    #[test]
    fn ticks_are_measured_first() {
        assert_eq!(counts(7).tick(&told(TICKS, "")).unwrap(), 100.0);
        assert!(counts(7).tick(&told("udp", "one")).is_err());
    }

    #[test]
    fn goals_are_told() {
        let rows = [
            row("udp", "one", 14_500),
            row("xdp", "sleep", 1_500),
            row("smplb", "sleep", 1_000),
            row("smplb", "look", 1_000),
        ];
        let text = markdown(&rows);
        for line in [
            "| smplb | stock | look | 8 | – | – | 2.000 | 0.000 | 1.00× | 1.00× | 1.00× | 1.00× |",
            "| smplb | stock | sleep | 8 | 15 | 10 | 2.000 | 0.000 | 1.00× | 1.00× | 1.00× | 1.00× |",
            "goal of 10 times fewer instructions than udp: met with 10.0",
            "goal of 2 times fewer instructions than xdp: missed with 1.3",
            "never sleeps: missed with 2.000 and 0.000",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }
}
