// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Counters: one lane per engine.
//!
//! A lane is written by its engine alone, so that adding is a plain read and write of a line no
//! other CPU writes; anyone may read. Each engine has one lane per switch; one more lane belongs to
//! the control CPU. Sums over the lanes are the numbers users see. All counters wrap at 64 bits.

use super::config::{BackendId, ServiceId};
use super::env::Atom;
use super::frame::PortId;
use super::verdict::DropReason;

pub mod sum;

/// Adds to a counter of the caller's own lane.
#[inline(always)]
pub fn add<A: Atom>(counter: &A, amount: u64) {
    counter.store(counter.load().wrapping_add(amount));
}

/// What a lane counts about the whole switch.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Totals<A> {
    /// Packets looked at.
    pub packets: A,
    /// Octets of them, Ethernet headers included.
    pub bytes: A,
    /// Verdicts `Forward`.
    pub forwarded: A,
    /// Verdicts `Stack`.
    pub stack: A,
    /// Verdicts `Reply`.
    pub replied: A,
    /// Verdicts `Resolve`.
    pub resolved: A,
    /// Verdicts `Channel`.
    pub channel: A,
    /// Connections made minus connections removed by the writer of this lane; only the sum over all
    /// lanes has a meaning.
    pub connections: A,
    /// Packets that came to nothing, by [`DropReason`]. A packet answered with a reset is counted
    /// here and in `replied`.
    pub drops: [A; DropReason::COUNT],
}

/// What a lane counts about a port.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct PortCounters<A> {
    /// Packets taken from the NIC.
    pub rx_packets: A,
    /// Octets of them.
    pub rx_bytes: A,
    /// Packets put on the NIC (counted by the shell, which knows what the NIC took).
    pub tx_packets: A,
    /// Octets of them.
    pub tx_bytes: A,
    /// Packets passed up to the host.
    pub stack_packets: A,
    /// Packets the host sent on the pseudo interface.
    pub host_packets: A,
    /// Packets of this port that were dropped.
    pub dropped: A,
    /// Makes the element one cache line.
    pub spare: A,
}

/// What a lane counts about a service.
#[derive(Debug)]
#[repr(C, align(32))]
pub struct ServiceCounters<A> {
    /// Packets from clients.
    pub packets: A,
    /// Octets of them.
    pub bytes: A,
    /// Connections made.
    pub connections: A,
    /// Makes the element half a cache line.
    pub spare: A,
}

/// What a lane counts about a backend.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct BackendCounters<A> {
    /// Packets to the backend.
    pub packets: A,
    /// Octets of them.
    pub bytes: A,
    /// Packets from the backend to clients.
    pub reply_packets: A,
    /// Octets of them.
    pub reply_bytes: A,
    /// Connections given to the backend.
    pub connections: A,
    /// Makes the element one cache line.
    pub spare: [A; 3],
}

macro_rules! zeroed {
    ($name:ident { $($field:ident),* }) => {
        impl<A: Atom> Default for $name<A> {
            fn default() -> Self {
                Self { $($field: A::new(0),)* }
            }
        }
    };
    ($name:ident { $($field:ident),* ; $array:ident }) => {
        impl<A: Atom> Default for $name<A> {
            fn default() -> Self {
                Self { $($field: A::new(0),)* $array: ::core::array::from_fn(|_| A::new(0)) }
            }
        }
    };
}

zeroed!(Totals { packets, bytes, forwarded, stack, replied, resolved, channel, connections; drops });
zeroed!(PortCounters {
    rx_packets,
    rx_bytes,
    tx_packets,
    tx_bytes,
    stack_packets,
    host_packets,
    dropped,
    spare
});
zeroed!(ServiceCounters {
    packets,
    bytes,
    connections,
    spare
});
zeroed!(BackendCounters { packets, bytes, reply_packets, reply_bytes, connections; spare });

/// The counters of one engine (or of the control CPU) in one switch.
#[derive(Debug)]
pub struct Lane<'a, A> {
    /// About the whole switch.
    pub totals: &'a Totals<A>,
    /// By port, [`MAX_PORTS`](super::frame::MAX_PORTS) elements.
    pub ports: &'a [PortCounters<A>],
    /// By service, [`MAX_SERVICES`](super::config::MAX_SERVICES) elements.
    pub services: &'a [ServiceCounters<A>],
    /// By backend, [`MAX_BACKENDS`](super::config::MAX_BACKENDS) elements.
    pub backends: &'a [BackendCounters<A>],
    /// Connections of each backend, made minus removed by the writer of this lane; only the sum
    /// over all lanes has a meaning. [`MAX_BACKENDS`](super::config::MAX_BACKENDS) elements.
    pub active: &'a [A],
}

impl<A> Clone for Lane<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Lane<'_, A> {}

impl<A: Atom> Lane<'_, A> {
    /// Counts a packet of `port` that came to nothing.
    #[inline]
    pub fn drop(&self, reason: DropReason, port: PortId) {
        if let Some(counter) = self.totals.drops.get(reason as usize) {
            add(counter, 1);
        }
        if let Some(port) = self.ports.get(usize::from(port.0)) {
            add(&port.dropped, 1);
        }
    }

    /// Counts a packet put on the NIC of `port`.
    #[inline]
    pub fn sent(&self, port: PortId, packets: u64, bytes: u64) {
        if let Some(port) = self.ports.get(usize::from(port.0)) {
            add(&port.tx_packets, packets);
            add(&port.tx_bytes, bytes);
        }
    }

    /// Counts a new connection.
    #[inline]
    pub fn connection_made(&self, service: ServiceId, backend: BackendId) {
        if let Some(service) = self.services.get(usize::from(service.0)) {
            add(&service.connections, 1);
        }
        if let Some(backend) = self.backends.get(usize::from(backend.0)) {
            add(&backend.connections, 1);
        }
        if let Some(active) = self.active.get(usize::from(backend.0)) {
            add(active, 1);
        }
        add(&self.totals.connections, 1);
    }

    /// Counts a removed connection.
    #[inline]
    pub fn connection_removed(&self, backend: BackendId) {
        if let Some(active) = self.active.get(usize::from(backend.0)) {
            add(active, u64::MAX);
        }
        add(&self.totals.connections, u64::MAX);
    }
}
