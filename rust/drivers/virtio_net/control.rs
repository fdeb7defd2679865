// SPDX-License-Identifier: GPL-2.0

//! The control queue of a device: commands one at a time, each waited for.
#![forbid(unsafe_code)]

use super::transport::{Doorbell, Transport};
use crate::core_::nic::virtio::control::{Control, Failure, Format};
use crate::kapi::dma::{Fate, RingMemory};
use kernel::device::Bound;
use kernel::io::poll::read_poll_timeout;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::time::Delta;

/// Descriptors of the ring, of which a command takes two.
const SIZE: u16 = 16;

/// How long the device may take to answer.
const PATIENCE: Delta = Delta::from_secs(1);

/// A control queue.
pub(super) struct ControlQueue {
    queue: Control<RingMemory>,
    bell: Doorbell,
}

impl ControlQueue {
    /// Makes the device's queue number `index` one.
    pub(super) fn new(
        (transport, fate): (&Transport, &Arc<Fate>),
        pdev: &pci::Device<Bound>,
        index: u16,
        (format, event_idx): (Format, bool),
    ) -> Result<Self> {
        let most = transport.queue_size(pdev, index)?.min(SIZE);
        let size = most.checked_ilog2().map(|log| 1 << log).ok_or(ENODEV)?;
        let areas = Control::<RingMemory>::areas(format, size);
        let memory = RingMemory::new(pdev.as_ref(), areas.len, fate)?;
        let start = memory.address();
        let addresses = [areas.desc, areas.driver, areas.device]
            .map(|offset| start.wrapping_add(offset as u64));
        let queue = Control::new(memory, start, (format, event_idx), size).ok_or(EINVAL)?;
        let bell = transport.enable_queue(pdev, index, size, addresses, None)?;
        Ok(Self { queue, bell })
    }

    /// Has the device do something, and waits until it has. May sleep.
    ///
    /// # Errors
    ///
    /// `ETIMEDOUT` without an answer, after which nothing else can be asked
    /// (`EBUSY`); `EIO` when the device refuses.
    pub(super) fn command(&mut self, transport: &Transport, command: &[u8]) -> Result {
        if !self.queue.submit(command) {
            return Err(EBUSY);
        }
        transport.ring(&self.bell);
        let answer = read_poll_timeout(
            || Ok(self.queue.poll()),
            Option::is_some,
            Delta::from_micros(100),
            PATIENCE,
        )?;
        match answer {
            Some(Ok(())) => Ok(()),
            Some(Err(Failure::Refused | Failure::Broken)) => Err(EIO),
            None => Err(ETIMEDOUT),
        }
    }
}
