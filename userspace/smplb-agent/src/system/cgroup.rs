// SPDX-License-Identifier: MIT OR Apache-2.0
//! Limits of cgroups (version 2) and what of them is used.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Instant;

use super::machine::Size;
use super::overloaded;
use super::pressure::Stall;

/// A cgroup with all that it is in, from the inside out.
pub(super) struct Cgroup {
    name: String,
    levels: Vec<Level>,
    /// Whether the innermost one must be there: it was named in the configuration.
    named: bool,
}

/// A figure against a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Granted {
    /// No level has a limit, or none below what the machine has.
    #[default]
    Unlimited,
    /// Used part of the limit; none if it cannot be told yet.
    Limited(Option<f64>),
}

/// What one look gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub cpu: Granted,
    pub memory: Granted,
}

impl Cgroup {
    /// That of a process. `membership` is its /proc/PID/cgroup. `skip`: leave out the innermost.
    pub(super) fn own(root: &Path, membership: &Path, skip: bool) -> Self {
        let text = fs::read_to_string(membership).unwrap_or_default();
        // Seen from outside of its namespace, a path goes up: then only the root is in reach.
        let path = text.lines().find_map(|line| line.strip_prefix("0::"));
        let path = path.filter(|path| !path.contains("/..")).unwrap_or("/");
        let mut cgroup = Self::at(root, path);
        if skip && cgroup.levels.len() > 1 {
            cgroup.levels.remove(0);
        }
        cgroup.named = false;
        cgroup
    }

    /// The one at `path` below `root`.
    pub(super) fn at(root: &Path, path: &str) -> Self {
        let inner = Path::new(path.trim_matches('/'));
        // Path::ancestors ends with the empty path, which is the root itself.
        let levels = inner.ancestors().map(|path| Level::new(root.join(path)));
        Self {
            name: path.to_owned(),
            levels: levels.collect(),
            named: true,
        }
    }

    /// The smallest limits now: CPUs and bytes.
    pub(super) fn limits(&self, size: Size) -> (Option<f64>, Option<f64>) {
        let cpus = self.levels.iter().filter_map(|level| level.cpus(size.cpus));
        let memory = self
            .levels
            .iter()
            .filter_map(|level| level.bytes(size.memory));
        (cpus.reduce(f64::min), memory.reduce(f64::min))
    }

    /// Looks at every level; the one nearest to its limit counts. None when the cgroup that was
    /// named is not there.
    pub(super) fn sample(&mut self, now: Instant, size: Size) -> Option<Sample> {
        if self.named && !self.levels.first().is_some_and(|level| level.dir.is_dir()) {
            for level in &mut self.levels {
                level.last = None;
            }
            return None;
        }
        let mut sample = Sample::default();
        for level in &mut self.levels {
            sample.cpu = sample.cpu.and(level.cpu(now, size.cpus));
            sample.memory = sample.memory.and(level.memory(size.memory));
        }
        Some(sample)
    }
}

impl fmt::Display for Cgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Granted {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Granted::Unlimited, one) | (one, Granted::Unlimited) => one,
            (Granted::Limited(a), Granted::Limited(b)) => {
                Granted::Limited(a.into_iter().chain(b).reduce(f64::max))
            }
        }
    }
}

/// One cgroup.
struct Level {
    dir: PathBuf,
    last: Option<Reading>,
    stall: Stall,
}

/// Counters of CPU time, in microseconds.
#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    used: u64,
    throttled: u64,
}

impl Level {
    fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            last: None,
            stall: Stall::default(),
        }
    }

    /// Used part of the CPU that this level grants.
    fn cpu(&mut self, now: Instant, machine: f64) -> Granted {
        let Some(cpus) = self.cpus(machine) else {
            self.last = None;
            return Granted::Unlimited;
        };
        let waited = self.stall.sample(&self.dir.join("cpu.pressure"), now);
        let stat = self.text("cpu.stat").unwrap_or_default();
        let reading = keyed(&stat, "usage_usec").map(|used| Reading {
            at: now,
            used,
            throttled: keyed(&stat, "throttled_usec").unwrap_or(0),
        });
        let last = std::mem::replace(&mut self.last, reading);
        let (Some(last), Some(reading)) = (last, reading) else {
            return Granted::Limited(None);
        };
        let time = reading.at.saturating_duration_since(last.at).as_micros() as f64;
        let used = reading.used.checked_sub(last.used);
        let (true, Some(used)) = (time > 0.0, used) else {
            return Granted::Limited(None);
        };
        let granted = time * cpus;
        let throttled = reading.throttled.saturating_sub(last.throttled) as f64 / granted;
        let refused = throttled.max(waited.unwrap_or(0.0));
        Granted::Limited(Some(overloaded(used as f64 / granted, refused)))
    }

    /// Used part of the memory that this level grants. What the kernel can drop at once, since
    /// it was read from files and not used lately, does not count as used.
    fn memory(&self, machine: f64) -> Granted {
        let Some(limit) = self.bytes(machine) else {
            return Granted::Unlimited;
        };
        let Some(current) = self.number::<f64>("memory.current") else {
            return Granted::Limited(None);
        };
        let stat = self.text("memory.stat").unwrap_or_default();
        let inactive = keyed(&stat, "inactive_file").unwrap_or(0) as f64;
        Granted::Limited(Some(((current - inactive) / limit).clamp(0.0, 1.0)))
    }

    /// CPUs that it may use, if less than the machine has: by time (`cpu.max`, "QUOTA PERIOD") or
    /// by which ones (`cpuset.cpus.effective`).
    fn cpus(&self, machine: f64) -> Option<f64> {
        let time = self.text("cpu.max").and_then(|text| {
            let mut words = text.split_whitespace();
            let quota: f64 = words.next()?.parse().ok()?;
            let period: f64 = words.next()?.parse().ok()?;
            Some(quota / period)
        });
        let set = self.text("cpuset.cpus.effective");
        let set = set.and_then(|text| count(text.trim())).map(|n| n as f64);
        let cpus = time.into_iter().chain(set).reduce(f64::min)?;
        (cpus > 0.0 && cpus < machine).then_some(cpus)
    }

    /// Bytes that it may use, if less than the machine has.
    fn bytes(&self, machine: f64) -> Option<f64> {
        let limit: f64 = self.number("memory.max")?;
        (limit > 0.0 && limit < machine).then_some(limit)
    }

    fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.dir.join(file)).ok()
    }

    /// None for "max".
    fn number<T: FromStr>(&self, file: &str) -> Option<T> {
        self.text(file)?.trim().parse().ok()
    }
}

/// The value in the line `KEY VALUE`.
fn keyed(text: &str, key: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

/// How many are in a list such as `0-3,8`.
fn count(list: &str) -> Option<u64> {
    let mut count = 0;
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        count += last.checked_sub(first)? + 1;
    }
    Some(count)
}
