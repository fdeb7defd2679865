// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The configuration table: services, their backends, and the slot lists new connections are taken
//! from.
//!
//! A half of the A/B table is a handful of slices the shell owns. [`build::HalfMut`] changes the
//! standby half, [`view::View`] reads the active one. All-zero elements (`Default`) make an empty
//! half of generation 0.

pub mod apply;
pub mod build;
pub mod change;
pub mod error;
pub mod view;

#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests;

use super::wire::ipv4;

/// Most services of a switch; length of the slice of [`Service`].
pub const MAX_SERVICES: usize = 1024;
/// Most backends of a switch, over all services; length of the slice of [`Backend`].
pub const MAX_BACKENDS: usize = 8192;
/// Most slots of a switch, over all services; length of the slice of slots.
pub const MAX_SLOTS: usize = 131_072;
/// Longest slot list of a service with weights that do not divide well. A service with more
/// backends has one slot for each.
pub const SLOTS_PER_SERVICE: usize = 1024;
/// Length of the hash from a key to its service. A power of two, at most half full.
pub const INDEX_LEN: usize = 2048;
/// Length of the set of VIPs. A power of two, at most half full.
pub const VIPS_LEN: usize = 2048;

/// Longest idle time of a service, seconds (31 days).
pub const MAX_TIMEOUT: u32 = 2_678_400;
/// Largest weight of a backend.
pub const MAX_WEIGHT: u32 = 65_535;

/// Place of a service in the tables; stable while the service exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceId(pub u16);

/// Place of a backend in the tables; stable while the backend exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendId(pub u16);

/// What names a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceKey {
    /// IP protocol number, 6 (TCP) or 17 (UDP).
    pub protocol: u8,
    /// Virtual IPv4 address (VIP).
    pub addr: [u8; 4],
    /// Virtual port, host byte order.
    pub port: u16,
}

/// How a new connection is given to a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheduler {
    /// Weighted round-robin over an interleaved slot list.
    #[default]
    Wrr,
    /// Fewest connections per unit of weight.
    Lc,
}

/// What is rewritten in a packet to a backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// MAC address, IP address and port; replies are rewritten back.
    #[default]
    Nat,
    /// MAC address only; the backend answers the client directly.
    Dr,
}

/// Parameters of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceParams {
    /// How a new connection is given to a backend.
    pub scheduler: Scheduler,
    /// What is rewritten.
    pub mode: Mode,
    /// Idle time after which an established connection is forgotten, seconds.
    pub timeout: u32,
    /// Whether the switch answers ARP for the VIP.
    pub announce: bool,
}

impl ServiceParams {
    /// The parameters of a service about which nothing was said: `wrr`, `nat`, 900 s for TCP and
    /// 300 s for UDP, announced.
    pub const fn for_protocol(protocol: u8) -> Self {
        let timeout = if protocol == ipv4::IPPROTO_UDP {
            300
        } else {
            900
        };
        Self {
            scheduler: Scheduler::Wrr,
            mode: Mode::Nat,
            timeout,
            announce: true,
        }
    }
}

/// Parameters of a service as a request gives them; `None` leaves one as it is, or at its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceOptions {
    /// See [`ServiceParams::scheduler`].
    pub scheduler: Option<Scheduler>,
    /// See [`ServiceParams::mode`].
    pub mode: Option<Mode>,
    /// See [`ServiceParams::timeout`].
    pub timeout: Option<u32>,
    /// See [`ServiceParams::announce`].
    pub announce: Option<bool>,
}

impl ServiceOptions {
    /// `base` with what was given.
    pub fn over(self, base: ServiceParams) -> ServiceParams {
        ServiceParams {
            scheduler: self.scheduler.unwrap_or(base.scheduler),
            mode: self.mode.unwrap_or(base.mode),
            timeout: self.timeout.unwrap_or(base.timeout),
            announce: self.announce.unwrap_or(base.announce),
        }
    }
}

/// One service of a half.
#[derive(Clone, Copy, Debug, Default)]
pub struct Service {
    /// What names it.
    pub key: ServiceKey,
    /// Its parameters.
    pub params: ServiceParams,
    /// Generation that last changed the service or its backends.
    pub generation: u64,
    /// Low half of the generation that made it: tells it from others that had the same place.
    pub epoch: u32,
    /// Number of its backends.
    pub backends: u16,
    pub(super) used: bool,
    pub(super) seen: bool,
    /// First and last backend of the chain, as place + 1; 0 for none.
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) slots_start: u32,
    pub(super) slots_len: u32,
}

impl Service {
    /// Length of the slot list.
    pub fn slots(&self) -> u32 {
        self.slots_len
    }
}

/// One backend of a half.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backend {
    /// The service it belongs to.
    pub service: ServiceId,
    /// IPv4 address of the server.
    pub addr: [u8; 4],
    /// Port of the server, host byte order.
    pub port: u16,
    /// Share of new connections; 0 gives no new ones and keeps the old.
    pub weight: u16,
    /// Low half of the generation that made it: tells it from others that had the same place.
    pub epoch: u32,
    pub(super) used: bool,
    pub(super) seen: bool,
    /// Next backend of the service, as place + 1; 0 for none.
    pub(super) next: u16,
    /// Slots it gets; scratch of the scheduler while a half is built.
    pub(super) share: u32,
    /// How far it is behind its share; scratch of the scheduler while a half is built.
    pub(super) credit: i32,
}

#[cfg(any(test, CONFIG_KUNIT = "y"))]
impl Backend {
    /// A backend in a chain.
    pub(super) fn for_test(weight: u16, next: u16) -> Self {
        Self {
            weight,
            next,
            used: true,
            ..Self::default()
        }
    }
}

/// One address of the set of VIPs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vip {
    /// The address; 0.0.0.0 marks an unused element.
    pub(super) addr: u32,
    /// Whether a service on it wants ARP answered.
    pub(super) announce: bool,
}

/// Numbers of a half.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header {
    /// Generation of the half; 0 when it was never built.
    pub generation: u64,
    /// Services in it.
    pub services: u32,
    /// Backends in it.
    pub backends: u32,
    /// Slots in it.
    pub slots: u32,
    /// Where the search for an unused place goes on, so that a place is used again as late as
    /// possible.
    pub(super) next_service: u16,
    pub(super) next_backend: u16,
}

/// Where the search for a key begins in a table of `len` elements, a power of two.
#[inline]
fn spread(addr: u32, port: u16, protocol: u8, len: usize) -> usize {
    let key = (u64::from(addr) << 24) | (u64::from(port) << 8) | u64::from(protocol);
    let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize & len.wrapping_sub(1)
}
