// SPDX-License-Identifier: GPL-2.0

//! One burst: from the rings of a port through the core to where the verdicts
//! say.

use crate::core_::counters::Lane;
use crate::core_::frame::{Origin, PortId, BURST};
use crate::core_::pipeline::{self, process_burst};
use crate::core_::verdict::{DropReason, Verdict};
use crate::kapi::atom::KAtom;
use crate::kapi::cpu::{self, BhGuard};
use crate::kapi::skb::Skb;
use crate::kapi::skb_burst::{OutBurst, SkbBurst};
use crate::kapi::skb_ring::SkbRing;
use crate::port::Port;
use crate::switch::{Local, Switch, Tables};
use kernel::sync::rcu;

/// Takes a burst from every ring of `port` that has packets; returns how many
/// bursts there were (figure 5, steps 102 to 112).
pub(super) fn poll(switch: &Switch, local: &mut Local, port: &Port) -> u64 {
    let rings = port.rings();
    let mut bursts = 0;
    for ring in rings.rx.iter().filter(|ring| !ring.is_empty()) {
        from_ring(switch, local, port, ring, Origin::Port(port.id()));
        bursts += 1;
    }
    if !rings.host.is_empty() {
        from_ring(switch, local, port, &rings.host, Origin::Host(port.id()));
        port.devices().wake_host();
        bursts += 1;
    }
    bursts
}

fn from_ring(switch: &Switch, local: &mut Local, port: &Port, ring: &SkbRing, origin: Origin) {
    // Holders of the core's locks are not preempted; see `BhGuard`.
    let _bh = BhGuard::new();
    let rcu = rcu::read_lock();
    let Some(lane) = switch.lane(local.lane) else {
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
    process_burst(
        &pipeline::Switch {
            config: tables.config,
            routes: tables.topology.routes(),
            neighbours: tables.neighbours,
            connections: tables.connections,
            loads: switch,
        },
        &mut local.engine(lane),
        origin,
        cpu::seconds(),
        &mut burst,
    );
    Dispatch {
        tables: &tables,
        lane: &lane,
        port,
        out: OutBurst::new(),
        out_port: port.id(),
        stacked: false,
    }
    .run(&mut burst);
}

/// Carries out the verdicts about the packets of one port.
struct Dispatch<'a> {
    tables: &'a Tables<'a>,
    lane: &'a Lane<'a, KAtom>,
    port: &'a Port,
    /// Packets that leave by `out_port`.
    out: OutBurst,
    out_port: PortId,
    /// Whether the host has something new on its ring.
    stacked: bool,
}

impl Dispatch<'_> {
    #[inline(always)]
    fn run(mut self, burst: &mut SkbBurst) {
        burst.drain(|mut skb, verdict| match verdict {
            Verdict::Forward(to) => {
                skb.forget_receive_state();
                self.send(to, skb);
            }
            Verdict::Stack => {
                skb.forget_checksum();
                self.stack(skb);
            }
            Verdict::Reply { len } => match skb.trim_to_answer(len) {
                Ok(mut skb) => {
                    skb.forget_receive_state();
                    self.send(self.port.id(), skb);
                }
                Err(_) => self.lane.drop(DropReason::NoMemory, self.port.id()),
            },
            Verdict::Resolve { port, addr } => {
                skb.forget_receive_state();
                self.resolve(port, addr, skb);
            }
            // The core has counted it.
            Verdict::Drop(_) => drop(skb),
        });
        self.flush();
        if self.stacked {
            self.port.devices().kick_stack();
        }
    }

    /// Puts a packet with those that leave by the same port.
    #[inline(always)]
    fn send(&mut self, to: PortId, skb: Skb) {
        if to != self.out_port {
            self.flush();
            self.out_port = to;
        }
        self.out.push(skb);
    }

    /// Sends what was gathered: one lock and one doorbell.
    #[inline]
    fn flush(&mut self) {
        if self.out.is_empty() {
            return;
        }
        let (n, sent, bytes) = match self.tables.topology.port(self.out_port) {
            Some(port) => self
                .out
                .send(|skbs| port.devices().transmit(skbs, cpu::current())),
            None => (self.out.free(), 0, 0),
        };
        // Octets of packets that the NIC did not take count as sent; they are
        // counted as dropped below, and hardly ever there.
        self.lane.sent(self.out_port, sent as u64, bytes);
        for _ in sent..n {
            self.lane.drop(DropReason::TxBusy, self.out_port);
        }
    }

    /// Passes a packet to the host.
    fn stack(&mut self, mut skb: Skb) {
        if !self.port.devices().is_running() {
            self.lane.drop(DropReason::PortDown, self.port.id());
            return;
        }
        skb.pull_ethernet();
        // SAFETY: Only the engine that polls the port puts packets there.
        match unsafe { self.port.rings().stack.push(skb) } {
            Ok(()) => self.stacked = true,
            Err(_) => self.lane.drop(DropReason::StackFull, self.port.id()),
        }
    }

    /// Has the kernel find the next hop's MAC address and send.
    fn resolve(&mut self, port: PortId, addr: [u8; 4], mut skb: Skb) {
        skb.pull_ethernet();
        match self.tables.topology.port(port) {
            Some(port) => port.devices().resolve(addr, skb),
            None => self.lane.drop(DropReason::PortDown, port),
        }
    }
}
