// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts tests, and remembers which failed.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::progress::{elapsed, say};

/// What has been tested so far.
#[derive(Default)]
pub struct Tally {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<String>,
}

impl Tally {
    /// One test that passed.
    pub fn pass(&mut self) {
        self.add_passed(1);
    }

    /// Many at once.
    pub fn add_passed(&mut self, count: usize) {
        self.passed += count;
    }

    /// One that failed.
    pub fn fail(&mut self, name: impl Into<String>) {
        self.failed.push(name.into());
    }

    /// One that could not run here, and why.
    pub fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.push(format!("{name}: {reason}"));
    }

    /// One or the other.
    pub fn record(&mut self, name: &str, passed: bool) {
        if passed {
            self.pass();
        } else {
            self.fail(name);
        }
    }

    /// How many have failed.
    pub fn failures(&self) -> usize {
        self.failed.len()
    }

    /// How many could not run.
    #[cfg(test)]
    pub fn skipped(&self) -> usize {
        self.skipped.len()
    }

    /// A check that is one test by itself: an error is a failure, and says why.
    pub fn check(&mut self, name: &str, check: impl FnOnce() -> Result<()>) -> bool {
        let start = Instant::now();
        let result = check();
        let verdict = if result.is_ok() { "ok" } else { "FAILED" };
        say(&format!("{name}: {verdict} ({})", elapsed(start.elapsed())));
        if let Err(error) = &result {
            eprintln!("{error:#}");
        }
        self.record(name, result.is_ok());
        result.is_ok()
    }

    /// Prints what failed, and the sums as the last line of all.
    pub fn end(self) -> ExitCode {
        for name in &self.failed {
            println!("FAILED {name}");
        }
        for name in &self.skipped {
            println!("SKIPPED {name}");
        }
        println!("{} passed, {} failed", self.passed, self.failed.len());
        // Nothing tested is nothing proven.
        if self.failed.is_empty() && self.passed > 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
