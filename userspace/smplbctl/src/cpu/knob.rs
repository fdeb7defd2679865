// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that say which CPUs take interrupts and the kernel's own work, and what is to be in
//! them.

use anyhow::{Context, Result};

use super::files::Files;
use super::set::CpuSet;
use super::state::{Setting, State};

/// Which CPUs new interrupts get.
const DEFAULT_IRQ: &str = "/proc/irq/default_smp_affinity";
const IRQS: &str = "/proc/irq";
const WORKQUEUES: &str = "/sys/devices/virtual/workqueue/cpumask";
/// What was written to the file above, which shows what became of it.
const WORKQUEUES_ASKED: &str = "/sys/devices/virtual/workqueue/cpumask_requested";
const WATCHDOG: &str = "/proc/sys/kernel/watchdog_cpumask";
const NETDEVS: &str = "/sys/class/net";

/// The form of a set in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    List,
    Mask,
}

/// A file with a set of CPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knob {
    /// The file.
    pub path: String,
    form: Form,
    /// The number of the interrupt that it is about.
    irq: Option<u32>,
}

impl Knob {
    fn new(path: impl Into<String>, form: Form) -> Self {
        let path = path.into();
        Self {
            path,
            form,
            irq: None,
        }
    }

    /// What a file remembers, by its path.
    fn parse(&self, text: &str) -> Result<CpuSet> {
        match self.form {
            Form::List => text.parse(),
            Form::Mask => CpuSet::from_mask(text),
        }
        .with_context(|| self.path.clone())
    }

    fn text(&self, set: &CpuSet) -> String {
        match self.form {
            Form::List => set.to_string(),
            Form::Mask => set.to_mask(),
        }
    }

    /// What is in it; `None` when the file is gone.
    fn read(&self, files: &impl Files) -> Result<Option<String>> {
        if self.path == WORKQUEUES {
            if let Some(asked) = files.text_if_any(WORKQUEUES_ASKED)? {
                return Ok(Some(asked));
            }
        }
        files.text_if_any(&self.path)
    }

    /// What it is about, for who is told that it could not be changed; `None` when nobody has asked
    /// for the interrupt, so that it never comes.
    pub fn what(&self, files: &impl Files) -> Option<String> {
        let Some(irq) = self.irq else {
            return Some(self.path.clone());
        };
        let names = names(files, irq);
        (!names.is_empty()).then(|| format!("interrupt {irq} ({})", names.join(", ")))
    }
}

/// The numbers of all interrupts.
pub fn irqs(files: &impl Files) -> Result<Vec<u32>> {
    let names = files.names(IRQS).context(IRQS)?;
    let mut irqs: Vec<_> = names.iter().filter_map(|name| name.parse().ok()).collect();
    irqs.sort_unstable();
    Ok(irqs)
}

/// A file of an interrupt.
pub fn irq_file(irq: u32, name: &str) -> String {
    format!("{IRQS}/{irq}/{name}")
}

/// Who has asked for an interrupt: each has a directory.
pub fn names(files: &impl Files, irq: u32) -> Vec<String> {
    let dir = format!("{IRQS}/{irq}");
    let mut names = files.names(&dir).unwrap_or_default();
    names.retain(|name| files.names(&format!("{dir}/{name}")).is_ok());
    names
}

/// Every file that this machine has.
pub fn all(files: &impl Files) -> Result<Vec<Knob>> {
    // The default goes first: an interrupt that is new meanwhile has it.
    let mut knobs = vec![Knob::new(DEFAULT_IRQ, Form::Mask)];
    knobs.extend(irqs(files)?.into_iter().map(|irq| Knob {
        irq: Some(irq),
        ..Knob::new(irq_file(irq, "smp_affinity_list"), Form::List)
    }));
    knobs.push(Knob::new(WORKQUEUES, Form::Mask));
    knobs.push(Knob::new(WATCHDOG, Form::List));
    for dev in files.names(NETDEVS).unwrap_or_default() {
        let queues = format!("{NETDEVS}/{dev}/queues");
        for queue in files.names(&queues).unwrap_or_default() {
            if queue.starts_with("rx-") {
                knobs.push(Knob::new(format!("{queues}/{queue}/rps_cpus"), Form::Mask));
            }
        }
    }
    Ok(knobs)
}

/// What is to be in a file where `before` was: no isolated CPU, but not nothing.
fn wanted(before: &CpuSet, isolated: &CpuSet, control: &CpuSet) -> CpuSet {
    let left = before - isolated;
    // An empty set turns something off, which it may stay.
    match before.is_empty() || left.meets(control) {
        true => left,
        false => control.clone(),
    }
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub knob: Knob,
    /// What is to be in it.
    pub text: String,
}

/// Finds out what has to change so that nothing is left on the `isolated` CPUs, with `control` for
/// it, and writes in `state` what there is. With no isolated CPU, everything is to be as before.
/// What others have written meanwhile counts as what was there before.
pub fn plan(
    files: &impl Files,
    state: &mut State,
    isolated: &CpuSet,
    control: &CpuSet,
) -> Result<Vec<Change>> {
    let mut old = std::mem::take(&mut state.settings);
    let default = old.get(DEFAULT_IRQ).cloned();
    let mut changes = Vec::new();
    for knob in all(files)? {
        let Some(current) = knob.read(files)? else {
            continue;
        };
        let now = knob.parse(&current)?;
        let is = |text: &String| knob.parse(text).is_ok_and(|set| set == now);
        let kept = match old.remove(&knob.path) {
            Some(setting) if is(&setting.before) || setting.ours.iter().any(is) => setting,
            None if knob.irq.is_some() => inherited(default.as_ref(), &now).unwrap_or(Setting {
                before: current,
                ours: Vec::new(),
            }),
            _ => Setting {
                before: current,
                ours: Vec::new(),
            },
        };
        let before = knob.parse(&kept.before)?;
        let want = match isolated.is_empty() {
            true => before.clone(),
            false => wanted(&before, isolated, control),
        };
        // Until it is written, it is ours with either.
        let ours = [(now != before, &now), (want != now, &want)];
        let ours = ours.into_iter().filter(|(is, _)| *is);
        let setting = Setting {
            before: kept.before,
            ours: ours.map(|(_, set)| knob.text(set)).collect(),
        };
        if want != now {
            changes.push(Change {
                text: knob.text(&want),
                knob: knob.clone(),
            });
        }
        state.settings.insert(knob.path, setting);
    }
    Ok(changes)
}

/// What an interrupt that came while CPUs were isolated, and got the default of that time, would
/// have had without.
fn inherited(default: Option<&Setting>, now: &CpuSet) -> Option<Setting> {
    let default = default?;
    let before = CpuSet::from_mask(&default.before).ok()?;
    let ours = default.ours.last()?;
    let ours = CpuSet::from_mask(ours).ok()?;
    (ours == *now).then(|| Setting {
        before: before.to_string(),
        ours: vec![now.to_string()],
    })
}
