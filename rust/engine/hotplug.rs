// SPDX-License-Identifier: GPL-2.0

//! CPUs that come and go, for good or while the machine sleeps.
//!
//! What is here runs while no other CPU comes or goes: in the hotplug thread of the
//! CPU, which the engine shares that CPU with, or with the hotplug lock.

use super::registry::{attach, detach, end_if_idle, leaves_control, Running, ENGINES};
use super::Polled;
use crate::kapi::{cpu, log};
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};

/// Whether the machine is about to sleep or has not quite woken up: engines that
/// find nothing sleep, too, as devices are quiet.
static ASLEEP: Atomic<u32> = Atomic::new(0);

/// Whether engines are to sleep whenever they find nothing.
pub(super) fn is_asleep() -> bool {
    ASLEEP.load(Relaxed) != 0
}

/// The machine is about to sleep, or has woken up.
pub(crate) fn set_asleep(asleep: bool) {
    ASLEEP.store(asleep.into(), Relaxed);
    if asleep {
        return;
    }
    let _online = cpu::OnlineGuard::new();
    let mut engines = ENGINES.lock();
    let gone = |engines: &KVec<Running>| {
        let mut cpus = engines.iter().map(|r| r.engine.cpu());
        cpus.find(|&cpu| !cpu::is_online(cpu))
    };
    // Their CPUs have not come back. The scheduler finds them another one, where
    // they stay if no other engine may have their ports.
    for running in engines.iter().filter(|r| !cpu::is_online(r.engine.cpu())) {
        running.thread.unpark();
    }
    while let Some(cpu) = gone(&engines) {
        if let Err(e) = evacuate(&mut engines, cpu) {
            return log::error(c_str!("a CPU that polls ports has not come back"), e);
        }
    }
}

/// The CPU goes offline: its ports go to other engines. When it is for the time
/// that the machine sleeps, its engine waits for it instead.
///
/// # Errors
///
/// `EBUSY` when no other CPU may have them: it has to stay.
pub(crate) fn goes_offline(cpu: u32, asleep: bool) -> Result {
    let mut engines = ENGINES.lock();
    if asleep {
        let running = engines.iter().find(|r| r.engine.cpu() == cpu);
        running.map_or(Ok(()), |r| r.thread.park())
    } else {
        evacuate(&mut engines, cpu)
    }
}

/// The CPU is online again. Ports that it had do not come back by themselves.
pub(crate) fn comes_online(cpu: u32) {
    let engines = ENGINES.lock();
    if let Some(running) = engines.iter().find(|r| r.engine.cpu() == cpu) {
        running.thread.unpark();
    }
}

/// The CPU for the `nth` part of those that leave `cpu`, which is not counted as
/// online any more.
fn refuge(engines: &[Running], nth: u32) -> Result<u32> {
    let share = crate::share_control_cpu();
    let picked = |step| cpu::pick(nth.wrapping_add(step), share, true);
    let may = |&cpu: &u32| share || leaves_control(engines, &[cpu], None);
    let mut candidates = (0..cpu::count()).filter_map(picked).filter(may);
    candidates.next().ok_or(EBUSY)
}

/// Moves all that the engine of `cpu` polls to others.
fn evacuate(engines: &mut KVec<Running>, cpu: u32) -> Result {
    let Some(from) = engines.iter().find(|r| r.engine.cpu() == cpu) else {
        return Ok(());
    };
    let mut all = KVec::with_capacity(from.polled.len(), GFP_KERNEL)?;
    for polled in &from.polled {
        all.push(polled.clone(), GFP_KERNEL)?;
    }
    for (nth, polled) in (0u32..).zip(&all) {
        // On failure the engine is still there, and those that left are as well off
        // where they are.
        let to = refuge(engines, nth)?;
        flee(engines, polled, (cpu, to))?;
    }
    if let Some(at) = engines.iter().position(|r| r.engine.cpu() == cpu) {
        end_if_idle(engines, at);
    }
    Ok(())
}

/// Moves something from an engine to another, which may have to be started.
fn flee(engines: &mut KVec<Running>, polled: &Polled, (from, to): (u32, u32)) -> Result {
    // The engine does not end, so that what it polled can come back.
    detach(engines, polled);
    let result = attach(engines, polled, to);
    match (&result, polled) {
        (Ok(()), Polled::Part(port, _)) => log::moved(&port.devices().info().name, from, to),
        (Ok(()), Polled::Desk(_)) => {}
        (Err(_), _) => {
            if let Err(e) = attach(engines, polled, from) {
                log::error(c_str!("a port is polled by no engine"), e);
            }
        }
    }
    polled.moved();
    result
}
