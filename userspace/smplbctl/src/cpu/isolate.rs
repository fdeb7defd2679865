// SPDX-License-Identifier: MIT OR Apache-2.0
//! Isolates CPUs and releases them.

use anyhow::{anyhow, bail, Result};

use super::files::Files;
use super::knob;
use super::partition::Partition;
use super::set::CpuSet;
use super::state::{State, PATH};

const CPUS: &str = "/sys/devices/system/cpu";

/// A set of CPUs that the kernel tells.
pub fn cpus(files: &impl Files, name: &str) -> Result<CpuSet> {
    Ok(files
        .text_if_any(&format!("{CPUS}/{name}"))?
        .unwrap_or_default()
        .parse()?)
}

/// Isolates `more` and what is isolated already; returns warnings.
pub fn isolate(files: &impl Files, more: &CpuSet) -> Result<Vec<String>> {
    let online = cpus(files, "online")?;
    let possible = cpus(files, "possible")?;
    if more.is_empty() {
        bail!("no CPU is named");
    }
    if let Some(cpu) = more.iter().find(|&cpu| !possible.has(cpu)) {
        bail!("there is no CPU {cpu}; there are {possible}");
    }
    if let Some(cpu) = more.iter().find(|&cpu| !online.has(cpu)) {
        bail!("CPU {cpu} is offline; bring it online with: echo 1 >{CPUS}/cpu{cpu}/online");
    }
    let partition = Partition::require(files)?;
    let old = State::load(files)?;
    let before = old.as_ref().map(State::cpus).transpose()?;
    let before = before.unwrap_or_default();
    let all = more | &before;
    control(files, &all)?;
    let mut state = match old {
        Some(state) => state,
        None => State::new(!partition.is_enabled(files)?),
    };
    change(files, &mut state, &partition, &all).map_err(|error| {
        let undone = match before.is_empty() {
            true => undo(files, state).map(drop),
            false => change(files, &mut state, &partition, &before).map(drop),
        };
        match undone {
            Ok(()) => error,
            Err(why) => anyhow!("{error:#}; and what was done cannot be undone: {why:#}"),
        }
    })
}

/// Releases some CPUs, or all; returns warnings.
pub fn release(files: &impl Files, some: Option<&CpuSet>) -> Result<Vec<String>> {
    let Some(mut state) = State::load(files)? else {
        bail!("smplbctl has isolated no CPU since the machine booted (there is no {PATH})");
    };
    let before = state.cpus()?;
    let left = match some {
        Some(some) => {
            if let Some(cpu) = some.iter().find(|&cpu| !before.has(cpu)) {
                bail!("CPU {cpu} is not one of those that smplbctl isolated, {before}");
            }
            &before - some
        }
        None => CpuSet::default(),
    };
    match left.is_empty() {
        true => undo(files, state),
        false => {
            let partition = Partition::require(files)?;
            change(files, &mut state, &partition, &left)
        }
    }
}

/// The CPUs for everything else.
fn control(files: &impl Files, isolated: &CpuSet) -> Result<CpuSet> {
    let boot = cpus(files, "isolated")?;
    let left = &(&cpus(files, "online")? - isolated) - &boot;
    match left.is_empty() {
        true => bail!("no CPU would be left for everything else; leave out one that is online"),
        false => Ok(left),
    }
}

/// Makes it so that `isolated` are the CPUs that are isolated.
fn change(
    files: &impl Files,
    state: &mut State,
    partition: &Partition,
    isolated: &CpuSet,
) -> Result<Vec<String>> {
    let control = control(files, isolated)?;
    let changes = knob::plan(files, state, isolated, &control)?;
    state.set_cpus(isolated);
    // First what it takes to undo it, whatever happens to this program.
    state.save(files)?;
    partition.set(files, isolated)?;
    let (warnings, _) = write(files, state, &changes);
    state.save(files)?;
    Ok(warnings)
}

/// Puts everything back.
fn undo(files: &impl Files, mut state: State) -> Result<Vec<String>> {
    let nothing = CpuSet::default();
    let changes = knob::plan(files, &mut state, &nothing, &nothing)?;
    state.save(files)?;
    if let Some(partition) = Partition::find(files)? {
        partition.remove(files, state.controller)?;
    }
    // After that: a cpuset that goes puts back what belongs to it.
    let (mut warnings, left) = write(files, &mut state, &changes);
    if left.is_empty() {
        State::forget(files)?;
        return Ok(warnings);
    }
    // An interrupt whose CPUs are offline, say.
    state.settings.retain(|path, _| left.contains(path));
    state.set_cpus(&nothing);
    state.controller = false;
    state.save(files)?;
    warnings.push("once that can be put back: smplbctl cpu release".to_owned());
    Ok(warnings)
}

/// Writes what was planned. What cannot be written is no error: managed interrupts stay where
/// their driver wants them. Returns warnings, and the files that they are about.
fn write(
    files: &impl Files,
    state: &mut State,
    changes: &[knob::Change],
) -> (Vec<String>, Vec<String>) {
    let (mut warnings, mut left) = (Vec::new(), Vec::new());
    for change in changes {
        let result = files.write(&change.knob.path, &change.text);
        if let Err(error) = &result {
            if let Some(what) = change.knob.what(files) {
                warnings.push(format!("{what} stays as it is: {error}"));
                left.push(change.knob.path.clone());
            }
        }
        if let Some(setting) = state.settings.get_mut(&change.knob.path) {
            match result {
                Ok(()) => setting.ours = vec![change.text.clone()],
                Err(_) => {
                    setting.ours.pop();
                }
            }
        }
    }
    (warnings, left)
}
