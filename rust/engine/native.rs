// SPDX-License-Identifier: GPL-2.0

//! Bursts of native ports: frames stay in the buffers that NICs wrote them to.

use super::burst::decide;
use super::Hands;
use crate::core_::frame::{Burst, Origin};
use crate::core_::verdict::{DropReason, Verdict};
use crate::kapi::buffer::Buffered;
use crate::kapi::burst::Packets;
use crate::kapi::cpu::BhGuard;
use crate::kapi::store::{Store, Up};
use crate::port::native::{Driver, Native};
use crate::port::Port;
use crate::switch::{Switch, Tables};
use kernel::sync::rcu;

/// Takes a burst from a queue pair of the NIC and one from the host, if there are
/// any; returns how many there were.
#[inline]
pub(super) fn poll<D: Driver>(
    switch: &Switch,
    hands: &mut Hands<'_>,
    port: &Port,
    native: &Native<D>,
    nth: usize,
) -> u64 {
    let Some(pair) = native.pair(nth) else {
        return 0;
    };
    // Holders of the core's locks are not preempted; see `BhGuard`.
    let _bh = BhGuard::new();
    let stock = hands.stock_of(native.pool());
    let mut burst = Packets::new();
    native.receive(pair, stock, &mut burst);
    let mut bursts = 0;
    if !burst.is_empty() {
        run(
            switch,
            hands,
            (port, &pair.store),
            &mut burst,
            Origin::Port(port.id()),
        );
        bursts += 1;
    }
    let stock = hands.stock_of(native.pool());
    // SAFETY: By the engine that polls the pair.
    if unsafe { pair.store.exchange(stock, &mut burst) } {
        run(
            switch,
            hands,
            (port, &pair.store),
            &mut burst,
            Origin::Host(port.id()),
        );
        bursts += 1;
    }
    if pair.store.has_room() {
        port.devices().wake_host(nth);
    }
    bursts
}

/// The port whose pair is polled, and the rings of the pair to the host.
type Polled<'a> = (&'a Port, &'a Store);

#[inline]
fn run(
    switch: &Switch,
    hands: &mut Hands<'_>,
    from: Polled<'_>,
    burst: &mut Packets<Buffered>,
    origin: Origin,
) {
    let (port, _) = from;
    let rcu = rcu::read_lock();
    let Some(tables) = switch.tables(&rcu) else {
        // No memory for ports and routes: nothing is known to be up.
        let lane = switch.lane(hands.local.lane);
        for frame in burst.take_all() {
            hands.give(frame);
            if let Some(lane) = lane {
                lane.drop(DropReason::PortDown, port.id());
            }
        }
        return;
    };
    let mut stacked = false;
    decide(
        switch,
        &tables,
        hands,
        origin,
        burst,
        |out, hands, verdict, burst| match verdict {
            Verdict::Forward(to) => out.burst(to, burst, hands),
            Verdict::Channel(to) => out.deliver_burst(to, burst, port.id(), hands),
            _ => false,
        },
        |out, hands, mut frame, verdict| match verdict {
            Verdict::Forward(to) => out.frame(to, frame, hands),
            Verdict::Stack => match stack(from, Up::Frame(frame), hands) {
                Ok(()) => stacked = true,
                Err(reason) => out.lane.drop(reason, port.id()),
            },
            Verdict::Reply { len } => {
                // What was made of it is complete.
                frame.set_partial(false);
                frame.trim(len);
                out.frame(port.id(), frame, hands);
            }
            Verdict::Resolve { port: to, addr } => {
                if let Err(reason) = resolve(&tables, from, to, addr, frame, hands) {
                    out.lane.drop(reason, to);
                }
            }
            Verdict::Channel(to) => out.deliver_frame(to, frame, port.id(), hands),
            // The core has counted it.
            Verdict::Drop(_) => hands.give(frame),
        },
    );
    if stacked {
        port.devices().kick_stack();
    }
}

/// Passes something to the host behind the port.
fn stack((port, store): Polled<'_>, up: Up, hands: &mut Hands<'_>) -> Result<(), DropReason> {
    // There is a stock: the frame's buffer came out of it.
    let Some(stock) = hands.stock() else {
        return Err(DropReason::PortDown);
    };
    if !port.devices().is_running() {
        stock.give(up.into_buf());
        return Err(DropReason::PortDown);
    }
    // SAFETY: By the engine that polls the pair.
    match unsafe { store.pass_up(up, stock) } {
        true => Ok(()),
        false => Err(DropReason::StackFull),
    }
}

/// Has the kernel find the MAC address of the next hop, and send.
#[cold]
fn resolve(
    tables: &Tables<'_>,
    from: Polled<'_>,
    to: crate::core_::frame::PortId,
    addr: [u8; 4],
    frame: Buffered,
    hands: &mut Hands<'_>,
) -> Result<(), DropReason> {
    // The ring to the host is that of the pair that this engine polls; the host
    // sends by the other port.
    let Some(target) = tables.topology.port(to) else {
        hands.give(frame);
        return Err(DropReason::PortDown);
    };
    stack(
        from,
        Up::Resolve(frame, addr, target.devices().info().ifindex),
        hands,
    )?;
    from.0.devices().kick_stack();
    Ok(())
}
