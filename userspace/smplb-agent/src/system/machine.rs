// SPDX-License-Identifier: MIT OR Apache-2.0
//! The whole machine, as the crate `sysinfo` sees it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::overloaded;
use super::pressure::Stall;

/// What a machine has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    /// CPUs.
    pub cpus: f64,
    /// Bytes of memory.
    pub memory: f64,
}

/// The machine, and what the last look at it gave.
pub(super) struct Machine {
    info: sysinfo::System,
    proc: PathBuf,
    stall: Stall,
    waited: Option<f64>,
    looks: usize,
}

impl Machine {
    /// The machine whose proc file system is at `proc`, as far as pressure is concerned.
    pub(super) fn new(proc: &Path) -> Self {
        let mut info = sysinfo::System::new();
        info.refresh_memory();
        info.refresh_cpu_usage();
        Self {
            info,
            proc: proc.to_owned(),
            stall: Stall::default(),
            waited: None,
            looks: 0,
        }
    }

    pub(super) fn sample(&mut self, now: Instant) {
        self.info.refresh_memory();
        // Keeps what it has when the last look was less than 0.2 s ago.
        self.info.refresh_cpu_usage();
        self.waited = self.stall.sample(&self.proc.join("pressure/cpu"), now);
        self.looks += 1;
    }

    pub(super) fn size(&self) -> Size {
        Size {
            cpus: self.info.cpus().len().max(1) as f64,
            memory: self.info.total_memory() as f64,
        }
    }

    /// Used part of the CPU, and more if more is asked for.
    pub(super) fn cpu(&self) -> Option<f64> {
        let used = f64::from(self.info.global_cpu_usage()) / 100.0;
        (self.looks > 1).then(|| overloaded(used, self.waited.unwrap_or_else(|| self.queued())))
    }

    /// Used part of the memory: what is not available to applications.
    pub(super) fn memory(&self) -> Option<f64> {
        let total = self.info.total_memory() as f64;
        let used = self.info.used_memory() as f64;
        (total > 0.0).then(|| (used / total).min(1.0))
    }

    /// Tasks ready to run, besides those that run and this one, per CPU.
    fn queued(&self) -> f64 {
        let text = fs::read_to_string(self.proc.join("loadavg")).unwrap_or_default();
        let ready = runnable(&text).unwrap_or(0.0) - 1.0;
        let cpus = self.size().cpus;
        ((ready - cpus) / cpus).clamp(0.0, 1.0)
    }
}

/// Tasks that can run, of `0.20 0.18 0.12 RUNNABLE/ALL LAST`.
fn runnable(loadavg: &str) -> Option<f64> {
    let word = loadavg.split_whitespace().nth(3)?;
    word.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runnable_is_the_fourth_word() {
        assert_eq!(runnable("0.20 0.18 0.12 5/1234 4321\n"), Some(5.0));
        assert_eq!(runnable(""), None);
    }

    #[test]
    fn without_pressure_the_queue_counts() {
        let dir = tempfile::tempdir().unwrap();
        let mut machine = Machine::new(dir.path());
        machine.sample(Instant::now());
        assert_eq!((machine.waited, machine.queued()), (None, 0.0));
        let ready = machine.size().cpus * 1.5 + 1.0;
        fs::write(
            dir.path().join("loadavg"),
            format!("0 0 0 {ready:.0}/99 1\n"),
        )
        .unwrap();
        let queued = machine.queued();
        assert!(
            (queued - 0.5).abs() <= 0.5 / machine.size().cpus,
            "{queued}"
        );
    }
}
