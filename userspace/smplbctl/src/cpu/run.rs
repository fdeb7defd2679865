// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl run`: an application on a CPU of its own.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process;

use anyhow::{anyhow, bail, Context, Result};
use rustix::process::{setrlimit, Resource, Rlimit};
use rustix::thread::{sched_setaffinity, CpuSet as Affinity};
use smplb_nl::socket::Transport;
use smplb_nl::Engine;

use super::files::{lock, Files, Machine};
use super::isolate::{cpus, isolate};
use super::partition::Partition;
use super::set::CpuSet;
use super::{engines, list, state};
use crate::session::{warn, Session};

const AFTER: &str = "\
The CPU is isolated first, as by `smplbctl cpu isolate`, unless it is already; it stays so when the \
command ends, until `smplbctl cpu release`. The command may run on no other CPU, and may lock \
all of its memory (ulimit -l). What disturbs the CPU is told on standard error.

A CPU whose engine polls ports or serves channels is refused: the two would take turns.

The exit status is that of the command.

Example:

  smplbctl run --cpu 3 -- smplb-echo --cpu 2 192.0.2.1:7";

/// Run a command on an isolated CPU
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// The CPU
    #[arg(long, value_name = "N")]
    cpu: u32,
    /// The command, and its arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

impl Args {
    /// Does it; comes back only when it fails.
    pub fn run<T: Transport>(self, session: &Session<'_, T>) -> Result<()> {
        let cpu = self.cpu;
        let become_it = || {
            let engines = engines(session)?;
            let _lock = lock(state::LOCK)?;
            let warnings = move_in(&Machine, cpu, &engines, process::id())?;
            bind(cpu)?;
            Ok::<_, anyhow::Error>(warnings)
        };
        warn(become_it().with_context(|| format!("cannot run on CPU {cpu}"))?);
        let (name, args) = self.command.split_first().context("no command")?;
        let error = process::Command::new(name).args(args).exec();
        Err(anyhow!(error).context(format!("cannot run {}", name.to_string_lossy())))
    }
}

/// Makes a CPU one for process `pid`, and has it live there; returns warnings.
pub fn move_in(files: &impl Files, cpu: u32, engines: &[Engine], pid: u32) -> Result<Vec<String>> {
    if engines.iter().any(|engine| engine.cpu == Some(cpu)) {
        bail!("it has an engine; choose another one, or move its ports with: smplbctl port set NAME --cpu N");
    }
    let mut warnings = Vec::new();
    // Those that are isolated since the machine booted belong to no cgroup.
    if !cpus(files, "isolated")?.has(cpu) {
        let partition = Partition::require(files)?;
        if !partition.isolated(files)?.has(cpu) {
            let one: CpuSet = [cpu].into_iter().collect();
            warnings = isolate(files, &one)?;
        }
        partition.enter(files, pid)?;
    }
    let rows = list::rows(files, engines)?;
    let missing = rows.iter().find(|row| row.is(cpu));
    warnings.extend(missing.and_then(list::CpuRow::lacks));
    Ok(warnings)
}

/// Binds this process to a CPU, and lets it lock its memory.
fn bind(cpu: u32) -> Result<()> {
    let mut only = Affinity::new();
    if cpu as usize >= Affinity::MAX_CPU {
        bail!("there is no CPU {cpu}");
    }
    only.set(cpu as usize);
    sched_setaffinity(None, &only).context("cannot be bound to it")?;
    let all = Rlimit {
        current: None,
        maximum: None,
    };
    setrlimit(Resource::Memlock, all).context("cannot have the right to lock memory (try as root)")
}
