// SPDX-License-Identifier: GPL-2.0

//! Ports: the NICs the switch has claimed, each behind a pseudo interface.
#![forbid(unsafe_code)]

pub(crate) mod io;
pub(crate) mod native;
pub(crate) mod netdev;

use crate::core_::counters::sum;
use crate::core_::frame::PortId;
use crate::engine::{Engine, Reply};
use crate::kapi::ffi::PortStats;
use crate::kapi::net::Devices;
use crate::kapi::rcu_arc::RcuArc;
use crate::switch::Switch;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{new_mutex, rcu, Arc, Mutex};

use io::Io;
use netdev::Rings;

/// A claimed NIC with its pseudo interface.
#[pin_data]
pub(crate) struct Port {
    id: PortId,
    switch: Arc<Switch>,
    devices: Devices,
    io: Io,
    /// Whom producers wake.
    engine: RcuArc<Engine>,
    /// The reply to the request that will end the polling.
    #[pin]
    detach: Mutex<Option<Arc<Reply>>>,
    cpu: Atomic<u32>,
    /// Whether its devices were up when last looked at.
    up: Atomic<bool>,
}

impl Port {
    /// Makes a port that no engine polls yet.
    pub(crate) fn new(
        id: PortId,
        switch: Arc<Switch>,
        devices: Devices,
        io: Io,
    ) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                id,
                switch,
                devices,
                io,
                engine: RcuArc::empty(),
                detach <- new_mutex!(None, "smplb_port_detach"),
                cpu: Atomic::new(u32::MAX),
                up: Atomic::new(false),
            }),
            GFP_KERNEL,
        )
    }

    /// Its number inside the switch.
    #[inline(always)]
    pub(crate) fn id(&self) -> PortId {
        self.id
    }

    /// The switch it belongs to.
    #[inline(always)]
    pub(crate) fn switch(&self) -> &Arc<Switch> {
        &self.switch
    }

    /// The NIC and the pseudo interface.
    #[inline(always)]
    pub(crate) fn devices(&self) -> &Devices {
        &self.devices
    }

    /// The way to and from the NIC.
    #[inline(always)]
    pub(crate) fn io(&self) -> &Io {
        &self.io
    }

    /// The rings of driver `netdev`, if that is the port's.
    #[inline(always)]
    pub(crate) fn rings(&self) -> Option<&Rings> {
        match &self.io {
            Io::Netdev(rings) => Some(rings),
            _ => None,
        }
    }

    /// Frames of the NIC that were lost or came damaged before an engine saw
    /// them.
    pub(crate) fn rx_refused(&self) -> u64 {
        self.io.rx_refused()
    }

    /// The CPU whose engine polls it.
    pub(crate) fn cpu(&self) -> u32 {
        self.cpu.load(Relaxed)
    }

    /// Whether its devices are up and were not at the call before. Calls are
    /// serialised by RTNL.
    pub(crate) fn came_up(&self) -> bool {
        let up = self.devices.info().up != 0;
        let before = self.up.load(Relaxed);
        self.up.store(up, Relaxed);
        up && !before
    }

    /// What it has counted.
    pub(crate) fn stats(&self) -> PortStats {
        let sum = sum::port(self.switch.lanes(), self.id);
        PortStats {
            rx_packets: sum.rx_packets,
            rx_bytes: sum.rx_bytes,
            tx_packets: sum.tx_packets,
            tx_bytes: sum.tx_bytes,
            stack_packets: sum.stack_packets,
            host_packets: sum.host_packets,
            dropped: sum.dropped.wrapping_add(self.rx_refused()),
        }
    }

    /// Whether its engine may sleep, having prepared to: what comes from now on
    /// wakes it.
    pub(crate) fn arm(&self) -> bool {
        self.io.arm()
    }

    /// Its engine polls again.
    pub(crate) fn disarm(&self) {
        self.io.disarm();
    }

    /// Wakes its engine when that sleeps; by a producer after publishing.
    #[inline]
    pub(crate) fn kick(&self) {
        let guard = rcu::read_lock();
        if let Some(engine) = self.engine.read(&guard) {
            engine.kick();
        }
    }

    /// Changes whom producers wake. Returns the engine before, with the reply
    /// for the request that ends its polling. Changes are serialised by the
    /// engine registry.
    pub(crate) fn set_engine(
        &self,
        new: Option<(Arc<Engine>, Arc<Reply>)>,
    ) -> Option<(Arc<Engine>, Arc<Reply>)> {
        let (engine, reply) = match new {
            Some((engine, reply)) => {
                self.cpu.store(engine.cpu(), Relaxed);
                (Some(engine), Some(reply))
            }
            None => (None, None),
        };
        let old_reply = core::mem::replace(&mut *self.detach.lock(), reply);
        Some((self.engine.replace(engine)?, old_reply?))
    }
}
