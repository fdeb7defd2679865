// SPDX-License-Identifier: GPL-2.0

//! Applications that have a queue pair of a NIC for themselves: they fill its descriptors and ring
//! its doorbells (seed figure 11, step 303). No engine is at that pair meanwhile. A NIC reaches all
//! memory that it is told of: who can tell it could as well write to that memory.

use super::buffers::Part;
use super::make::{MORE, STRIDE};
use super::Channel;
use crate::core_::channel::shared::Shared;
use crate::core_::channel::uapi::{Map, Pair, Queue, PAIR_EVENT_IDX, PAIR_PACKED};
use crate::core_::frame::PortId;
use crate::kapi::buffer::PER_CHUNK;
use crate::kapi::keeper::Keeper;
use crate::kapi::shared::SharedMemory;
use crate::port::lease::{self, Lease};
use kernel::page::PAGE_SIZE;
use kernel::prelude::*;
use kernel::sync::Arc;

/// Where `mmap(2)` finds the rings and the addresses of chunks.
const RX_RING: u64 = MORE;
const TX_RING: u64 = MORE + STRIDE;
const CHUNKS: u64 = MORE + 2 * STRIDE;
/// The doorbells of the first channel. They have offsets that no other file has, as all files are
/// one for what the kernel takes away.
const BELLS: u64 = MORE + 3 * STRIDE;

/// What an application has of a NIC, or had.
pub(super) struct Rented {
    keeper: Arc<Keeper>,
    lease: Lease,
    chunks: Arc<SharedMemory>,
    bells: u64,
}

/// Has an application have a pair, for as long as its channel is open and the NIC works.
///
/// # Errors
///
/// Those of `SMPLB_CHANNEL_PAIR` in the header.
pub(crate) fn rent(
    channel: Arc<Channel>,
    (port, keeper): (PortId, Arc<Keeper>),
    asked: &mut Pair,
) -> Result {
    if !crate::raw_pairs() {
        return Err(EPERM);
    }
    if !channel.is_trusted() {
        return Err(EACCES);
    }
    if asked.flags != 0 {
        return Err(EINVAL);
    }
    if channel.rented.as_ref().is_some() {
        return Err(EALREADY);
    }
    let lease = keeper.lend(asked.pair.into(), channel.clone())?;
    let rented = Rented::new(&channel, keeper.clone(), lease).inspect_err(|_| {
        keeper.take_back(&channel);
    })?;
    rented.tell(port, asked);
    // Of two at once, by different NICs, the second goes back.
    if !channel.rented.populate(rented) {
        keeper.take_back(&channel);
        return Err(EALREADY);
    }
    channel.door().show_bells();
    // It was revoked before there was something to hide.
    if !channel.is_open() {
        channel.hide_bells();
    }
    Ok(())
}

impl Rented {
    fn new(channel: &Channel, keeper: Arc<Keeper>, lease: Lease) -> Result<Self> {
        let chunks = SharedMemory::new(lease.chunks.len() * size_of::<u64>())?;
        for (nth, chunk) in lease.chunks.iter().enumerate() {
            chunks.store64(nth, *chunk);
        }
        Ok(Self {
            keeper,
            lease,
            chunks,
            bells: BELLS + u64::from(channel.id.0) * 2 * STRIDE,
        })
    }

    fn queues(&self) -> [(&lease::Queue, u64); 2] {
        let deed = &self.lease.deed;
        [(&deed.rx, self.bells), (&deed.tx, self.bells + STRIDE)]
    }

    /// What is mapped at an offset, and whether it may only be read.
    pub(super) fn mapped(&self, offset: u64) -> Option<(Part<'_>, bool)> {
        let deed = &self.lease.deed;
        Some(match offset {
            RX_RING => (Part::Ring(&deed.rx.ring), false),
            TX_RING => (Part::Ring(&deed.tx.ring), false),
            CHUNKS => (Part::Shared(&self.chunks), true),
            _ => return None,
        })
    }

    fn tell(&self, port: PortId, pair: &mut Pair) {
        let deed = &self.lease.deed;
        let queue = |queue: &lease::Queue, ring: u64, bell: u64| Queue {
            ring: Map {
                offset: ring,
                len: queue.ring.len() as u64,
            },
            bell: Map {
                offset: bell,
                len: PAGE_SIZE as u64,
            },
            driver: queue.areas.driver as u32,
            device: queue.areas.device as u32,
            bell_offset: (queue.bell % PAGE_SIZE as u64) as u32,
            size: queue.size,
            bell_value: queue.value,
        };
        let packed = if deed.packed { PAIR_PACKED } else { 0 };
        let event_idx = if deed.event_idx { PAIR_EVENT_IDX } else { 0 };
        *pair = Pair {
            port: port.0,
            flags: packed | event_idx,
            chunk: PER_CHUNK as u32,
            chunks: Map {
                offset: CHUNKS,
                len: self.chunks.len() as u64,
            },
            rx: queue(&deed.rx, RX_RING, self.bells),
            tx: queue(&deed.tx, TX_RING, self.bells + STRIDE),
            ..*pair
        };
    }
}

impl Channel {
    /// The physical address of the doorbell that is mapped at an offset.
    pub(crate) fn bell_at(&self, offset: u64) -> Option<u64> {
        let queues = self.rented.as_ref()?.queues();
        let queue = queues.iter().find(|(_, bell)| *bell == offset);
        queue.map(|(queue, _)| queue.bell)
    }

    /// The application has nothing of a NIC any more, which is told so. By who looks after that.
    pub(crate) fn revoke(&self) {
        // First: see `rent`.
        self.shut();
        self.hide_bells();
    }

    fn hide_bells(&self) {
        if let Some(rented) = self.rented.as_ref() {
            self.door().hide_bells(rented.bells, 2 * STRIDE);
        }
    }

    /// Gives back what the application has of a NIC, which touches no buffer of it any more.
    pub(super) fn give_back(&self) {
        if let Some(rented) = self.rented.as_ref() {
            rented.keeper.take_back(self);
        }
    }
}
