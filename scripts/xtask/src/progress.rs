// SPDX-License-Identifier: MIT OR Apache-2.0
//! Long steps: output to a log, one line of progress, the log's end on failure.

use std::fs::{self, File};
use std::io::{stderr, IsTerminal, Read, Write};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};

use crate::run::{show, tail};

/// How many lines of a failed step's log are shown.
const TAIL: usize = 30;
/// How often a line of progress appears where no line can be overwritten.
const QUIET: Duration = Duration::from_secs(30);

/// Says what begins now.
pub fn say(what: &str) {
    eprintln!("==> {what}");
}

/// A span as a person reads it: `8.2s`, `13m07s`.
pub fn elapsed(span: Duration) -> String {
    match span.as_secs() {
        0..60 => format!("{:.1}s", span.as_secs_f64()),
        secs => format!("{}m{:02}s", secs / 60, secs % 60),
    }
}

/// What to count in the log of a step, to show that it gets on.
#[derive(Clone, Copy)]
pub struct Unit {
    /// The plural noun after the number.
    pub name: &'static str,
    /// Whether a line of the log stands for one.
    pub counts: fn(&str) -> bool,
}

/// The objects a kernel's make reports: `  CC      init/main.o`.
pub const OBJECTS: Unit = Unit {
    name: "objects",
    counts: |line| line.starts_with("  ") && !line.starts_with("   "),
};

/// The crates cargo reports.
pub const CRATES: Unit = Unit {
    name: "crates",
    counts: |line| line.trim_start().starts_with("Compiling "),
};

/// The packages apt-get reports.
pub const PACKAGES: Unit = Unit {
    name: "packages set up",
    counts: |line| line.starts_with("Setting up "),
};

/// A step with nothing to count.
pub const NOTHING: Unit = Unit {
    name: "",
    counts: |_| false,
};

/// Runs `command` with its output in `log`, and shows the time it took and how
/// far it got.
pub fn step(title: &str, log: &Path, command: &mut Command, unit: Unit) -> Result<()> {
    if let Some(dir) = log.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    writeln!(file, "$ {}", show(command))?;
    let mut child = command
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot run {}", show(command)))?;

    let mut meter = Meter::new(title, unit, File::open(log)?);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        meter.show()?;
        thread::sleep(Duration::from_millis(100));
    };
    meter.end()?;
    if !status.success() {
        bail!(
            "{}: {status}\n{}\n(the whole output is in {})",
            show(command),
            tail(log, TAIL),
            log.display()
        );
    }
    Ok(())
}

/// The line of progress of one step.
struct Meter<'a> {
    title: &'a str,
    unit: Unit,
    log: File,
    partial: String,
    count: u64,
    start: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl<'a> Meter<'a> {
    fn new(title: &'a str, unit: Unit, log: File) -> Self {
        Self {
            title,
            unit,
            log,
            partial: String::new(),
            count: 0,
            start: Instant::now(),
            shown: None,
            terminal: stderr().is_terminal(),
        }
    }

    /// Counts what has been added to the log.
    fn count(&mut self) -> Result<()> {
        let mut bytes = Vec::new();
        self.log.read_to_end(&mut bytes)?;
        self.partial.push_str(&String::from_utf8_lossy(&bytes));
        if let Some(end) = self.partial.rfind('\n') {
            let rest = self.partial.split_off(end + 1);
            self.count += self
                .partial
                .lines()
                .filter(|line| (self.unit.counts)(line))
                .count() as u64;
            self.partial = rest;
        }
        Ok(())
    }

    fn line(&self) -> String {
        let time = elapsed(self.start.elapsed());
        if self.count == 0 {
            return format!("==> {} ({time})", self.title);
        }
        format!(
            "==> {} ({time}, {} {})",
            self.title, self.count, self.unit.name
        )
    }

    fn show(&mut self) -> Result<()> {
        let period = if self.terminal {
            Duration::from_millis(500)
        } else {
            QUIET
        };
        if self.shown.is_some_and(|shown| shown.elapsed() < period) {
            return Ok(());
        }
        self.count()?;
        // Not at once: most steps are over before anyone would wonder.
        if self.terminal {
            eprint!("\r{}\x1b[K", self.line());
        } else if self.shown.is_some() {
            eprintln!("{}", self.line());
        }
        self.shown = Some(Instant::now());
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.count()?;
        if self.terminal {
            eprint!("\r");
        }
        eprintln!(
            "{}{}",
            self.line(),
            if self.terminal { "\x1b[K" } else { "" }
        );
        Ok(())
    }
}
