// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl cpu`: CPUs that do nothing but switch.

use anyhow::{Context, Result};
use clap::Subcommand;
use smplb_nl::socket::Transport;
use smplb_nl::{Engine, Error};

use crate::failure::Cannot;
use crate::session::{warn, Session};

mod files;
mod isolate;
mod knob;
mod list;
mod partition;
pub mod run;
pub mod set;
mod state;
#[cfg(test)]
mod tests;

use files::{lock, Machine};
use set::CpuSet;

const ISOLATE_AFTER: &str = "\
This builds a cpuset partition, the cgroup smplb at the root of cgroup2, so that the scheduler, \
unbound workqueues, unbound kernel threads and migrating timers leave the CPUs alone; and takes \
them out of these, which get the CPUs that are left:

  /proc/irq/*/smp_affinity_list, /proc/irq/default_smp_affinity
  /sys/devices/virtual/workqueue/cpumask
  /proc/sys/kernel/watchdog_cpumask
  /sys/class/net/*/queues/rx-*/rps_cpus, where it is on

What was there before is written to /run/smplb/cpu.json first, for `smplbctl cpu release`. An \
interrupt that cannot be moved, because its driver manages it, is told on standard error.

Engines are bound to their CPUs. New ports go to isolated CPUs by themselves; `smplbctl port set \
NAME --cpu N` moves those that there are.";

/// What to do with CPUs.
#[derive(Subcommand)]
pub enum Command {
    /// Keep everything but engines off CPUs, as well as off those isolated before
    #[command(after_long_help = ISOLATE_AFTER)]
    Isolate {
        /// CPUs, as 2-3 or 2,6-7
        #[arg(value_name = "CPULIST")]
        cpus: CpuSet,
    },
    /// Give CPUs back, and put everything in the state it was in before
    Release {
        /// CPUs, as 2-3 or 2,6-7 [default: all that were isolated]
        #[arg(value_name = "CPULIST")]
        cpus: Option<CpuSet>,
    },
    /// List the switching CPUs, and what disturbs them
    #[command(after_long_help = list::AFTER)]
    List,
}

impl Command {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        match self {
            Self::Isolate { cpus } => {
                let isolate = || {
                    let _lock = lock(state::LOCK)?;
                    isolate::isolate(&Machine, &cpus)
                };
                warn(isolate().with_context(|| format!("cannot isolate CPUs {cpus}"))?);
                // Without the module there are no ports on the wrong CPU.
                warn(elsewhere(&engines(session).unwrap_or_default()));
                Ok(())
            }
            Self::Release { cpus } => {
                let release = || {
                    let _lock = lock(state::LOCK)?;
                    isolate::release(&Machine, cpus.as_ref())
                };
                warn(release().context("cannot release CPUs")?);
                Ok(())
            }
            Self::List => {
                let engines = engines(session)?;
                let rows = list::rows(&Machine, &engines).context("cannot list CPUs")?;
                session.list(&rows)
            }
        }
    }
}

/// The engines; none without the module.
fn engines<T: Transport>(session: &Session<'_, T>) -> Result<Vec<Engine>> {
    match session.client().and_then(|mut client| client.engines()) {
        Err(Error::NoModule) => Ok(Vec::new()),
        engines => engines.cannot(|| "list CPUs"),
    }
}

/// A warning for each engine that is on a CPU with other work.
fn elsewhere(engines: &[Engine]) -> Vec<String> {
    let shared = engines.iter().filter(|engine| engine.isolated == Some(0));
    shared
        .filter_map(|engine| engine.cpu)
        .map(|cpu| {
            format!(
                "ports are polled by CPU {cpu}, which is not isolated; \
                 move them with: smplbctl port set NAME --cpu N"
            )
        })
        .collect()
}
