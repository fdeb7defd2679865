// SPDX-License-Identifier: GPL-2.0

//! Bursts of driver `netdev`: from the rings of a port to where the verdicts
//! say.

use super::burst::decide;
use super::Hands;
use crate::core_::frame::{Origin, BURST};
use crate::core_::verdict::{DropReason, Verdict};
use crate::kapi::burst::SkbBurst;
use crate::kapi::cpu::BhGuard;
use crate::kapi::ring::SkbRing;
use crate::kapi::skb::Skb;
use crate::port::netdev::Rings;
use crate::port::Port;
use crate::switch::Switch;
use kernel::sync::rcu;

/// Takes a burst from every ring that has packets; returns how many there were.
#[inline]
pub(super) fn poll(switch: &Switch, hands: &mut Hands<'_>, port: &Port, rings: &Rings) -> u64 {
    let mut bursts = 0;
    for ring in rings.rx.iter().filter(|ring| !ring.is_empty()) {
        from_ring(switch, hands, port, rings, ring, Origin::Port(port.id()));
        bursts += 1;
    }
    if !rings.host.is_empty() {
        let origin = Origin::Host(port.id());
        from_ring(switch, hands, port, rings, &rings.host, origin);
        port.devices().wake_host(0);
        bursts += 1;
    }
    bursts
}

fn from_ring(
    switch: &Switch,
    hands: &mut Hands<'_>,
    port: &Port,
    rings: &Rings,
    ring: &SkbRing,
    origin: Origin,
) {
    // Holders of the core's locks are not preempted; see `BhGuard`.
    let _bh = BhGuard::new();
    let rcu = rcu::read_lock();
    let Some(lane) = switch.lane(hands.local.lane) else {
        return;
    };

    let mut burst = SkbBurst::new();
    let tables = switch.tables(&rcu);
    let least_mtu = tables.as_ref().map_or(0, |t| t.topology.least_mtu());
    // SAFETY: Only the engine that polls the port takes from its rings.
    unsafe {
        ring.pop_burst(BURST, |mut skb| {
            if let Origin::Port(_) = origin {
                skb.push_ethernet();
            }
            if skb.prepare(least_mtu).is_err() || burst.push(skb).is_err() {
                lane.drop(DropReason::NoMemory, port.id());
            }
        });
    }
    let Some(tables) = tables else {
        // No memory for ports and routes: nothing is known to be up.
        burst.discard(|| lane.drop(DropReason::PortDown, port.id()));
        return;
    };
    let mut stacked = false;
    decide(
        switch,
        &tables,
        hands,
        origin,
        &mut burst,
        |_, _, _, _| false,
        |out, hands, mut skb, verdict| match verdict {
            Verdict::Forward(to) => {
                skb.forget_receive_state();
                out.skb(to, skb, hands);
            }
            Verdict::Stack => {
                skb.forget_checksum();
                match stack(port, rings, skb) {
                    Ok(()) => stacked = true,
                    Err(reason) => out.lane.drop(reason, port.id()),
                }
            }
            Verdict::Reply { len } => match skb.trim_to_answer(len) {
                Ok(mut skb) => {
                    skb.forget_receive_state();
                    out.skb(port.id(), skb, hands);
                }
                Err(_) => out.lane.drop(DropReason::NoMemory, port.id()),
            },
            Verdict::Resolve { port, addr } => {
                skb.forget_receive_state();
                skb.pull_ethernet();
                // The kernel finds the next hop's MAC address, and sends.
                match tables.topology.port(port) {
                    Some(port) => port.devices().resolve(addr, skb),
                    None => out.lane.drop(DropReason::PortDown, port),
                }
            }
            // A large one becomes several frames, and checksums are finished.
            Verdict::Channel(to) => {
                skb.into_frames(|octets| out.deliver(to, octets, port.id()));
            }
            // The core has counted it.
            Verdict::Drop(_) => drop(skb),
        },
    );
    if stacked {
        port.devices().kick_stack();
    }
}

/// Passes a packet to the host.
fn stack(port: &Port, rings: &Rings, mut skb: Skb) -> Result<(), DropReason> {
    if !port.devices().is_running() {
        return Err(DropReason::PortDown);
    }
    skb.pull_ethernet();
    // SAFETY: Only the engine that polls the port puts packets there.
    unsafe { rings.stack.push(skb) }.map_err(|_| DropReason::StackFull)
}
