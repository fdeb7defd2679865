// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl stats`: what engines did, totals, and drops by reason.

use anyhow::Result;
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::{Drop, DropReason, Engine, Stats};

use crate::failure::Cannot;
use crate::key::shown;
use crate::session::Session;
use crate::table::{cell, duration, render, share, yes_no, Column, Row};

const AFTER: &str = "\
With -j, an object with these keys; a value is null when the kernel told none:

  engines          array of the engines
  drops            array of the reasons for drops
  connections      connections tracked now
  connections_max  connections there is room for
  routes           ranges in the routing table
  neighbours       next hops known

Each of engines has these keys:

  cpu          switching CPU
  ports        ports of this network namespace that it polls
  pid          thread id
  isolated     whether the scheduler keeps other tasks off this CPU
  rounds       turns over all its ports
  idle_rounds  turns that found nothing
  sleeps       times it armed the wake-up and slept
  bursts       bursts of packets
  packets      packets of this network namespace that it switched
  forwarded    packets that left by a port
  stack        packets that went up to the host
  replied      packets that the switch answered itself (ARP, reset, ICMP)
  dropped      packets dropped
  resolved     packets handed to the kernel to resolve their next hop
  channel      packets that went to applications by their channels
  time         nanoseconds since it started
  busy_time    nanoseconds of turns that found packets
  longest_gap  the most nanoseconds from one turn to the next, sleep left out
  switches     times that it gave its CPU away or had to
  preemptions  times that it had to give its CPU away
  interrupts   interrupts of devices that its CPU took
  ticks        ticks of its CPU's timer, modulo 2^32

Each of drops has these keys:

  reason   why, by the name in Documentation/netlink/specs/smplb.yaml
  packets  packets dropped for it";

/// Show what engines did, totals, and drops by reason.
///
/// The table of drops leaves out the reasons for which nothing was dropped.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let ask = || {
            let mut client = session.client()?;
            Ok((client.engines()?, client.stats()?))
        };
        let (engines, stats) = ask().cannot(|| "show statistics")?;
        let report = Report::new(&engines, &stats);
        match session.json() {
            true => session.print_json(&report),
            false => session.print(&report.text()),
        }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    engines: Vec<EngineRow>,
    drops: Vec<DropRow>,
    connections: Option<u32>,
    connections_max: Option<u32>,
    routes: Option<u32>,
    neighbours: Option<u32>,
}

impl Report {
    fn new(engines: &[Engine], stats: &Stats) -> Self {
        let mut engines: Vec<_> = engines.iter().map(EngineRow::from).collect();
        engines.sort_by_key(|engine| engine.cpu);
        Self {
            engines,
            drops: stats.drop.iter().map(DropRow::from).collect(),
            connections: stats.connections,
            connections_max: stats.connections_max,
            routes: stats.routes,
            neighbours: stats.neighbours,
        }
    }

    fn text(mut self) -> String {
        let mut text = render(&self.engines);
        text += &format!(
            "\nconnections {} of {}  routes {}  neighbours {}\n\n",
            cell(&self.connections),
            cell(&self.connections_max),
            cell(&self.routes),
            cell(&self.neighbours),
        );
        self.drops.retain(|drop| drop.packets != Some(0));
        match self.drops.is_empty() {
            true => text += "nothing dropped\n",
            false => text += &render(&self.drops),
        }
        text
    }
}

#[derive(Debug, Serialize)]
struct EngineRow {
    cpu: Option<u32>,
    ports: Option<u32>,
    pid: Option<u32>,
    isolated: Option<bool>,
    rounds: Option<u64>,
    idle_rounds: Option<u64>,
    sleeps: Option<u64>,
    bursts: Option<u64>,
    packets: Option<u64>,
    forwarded: Option<u64>,
    stack: Option<u64>,
    replied: Option<u64>,
    dropped: Option<u64>,
    resolved: Option<u64>,
    channel: Option<u64>,
    time: Option<u64>,
    busy_time: Option<u64>,
    longest_gap: Option<u64>,
    switches: Option<u64>,
    preemptions: Option<u64>,
    interrupts: Option<u64>,
    ticks: Option<u64>,
}

impl From<&Engine> for EngineRow {
    fn from(engine: &Engine) -> Self {
        Self {
            cpu: engine.cpu,
            ports: engine.ports,
            pid: engine.pid,
            isolated: engine.isolated.map(|isolated| isolated != 0),
            rounds: engine.rounds,
            idle_rounds: engine.idle_rounds,
            sleeps: engine.sleeps,
            bursts: engine.bursts,
            packets: engine.packets,
            forwarded: engine.forwarded,
            stack: engine.stack,
            replied: engine.replied,
            dropped: engine.dropped,
            resolved: engine.resolved,
            channel: engine.channel,
            time: engine.time,
            busy_time: engine.busy_time,
            longest_gap: engine.longest_gap,
            switches: engine.switches,
            preemptions: engine.preemptions,
            interrupts: engine.interrupts,
            ticks: engine.ticks,
        }
    }
}

impl Row for EngineRow {
    const COLUMNS: &'static [Column] = &[
        Column::Right("CPU"),
        Column::Right("PORTS"),
        Column::Left("ISOLATED"),
        Column::Right("ROUNDS"),
        Column::Right("IDLE"),
        Column::Right("SLEEPS"),
        Column::Right("BURSTS"),
        Column::Right("PACKETS"),
        Column::Right("FORWARDED"),
        Column::Right("STACK"),
        Column::Right("REPLIED"),
        Column::Right("DROPPED"),
        Column::Right("RESOLVED"),
        Column::Right("CHANNEL"),
        Column::Right("BUSY"),
        Column::Right("LONGEST-GAP"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            cell(&self.cpu),
            cell(&self.ports),
            yes_no(self.isolated),
            cell(&self.rounds),
            cell(&self.idle_rounds),
            cell(&self.sleeps),
            cell(&self.bursts),
            cell(&self.packets),
            cell(&self.forwarded),
            cell(&self.stack),
            cell(&self.replied),
            cell(&self.dropped),
            cell(&self.resolved),
            cell(&self.channel),
            share(self.busy_time, self.time),
            duration(self.longest_gap),
        ]
    }
}

#[derive(Debug, Serialize)]
struct DropRow {
    #[serde(serialize_with = "shown")]
    reason: Option<DropReason>,
    packets: Option<u64>,
}

impl From<&Drop> for DropRow {
    fn from(drop: &Drop) -> Self {
        Self {
            reason: drop.reason,
            packets: drop.packets,
        }
    }
}

impl Row for DropRow {
    const COLUMNS: &'static [Column] = &[Column::Left("DROP-REASON"), Column::Right("PACKETS")];

    fn cells(&self) -> Vec<String> {
        vec![cell(&self.reason), cell(&self.packets)]
    }
}

#[cfg(test)]
mod tests;
