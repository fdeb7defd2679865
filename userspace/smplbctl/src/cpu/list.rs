// SPDX-License-Identifier: MIT OR Apache-2.0
//! What disturbs switching CPUs.

use anyhow::Result;
use serde::Serialize;
use smplb_nl::Engine;

use super::files::Files;
use super::isolate::cpus;
use super::knob::{irq_file, irqs, names};
use super::partition::Partition;
use super::set::CpuSet;
use crate::table::{cell, duration, share, Column, Row};

/// What the listing shows.
pub const AFTER: &str = "\
Counts are since the engine of the CPU started, and the module takes them: they begin with the \
first port of the CPU. A CPU without engine has none.

ISOLATED says yes, or what the CPU lacks: a partition (smplbctl cpu isolate), nohz_full or rcu_nocbs \
(boot parameters), and interrupts that are left, as `irq 25`; one that is pending moves away \
when it comes the next time.

With -j, an array of objects with these keys; a value is null when the kernel told none:

  cpu          the CPU
  ports        ports of this network namespace that its engine polls
  isolated     whether the scheduler keeps other tasks off it
  missing      array of what it lacks, empty when nothing
  irqs         array of the interrupts of devices that are left on it
  interrupts   interrupts of devices that it took
  ticks        ticks of its timer that it took, modulo 2^32
  switches     times that the engine's thread gave the CPU away or had to
  preemptions  times that the engine's thread had to
  time         nanoseconds since the engine started
  busy_time    nanoseconds of turns that found packets
  longest_gap  the most nanoseconds from one turn to the next, sleep left out

Each of irqs has these keys:

  irq      number
  names    array of who asked for it
  pending  whether it moves away when it comes the next time";

/// An interrupt that is left on a CPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Irq {
    irq: u32,
    names: Vec<String>,
    pending: bool,
    #[serde(skip)]
    cpus: CpuSet,
}

impl Irq {
    fn text(&self) -> String {
        let pending = if self.pending { " (pending)" } else { "" };
        format!("irq {}{pending}", self.irq)
    }
}

/// A CPU as it is listed.
#[derive(Debug, Serialize)]
pub struct CpuRow {
    cpu: u32,
    ports: Option<u32>,
    isolated: bool,
    missing: Vec<String>,
    irqs: Vec<Irq>,
    interrupts: Option<u64>,
    ticks: Option<u64>,
    switches: Option<u64>,
    preemptions: Option<u64>,
    time: Option<u64>,
    busy_time: Option<u64>,
    longest_gap: Option<u64>,
}

impl CpuRow {
    /// Whether it is that CPU.
    pub fn is(&self, cpu: u32) -> bool {
        self.cpu == cpu
    }

    /// A warning about what it lacks.
    pub fn lacks(&self) -> Option<String> {
        let (cpu, missing) = (self.cpu, self.missing.join(", "));
        (!missing.is_empty()).then(|| {
            format!("CPU {cpu} lacks {missing}; what that means: smplbctl cpu list --help")
        })
    }
}

/// The CPUs with engines, and those that are isolated.
pub fn rows(files: &impl Files, engines: &[Engine]) -> Result<Vec<CpuRow>> {
    let mut isolated = cpus(files, "isolated")?;
    if let Some(partition) = Partition::find(files)? {
        isolated = &isolated | &partition.isolated(files)?;
    }
    let polled: CpuSet = engines.iter().filter_map(|engine| engine.cpu).collect();
    let tickless = nohz_full(files)?;
    // The kernel gives every tickless CPU's callbacks to others.
    let offloaded = &rcu_nocbs(files)? | &tickless;
    let irqs = placed(files)?;
    let row = |cpu| {
        let engine = engines.iter().find(|engine| engine.cpu == Some(cpu));
        let irqs: Vec<_> = irqs.iter().filter(|irq| irq.cpus.has(cpu)).collect();
        let sets = [
            ("partition", &isolated),
            ("nohz_full", &tickless),
            ("rcu_nocbs", &offloaded),
        ];
        let missing = sets.iter().filter(|(_, set)| !set.has(cpu));
        let mut missing: Vec<_> = missing.map(|(name, _)| (*name).to_owned()).collect();
        missing.extend(irqs.iter().map(|irq| irq.text()));
        CpuRow {
            cpu,
            ports: engine.and_then(|engine| engine.ports),
            isolated: isolated.has(cpu),
            missing,
            irqs: irqs.into_iter().cloned().collect(),
            interrupts: engine.and_then(|engine| engine.interrupts),
            ticks: engine.and_then(|engine| engine.ticks),
            switches: engine.and_then(|engine| engine.switches),
            preemptions: engine.and_then(|engine| engine.preemptions),
            time: engine.and_then(|engine| engine.time),
            busy_time: engine.and_then(|engine| engine.busy_time),
            longest_gap: engine.and_then(|engine| engine.longest_gap),
        }
    };
    Ok((&isolated | &polled).iter().map(row).collect())
}

/// The CPUs whose tick stops while they have one task.
fn nohz_full(files: &impl Files) -> Result<CpuSet> {
    let text = files.text_if_any("/sys/devices/system/cpu/nohz_full")?;
    // Kernels print "(null)" when the parameter is not given.
    Ok(text.unwrap_or_default().parse().unwrap_or_default())
}

/// The CPUs whose RCU callbacks others run, by the boot parameter: nothing else tells.
fn rcu_nocbs(files: &impl Files) -> Result<CpuSet> {
    let line = files.text_if_any("/proc/cmdline")?.unwrap_or_default();
    let mut values = line
        .split_whitespace()
        .filter_map(|word| match word.split_once('=') {
            Some(("rcu_nocbs", list)) => Some(list),
            None if word == "rcu_nocbs" => Some("all"),
            _ => None,
        });
    match values.next_back() {
        None => Ok(CpuSet::default()),
        Some("all") => cpus(files, "possible"),
        Some(list) => {
            let possible = cpus(files, "possible")?;
            let last = possible.iter().last().unwrap_or(0).to_string();
            Ok(list.replace('N', &last).parse().unwrap_or_default())
        }
    }
}

/// The interrupts that somebody has asked for, with the CPUs that take them.
fn placed(files: &impl Files) -> Result<Vec<Irq>> {
    let mut all = Vec::new();
    for irq in irqs(files)? {
        let names = names(files, irq);
        let set = |name: &str| -> Result<Option<CpuSet>> {
            let text = files.text_if_any(&irq_file(irq, name))?;
            Ok(text.map(|text| text.parse()).transpose()?)
        };
        let Some(asked) = set("smp_affinity_list")?.filter(|_| !names.is_empty()) else {
            continue;
        };
        let effective = set("effective_affinity_list")?.filter(|set| !set.is_empty());
        let cpus = effective.unwrap_or_else(|| asked.clone());
        all.push(Irq {
            irq,
            names,
            pending: !cpus.meets(&asked),
            cpus,
        });
    }
    Ok(all)
}

impl Row for CpuRow {
    const COLUMNS: &'static [Column] = &[
        Column::Right("CPU"),
        Column::Right("PORTS"),
        Column::Right("INTERRUPTS"),
        Column::Right("TICKS"),
        Column::Right("SWITCHES"),
        Column::Right("BUSY"),
        Column::Right("LONGEST-GAP"),
        Column::Left("ISOLATED"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.cpu.to_string(),
            cell(&self.ports),
            cell(&self.interrupts),
            cell(&self.ticks),
            cell(&self.switches),
            share(self.busy_time, self.time),
            duration(self.longest_gap),
            match self.missing.is_empty() {
                true => "yes".to_owned(),
                false => format!("lacks {}", self.missing.join(", ")),
            },
        ]
    }
}
