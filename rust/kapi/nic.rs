// SPDX-License-Identifier: GPL-2.0

//! Queues of a NIC that the module drives itself: the core's descriptor engines,
//! with buffers that are owned instead of numbers.

use kernel::prelude::*;
use kernel::transmute::AsBytes;

use super::batch::Batch;
use super::buffer::{Buf, Buffered, Mapping, HEADROOM};
use super::burst::Packets;
use super::pool::Stock;
use crate::core_::frame::BURST;
use crate::core_::nic::pool::{Owner, Tag};
use crate::core_::nic::queue::{Condition, Fault, RxQueue, Transmit, TxQueue};
use crate::core_::nic::virtio::net_header;

/// What a NIC wants in front of each frame that it sends.
pub(crate) trait Header: AsBytes + Copy {
    /// That of a frame about which nothing is to be said.
    const PLAIN: Self;
}

impl Header for () {
    const PLAIN: Self = ();
}

impl Header for net_header::Header {
    const PLAIN: Self = net_header::PLAIN;
}

/// A receive queue.
pub(crate) struct Rx<Q> {
    queue: Q,
    /// Who owns what the device holds.
    owner: Tag,
}

impl<Q: RxQueue> Rx<Q> {
    /// A queue without buffers.
    pub(crate) fn new(queue: Q, owner: Owner) -> Result<Self> {
        Ok(Self {
            queue,
            owner: Tag::new(owner).ok_or(EINVAL)?,
        })
    }

    /// The descriptor engine.
    #[inline(always)]
    pub(crate) fn queue(&mut self) -> &mut Q {
        &mut self.queue
    }

    /// Takes frames, up to a burst, and hands them to `burst`; those that the
    /// device says are damaged go to `stock`. Tells how many of those there were.
    ///
    /// # Errors
    ///
    /// What the device did wrong; nothing can be received any more.
    // A call per burst, so that the loop has the registers for itself.
    #[inline(never)]
    pub(crate) fn receive(
        &mut self,
        stock: &mut Stock,
        burst: &mut Packets<Buffered>,
    ) -> Result<u64, Fault> {
        let owner = self.owner;
        let Some(mut stock) = stock.open() else {
            return Ok(0);
        };
        let mut damaged = 0;
        let mut burst = burst.fill();
        let taken = self.queue.receive_each(BURST, |received| {
            // SAFETY: This queue is the ring of its owner, and was filled by
            // `refill`.
            let Some(buf) = (unsafe { stock.take_over(received.buffer, owner) }) else {
                return;
            };
            let whole = !matches!(
                received.condition,
                Condition::Damaged | Condition::BadChecksum
            );
            let frame = match stock.memory().frame(buf, HEADROOM as u16, received.len) {
                Ok(frame) if whole => burst.push(frame).map_err(Buffered::into_buf),
                Ok(frame) => Err(frame.into_buf()),
                Err(buf) => Err(buf),
            };
            if let Err(buf) = frame {
                damaged += 1;
                stock.give(buf);
            }
        });
        taken.map(|_| damaged)
    }

    /// Gives the device buffers to write to; whether its doorbell is to be rung,
    /// and with what.
    // See `receive`.
    #[inline(never)]
    pub(crate) fn refill(&mut self, stock: &mut Stock, mapping: &Mapping) -> Option<u16> {
        // Whatever the device writes there is in front of where frames begin.
        let (owner, base) = (self.owner, const { HEADROOM as u16 - Q::OFFSET });
        let mut stock = stock.open()?;
        while self.queue.room() > 0 {
            let filled = self.queue.refill(stock.run(owner).map(|buf| {
                let address = mapping.address(&buf, base);
                (buf.into_id(), address)
            }));
            if filled == 0 {
                break;
            }
        }
        self.queue.kick()
    }

    /// Takes all buffers back from a device that can no longer reach them.
    pub(crate) fn stop(&mut self, stock: &mut Stock) {
        let owner = self.owner;
        if let Some(mut stock) = stock.open() {
            self.queue.stop(|id| stock.give_from(id, owner));
        }
    }
}

/// A transmit queue.
pub(crate) struct Tx<Q> {
    queue: Q,
    owner: Tag,
}

impl<Q: TxQueue> Tx<Q> {
    /// An empty queue.
    pub(crate) fn new(queue: Q, owner: Owner) -> Result<Self> {
        Ok(Self {
            queue,
            owner: Tag::new(owner).ok_or(EINVAL)?,
        })
    }

    /// The descriptor engine.
    #[inline(always)]
    pub(crate) fn queue(&mut self) -> &mut Q {
        &mut self.queue
    }

    /// Puts frames on the ring, each with a header of type `H` in front of it. Those that
    /// there is no room for go to `stock`. Returns how many went and their
    /// octets, and what to ring the doorbell with.
    #[inline(always)]
    pub(crate) fn send<H: Header>(
        &mut self,
        frames: &mut Batch<Buffered>,
        stock: &mut Stock,
        mapping: &Mapping,
    ) -> (usize, u64, Option<u16>) {
        if self.queue.room() < BURST as u32 {
            // A fault leaves no room, and is told by the engine's next turn.
            let _ = self.reclaim(stock);
        }
        let Some(mut stock) = stock.open() else {
            return (0, 0, None);
        };
        let (owner, mut bytes) = (self.owner, 0u64);
        let mut frames = frames.drain();
        let taken = self.queue.send(frames.by_ref().map(|mut frame| {
            frame.set_header(H::PLAIN);
            bytes = bytes.wrapping_add(frame.len().into());
            let from = frame.offset().wrapping_sub(size_of::<H>() as u16);
            let (len, address) = (frame.len(), mapping.address(frame.buf(), from));
            stock.hand_to(frame.buf(), owner);
            Transmit {
                buffer: frame.into_buf().into_id(),
                len: u32::from(len).wrapping_add(size_of::<H>() as u32),
                address,
            }
        }));
        frames.for_each(|frame| stock.give(frame.into_buf()));
        (taken, bytes, self.queue.kick())
    }

    /// Takes back what was sent.
    ///
    /// # Errors
    ///
    /// What the device did wrong; nothing can be sent any more.
    #[inline(always)]
    pub(crate) fn reclaim(&mut self, stock: &mut Stock) -> Result<(), Fault> {
        let owner = self.owner;
        let Some(mut stock) = stock.open() else {
            return Ok(());
        };
        let mut home = stock.home(owner);
        let most = home.room();
        let reclaimed = self.queue.reclaim(most, |id| home.give(id));
        reclaimed.map(|_| ())
    }

    /// Takes all buffers back from a device that can no longer reach them.
    pub(crate) fn stop(&mut self, stock: &mut Stock) {
        let owner = self.owner;
        if let Some(mut stock) = stock.open() {
            self.queue.stop(|id| stock.give_from(id, owner));
        }
    }
}

/// Frames on their way to the same NIC.
pub(crate) type FrameOut = Batch<Buffered>;

/// A buffer out of the stock with a copy of `octets`; `None` when there is no
/// buffer or they do not fit.
pub(crate) fn copy_in(stock: &mut Stock, octets: &[u8]) -> Option<Buffered> {
    let buf: Buf = stock.take()?;
    match stock.pool().memory().copy(buf, octets) {
        Ok(frame) => Some(frame),
        Err(buf) => {
            stock.give(buf);
            None
        }
    }
}
