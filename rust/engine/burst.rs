// SPDX-License-Identifier: GPL-2.0

//! One burst through the core, whatever driver it came from.

use super::out::Out;
use super::Hands;
use crate::core_::frame::Origin;
use crate::core_::pipeline::{self, process_burst};
use crate::core_::verdict::Verdict;
use crate::kapi::burst::{Packet, Packets};
use crate::kapi::cpu;
use crate::port::io::{each, Io};
use crate::port::Port;
use crate::switch::{Switch, Tables};

/// Takes a burst from every ring of a part of `port` that has packets; returns how
/// many bursts there were (figure 5, steps 102 to 112).
#[inline(always)]
pub(super) fn poll(switch: &Switch, hands: &mut Hands<'_>, port: &Port, part: usize) -> u64 {
    match port.io() {
        Io::Netdev(rings) => super::netdev::poll(switch, hands, port, rings),
        Io::Native(nic) => {
            each!(nic, native => super::native::poll(switch, hands, port, native, part))
        }
    }
}

/// Has the core decide about a burst (figure 6). When all of it leaves by one port
/// or is for one channel, `carry_all_out` gets it, and may take it; else each
/// packet goes to `carry_out` with its verdict.
#[inline(always)]
pub(super) fn decide<P: Packet>(
    switch: &Switch,
    tables: &Tables<'_>,
    hands: &mut Hands<'_>,
    origin: Origin,
    burst: &mut Packets<P>,
    carry_all_out: impl FnOnce(&mut Out<'_>, &mut Hands<'_>, Verdict, &mut Packets<P>) -> bool,
    mut carry_out: impl FnMut(&mut Out<'_>, &mut Hands<'_>, P, Verdict),
) {
    let Some(lane) = switch.lane(hands.local.lane) else {
        return;
    };
    let verdict = process_burst(
        &pipeline::Switch {
            config: tables.config,
            routes: tables.topology.routes(),
            neighbours: tables.neighbours,
            connections: tables.connections,
            wants: tables.wants(),
            loads: switch,
        },
        &mut hands.local.engine(lane),
        origin,
        cpu::seconds(),
        burst,
    );
    let mut out = Out::new(tables, lane);
    if let Some(verdict) = verdict {
        if carry_all_out(&mut out, hands, verdict, burst) {
            return;
        }
    }
    burst.drain(|packet, verdict| carry_out(&mut out, hands, packet, verdict));
    out.flush(hands);
}
