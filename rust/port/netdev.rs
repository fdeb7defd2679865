// SPDX-License-Identifier: GPL-2.0

//! The rings of a port, driver `netdev`: from the NIC's receive handler to the
//! engine (one per CPU that may run it), from the host to the engine, and from
//! the engine to the host.

use crate::kapi::cpu;
use crate::kapi::ring::SkbRing;
use kernel::prelude::*;

/// Packets a ring to the host or from the host holds.
const HOST_RING: u32 = 1024;

/// The rings of one port.
pub(crate) struct Rings {
    /// Written in the receive softirq of the CPU that is the index.
    pub(crate) rx: KVec<SkbRing>,
    /// Written under the transmit lock of the pseudo interface.
    pub(crate) host: SkbRing,
    /// Written by the engine, read by the NAPI poll of the pseudo interface.
    pub(crate) stack: SkbRing,
}

impl Rings {
    pub(crate) fn new() -> Result<Self> {
        let mut rx = KVec::new();
        for _ in 0..cpu::count() {
            rx.push(SkbRing::new(crate::rx_ring())?, GFP_KERNEL)?;
        }
        Ok(Self {
            rx,
            host: SkbRing::new(HOST_RING)?,
            stack: SkbRing::new(HOST_RING)?,
        })
    }

    /// Whether a ring to the engine has packets.
    pub(super) fn has_work(&self) -> bool {
        !self.host.is_empty() || self.rx.iter().any(|ring| !ring.is_empty())
    }

    /// Packets lost because a ring from the NIC was full.
    pub(crate) fn rx_refused(&self) -> u64 {
        self.rx.iter().map(SkbRing::refused).sum()
    }
}
