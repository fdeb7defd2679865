// SPDX-License-Identifier: GPL-2.0

//! Ports: the NICs the switch has claimed, each behind a pseudo interface.
#![forbid(unsafe_code)]

pub(crate) mod io;
pub(crate) mod lease;
pub(crate) mod native;
pub(crate) mod netdev;
pub(crate) mod pair;

use crate::core_::counters::sum::{self, PortSum};
use crate::core_::frame::PortId;
use crate::engine::Seat;
use crate::kapi::cpu;
use crate::kapi::ffi::PortStats;
use crate::kapi::keeper::Keeper;
use crate::kapi::net::Devices;
use crate::switch::Switch;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;

use io::Io;
use netdev::Rings;

/// A claimed NIC with its pseudo interface.
#[pin_data]
pub(crate) struct Port {
    id: PortId,
    switch: Arc<Switch>,
    devices: Devices,
    io: Io,
    /// Who polls its first part; most ports have no more.
    #[pin]
    seat: Seat,
    /// Who polls the others.
    seats: KVec<Pin<KBox<Seat>>>,
    /// By CPU, the queue pair by which an engine there sends; empty for one pair.
    senders: KVec<Atomic<u32>>,
    /// Whether its devices were up when last looked at.
    up: Atomic<bool>,
    /// Who looks after its NIC, if the module drives that.
    keeper: Arc<Keeper>,
    /// How often its NIC was reset because it had failed.
    resets: Atomic<u64>,
    /// What another port with its number has counted before.
    base: PortSum,
}

impl Port {
    /// Makes a port that no engine polls yet.
    pub(crate) fn new(
        id: PortId,
        switch: Arc<Switch>,
        devices: Devices,
        io: Io,
    ) -> Result<Arc<Self>> {
        let mut seats = KVec::new();
        for _ in 1..io.parts() {
            seats.push(KBox::pin_init(Seat::new(), GFP_KERNEL)?, GFP_KERNEL)?;
        }
        let mut senders = KVec::new();
        if io.parts() > 1 {
            for _ in 0..cpu::count() {
                senders.push(Atomic::new(0), GFP_KERNEL)?;
            }
        }
        let base = sum::port(switch.lanes(), id);
        let keeper = Keeper::new()?;
        Arc::pin_init(
            pin_init!(Self {
                id,
                switch,
                devices,
                io,
                seat <- Seat::new(),
                seats,
                senders,
                up: Atomic::new(false),
                keeper,
                resets: Atomic::new(0),
                base,
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

    /// Who looks after the NIC.
    pub(crate) fn keeper(&self) -> &Arc<Keeper> {
        &self.keeper
    }

    /// Frames of the NIC that were lost or came damaged before an engine saw
    /// them.
    pub(crate) fn rx_refused(&self) -> u64 {
        self.io.rx_refused()
    }

    /// How often its NIC was reset because it had failed.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.load(Relaxed)
    }

    /// Its NIC was; by one caller at a time.
    pub(crate) fn count_reset(&self) {
        self.resets.store(self.resets().wrapping_add(1), Relaxed);
    }

    /// How many parts it has, each polled by one engine: queue pairs, or one.
    #[inline]
    pub(crate) fn parts(&self) -> usize {
        self.seats.len().saturating_add(1)
    }

    /// Who polls a part.
    #[inline]
    pub(crate) fn seat(&self, part: usize) -> Option<&Seat> {
        match part.checked_sub(1) {
            None => Some(&self.seat),
            Some(more) => Some(self.seats.get(more)?),
        }
    }

    /// The CPUs whose engines poll its parts, in their order.
    pub(crate) fn cpus(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.parts()).filter_map(|part| Some(self.seat(part)?.cpu()))
    }

    /// The queue pair by which the engine of a CPU sends: one that it polls, if
    /// it polls one, so that nobody else is at it.
    #[inline(always)]
    pub(crate) fn sender(&self, cpu: u32) -> usize {
        let sender = self.senders.get(cpu as usize);
        sender.map_or(0, |pair| pair.load(Relaxed) as usize)
    }

    /// Other engines poll its parts than before. Serialised by the registry.
    pub(crate) fn seats_changed(&self) {
        for (cpu, sender) in (0u32..).zip(&self.senders) {
            let own = self.cpus().position(|own| own == cpu);
            let pair = own.unwrap_or(cpu as usize % self.parts());
            sender.store(pair as u32, Relaxed);
        }
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
        let sum = sum::port(self.switch.lanes(), self.id).since(self.base);
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

    /// Whether who polls a part may sleep, having prepared to: what comes from now
    /// on wakes it.
    pub(crate) fn arm(&self, part: usize) -> bool {
        self.io.arm(part)
    }

    /// Who polls a part does so again.
    pub(crate) fn disarm(&self, part: usize) {
        self.io.disarm(part);
    }

    /// Wakes who polls a part when that sleeps; by a producer after publishing.
    #[inline]
    pub(crate) fn kick(&self, part: usize) {
        if let Some(seat) = self.seat(part) {
            seat.kick();
        }
    }
}
