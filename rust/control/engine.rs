// SPDX-License-Identifier: GPL-2.0

//! Engines: `engine-get`.
#![forbid(unsafe_code)]

use super::switch;
use super::uapi::*;
use crate::core_::counters::sum::TotalsSum;
use crate::engine::{for_each, Info};
use crate::kapi::cpu;
use crate::kapi::netlink::{Dump, Message};
use crate::switch::Switch;
use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;

pub(super) fn dump(dump: &mut Dump) {
    let Some(switch) = switch(dump.net()) else {
        return;
    };
    // Engines are few: the cursor counts those that were listed.
    let mut nth = 0;
    let mut full = false;
    // Asked for before: who opens a channel has their lock when it asks for engines.
    let serving = switch.channels().cpus();
    for_each(|info| {
        let cpu = info.engine.cpu();
        let ports = switch.count_ports(|port| port.cpus().any(|other| other == cpu));
        if ports == 0 && !serving.contains(&cpu) {
            return;
        }
        // After one that did not fit none is listed, or that one never would be.
        if nth >= dump.cursor() && !full {
            match dump.add(|message| put(message, &switch, &info, ports)) {
                true => dump.set_cursor(nth + 1),
                false => full = true,
            }
        }
        nth += 1;
    });
}

fn put(message: &mut Message, switch: &Switch, info: &Info<'_>, ports: u32) -> Result {
    let engine = info.engine;
    let mut sum = TotalsSum::default();
    if let Some(lane) = switch.lane(engine.cpu() as usize) {
        sum.add(&lane);
    }
    let counters = engine.counters();
    message.u32(SMPLB_A_ENGINE_CPU, engine.cpu())?;
    message.u32(SMPLB_A_ENGINE_PORTS, ports)?;
    message.u32(SMPLB_A_ENGINE_PID, info.pid)?;
    message.u8(
        SMPLB_A_ENGINE_ISOLATED,
        (!cpu::is_housekeeping(engine.cpu())).into(),
    )?;
    message.uint(SMPLB_A_ENGINE_ROUNDS, counters.rounds.load(Relaxed))?;
    message.uint(
        SMPLB_A_ENGINE_IDLE_ROUNDS,
        counters.idle_rounds.load(Relaxed),
    )?;
    message.uint(SMPLB_A_ENGINE_SLEEPS, counters.sleeps.load(Relaxed))?;
    message.uint(SMPLB_A_ENGINE_BURSTS, counters.bursts.load(Relaxed))?;
    message.uint(SMPLB_A_ENGINE_PACKETS, sum.packets)?;
    message.uint(SMPLB_A_ENGINE_FORWARDED, sum.forwarded)?;
    message.uint(SMPLB_A_ENGINE_STACK, sum.stack)?;
    message.uint(SMPLB_A_ENGINE_REPLIED, sum.replied)?;
    message.uint(SMPLB_A_ENGINE_DROPPED, sum.dropped())?;
    message.uint(SMPLB_A_ENGINE_RESOLVED, sum.resolved)?;
    message.uint(SMPLB_A_ENGINE_CHANNEL, sum.channel)?;
    message.uint(SMPLB_A_ENGINE_TIME, engine.age())?;
    message.uint(SMPLB_A_ENGINE_BUSY_TIME, counters.busy_time.load(Relaxed))?;
    message.uint(
        SMPLB_A_ENGINE_LONGEST_GAP,
        counters.longest_gap.load(Relaxed),
    )?;
    let (given, taken) = info.switches;
    message.uint(SMPLB_A_ENGINE_SWITCHES, given.saturating_add(taken))?;
    message.uint(SMPLB_A_ENGINE_PREEMPTIONS, taken)?;
    let (devices, ticks) = engine.interrupts();
    message.uint(SMPLB_A_ENGINE_INTERRUPTS, devices)?;
    match ticks {
        Some(ticks) => message.uint(SMPLB_A_ENGINE_TICKS, ticks.into()),
        None => Ok(()),
    }
}
