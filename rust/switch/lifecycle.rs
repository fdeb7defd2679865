// SPDX-License-Identifier: GPL-2.0

//! Switches and ports come and go.

use super::config::Control;
use super::half::Half;
use super::lanes::LaneMemory;
use super::local::ConnectionMemory;
use super::topology::Plan;
use super::Switch;
use crate::channel::Channels;
use crate::core_::frame::PortId;
use crate::core_::neighbour::Slot;
use crate::core_::reply::arp_announcement;
use crate::engine;
use crate::kapi::ab::AbTable;
use crate::kapi::cpu::{self, BhGuard};
use crate::kapi::extack::Extack;
use crate::kapi::net::{Devices, Net, Rtnl};
use crate::kapi::rcu_arc::RcuArc;
use crate::kapi::skb::Skb;
use crate::kapi::worker::{Mirror, Tick, Ticker};
use crate::port::io::Io;
use crate::port::Port;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::{new_mutex, new_spinlock, Arc};

/// Neighbours a switch remembers.
const NEIGHBOURS: usize = 4096;

/// How often old connections are looked for, milliseconds.
const SWEEP_PERIOD: u32 = 250;

/// What runs beside the engines for a switch; stopped in this order.
pub(super) type Running = Option<(Ticker, Mirror)>;

impl Switch {
    #[inline(never)] // Kilobytes of stack, which those who call need not have, too.
    fn new(net: Net) -> Result<Arc<Self>> {
        let mut lanes = KVec::new();
        for _ in 0..=cpu::count() {
            lanes.push(LaneMemory::new()?, GFP_KERNEL)?;
        }
        let config = AbTable::new(Half::new()?, Half::new()?);
        let (control, plan) = (Control::new()?, Plan::new()?);
        let neighbours = super::lanes::filled(NEIGHBOURS, Slot::default)?;
        let connections = ConnectionMemory::new(crate::connections())?;
        Arc::pin_init(
            pin_init!(Self {
                net,
                config,
                control <- new_mutex!(control, "smplb_control"),
                topology: RcuArc::empty(),
                plan <- new_mutex!(plan, "smplb_plan"),
                neighbours,
                forgotten <- new_spinlock!(0, "smplb_neighbours"),
                connections,
                lanes,
                channels <- Channels::new(),
                sweeper <- new_mutex!(0, "smplb_sweeper"),
                running <- new_mutex!(None, "smplb_running"),
            }),
            GFP_KERNEL,
        )
    }

    /// Stops what runs beside the engines. The ports are gone.
    pub(crate) fn stop(&self) {
        self.channels.close_all();
        let running = core::mem::take(&mut *self.running.lock());
        drop(running);
    }

    /// Tells the neighbourhood of every port which VIPs are here (RFC 5227,
    /// section 3): those of services that `generation` made, or all.
    pub(super) fn announce(&self, generation: Option<u64>) {
        let plan = self.plan.lock();
        for port in plan.ports() {
            self.announce_on(port, generation);
        }
    }

    /// State or address of the devices of a port may have changed. One that came
    /// up tells its neighbourhood all VIPs.
    pub(crate) fn port_changed(&self, port: &Port) {
        self.publish_ports();
        if port.came_up() {
            self.announce_on(port, None);
        }
    }

    fn announce_on(&self, port: &Port, generation: Option<u64>) {
        let info = port.devices().info();
        if info.up == 0 {
            return;
        }
        self.inspect(|view, _| {
            let fresh = |epoch| generation.is_none_or(|g| g as u32 == epoch);
            for (_, service) in view.iter() {
                if service.params.announce && fresh(service.epoch) {
                    send_announcement(port, info.mac, service.key.addr);
                }
            }
        });
    }
}

fn send_announcement(port: &Port, mac: [u8; 6], vip: [u8; 4]) {
    let mut frame = [0; 42];
    arp_announcement(mac, vip, &mut frame);
    // Without memory the neighbours learn it when they ask.
    if let Ok(skb) = Skb::from_frame(&frame) {
        match port.io() {
            Io::Netdev(_) => {
                let _bh = BhGuard::new();
                port.devices().transmit(&mut [skb.into_raw()], 0);
            }
            // Its queues are the engine's: as if the host had sent it.
            _ => port.devices().send(skb),
        }
    }
}

impl Tick for Switch {
    fn tick(&self) {
        self.sweep();
        self.channels().tick();
    }
}

/// The switch of a network namespace; made when `make` is set and there is none.
pub(crate) fn of(net: Net, make: bool, rtnl: &Rtnl) -> Result<Arc<Switch>> {
    if let Some(switch) = net.switch(rtnl) {
        return Ok(switch);
    }
    if !make {
        return Err(ENOENT);
    }
    let switch = Switch::new(net)?;
    // Stopped before the switch goes when the mirror cannot be started, which is
    // the last to try: it may not be stopped under RTNL.
    let ticker = Ticker::start(&switch, SWEEP_PERIOD)?;
    let mirror = Mirror::start(net, &switch)?;
    *switch.running.lock() = Some((ticker, mirror));
    net.set_switch(switch.clone(), rtnl);
    Ok(switch)
}

/// Claims a NIC: makes a port and has engines poll its `parts`, of which `io` makes
/// as many.
pub(crate) fn add_port(
    net: Net,
    devices: Devices,
    (cpu, parts): (Option<u32>, usize),
    extack: &Extack,
    io: impl FnOnce(PortId) -> Result<Io>,
    rtnl: &Rtnl,
) -> Result<Arc<Port>> {
    let switch = of(net, true, rtnl)?;
    let (id, before) = {
        let mut plan = switch.plan.lock();
        let before = plan.ports().map(|port| port.parts()).sum();
        let id = plan.free_id().ok_or_else(|| {
            extack.refuse(
                ENOSPC,
                c_str!("the switch has 64 ports already; delete one first"),
            )
        })?;
        (id, before)
    };
    let cpus = engine::choose(cpu, before, parts, extack)?;
    let port = Port::new(id, switch.clone(), devices, io(id)?)?;
    switch.plan.lock().set_port(id, Some(port.clone()));
    if let Err(e) = engine::place(&port, &cpus) {
        switch.plan.lock().set_port(id, None);
        return Err(extack.refuse(e, c_str!("the engine of that CPU could not be started")));
    }
    Ok(port)
}

/// Releases a NIC. Nothing comes in any more; what is on the rings is freed.
pub(crate) fn remove_port(port: &Arc<Port>) {
    // First nobody sends to it, then nobody polls it.
    port.switch().unpublish(port.id());
    engine::remove(port);
    port.switch().channels.port_gone(port.id());
}
