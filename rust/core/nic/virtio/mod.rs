// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Queues of virtio network devices (VIRTIO 1.2, section 5.1), over split or packed virtqueues.
//!
//! Each frame is in one buffer, behind the 12 octets of [`net_header`]; hence
//! `VIRTIO_NET_F_MRG_RXBUF` and the segmentation features must not be negotiated.

use super::queue::{
    BufferId, Condition, Fault, Given, Queue, Received, RxQueue, Transmit, TxQueue,
};

pub mod areas;
pub mod control;
pub mod net_header;
pub mod packed;

pub mod split;

pub use areas::Areas;

/// Whether the event index moved over the index at which the other side wants to be told, when it
/// went from `old` to `new` (VIRTIO 1.2, 2.7.10).
#[inline(always)]
fn need_event(event: u16, new: u16, old: u16) -> bool {
    new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
}

/// Whether the device reads or writes a buffer: the flag of its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It reads: transmit.
    Read,
    /// It writes: receive.
    Write,
}

impl Access {
    /// `VIRTQ_DESC_F_WRITE`, or nothing.
    #[inline(always)]
    fn flags(self) -> u16 {
        match self {
            Self::Read => 0,
            Self::Write => 2,
        }
    }
}

/// A virtqueue whose buffers have one descriptor each.
pub trait Ring: Queue {
    /// Fills free descriptors and shows them to the device. `frames` has no more than there is
    /// [`Queue::room`] for.
    fn give(&mut self, access: Access, frames: impl Iterator<Item = Transmit>) -> Given;

    /// Takes up to `most` buffers that the device has finished. `each` is told the buffer, and how many
    /// octets the device says it wrote, and may find a fault with that; then the buffer stays where it
    /// is, and the ring is broken.
    fn take(
        &mut self,
        most: usize,
        each: impl FnMut(BufferId, u32) -> Result<(), Fault>,
    ) -> Result<usize, Fault>;
}

macro_rules! queue_of_ring {
    ($name:ident $(, $param:ident: $kind:ty)?) => {
        impl<R: Ring $(, const $param: $kind)?> Queue for $name<R $(, $param)?> {
            #[inline(always)]
            fn room(&self) -> u32 {
                self.ring.room()
            }

            #[inline(always)]
            fn outstanding(&self) -> u32 {
                self.ring.outstanding()
            }

            #[inline(always)]
            fn fault(&self) -> Option<Fault> {
                self.ring.fault()
            }

            #[inline(always)]
            fn kick(&mut self) -> Option<u16> {
                self.ring.kick()
            }

            fn has_finished(&self) -> bool {
                self.ring.has_finished()
            }

            fn arm(&mut self) -> bool {
                self.ring.arm()
            }

            fn disarm(&mut self) {
                self.ring.disarm();
            }

            fn stop(&mut self, sink: impl FnMut(BufferId)) {
                self.ring.stop(sink);
            }
        }
    };
}

/// A receive queue. In each buffer that it is given the device may write `CAPACITY` octets, the header
/// included.
#[derive(Debug)]
pub struct Rx<R, const CAPACITY: u16> {
    ring: R,
}

impl<R: Ring, const CAPACITY: u16> Rx<R, CAPACITY> {
    /// A receive queue over an empty ring.
    pub fn new(ring: R) -> Self {
        const { assert!(CAPACITY as usize > net_header::LEN) };
        Self { ring }
    }
}

queue_of_ring!(Rx, CAPACITY: u16);

impl<R: Ring, const CAPACITY: u16> RxQueue for Rx<R, CAPACITY> {
    const OFFSET: u16 = net_header::LEN as u16;

    #[inline(always)]
    fn receive_each(
        &mut self,
        most: usize,
        mut sink: impl FnMut(Received),
    ) -> Result<usize, Fault> {
        const HEADER: u32 = net_header::LEN as u32;
        let room = u32::from(CAPACITY).wrapping_sub(HEADER);
        self.ring.take(most, |buffer, written| {
            let len = written.wrapping_sub(HEADER);
            if len > room {
                return Err(if written < HEADER {
                    Fault::TooShort
                } else {
                    Fault::TooLong
                });
            }
            sink(Received {
                buffer,
                len: len as u16,
                condition: Condition::Unchecked,
            });
            Ok(())
        })
    }

    #[inline(always)]
    fn refill(&mut self, buffers: impl Iterator<Item = (BufferId, u64)>) -> usize {
        let len = u32::from(CAPACITY);
        let whole = |(buffer, address)| Transmit {
            buffer,
            len,
            address,
        };
        self.ring.give(Access::Write, buffers.map(whole)).count
    }
}

/// A transmit queue. The header is in front of each frame, in the same buffer; the length and the
/// address of a [`Transmit`] are those of both together.
#[derive(Debug)]
pub struct Tx<R> {
    ring: R,
}

impl<R: Ring> Tx<R> {
    /// A transmit queue over an empty ring.
    pub fn new(ring: R) -> Self {
        Self { ring }
    }
}

queue_of_ring!(Tx);

impl<R: Ring> TxQueue for Tx<R> {
    #[inline(always)]
    fn send(&mut self, frames: impl Iterator<Item = Transmit>) -> Given {
        self.ring.give(Access::Read, frames)
    }

    #[inline(always)]
    fn reclaim(&mut self, max: usize, mut sink: impl FnMut(BufferId)) -> Result<usize, Fault> {
        self.ring.take(max, |buffer, _| {
            sink(buffer);
            Ok(())
        })
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_virtio))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn events_are_wanted_when_the_index_is_passed() {
        // Nothing was added: no event, wherever the other side waits.
        assert!(!need_event(5, 5, 5));
        // It waits for the element behind index 5, which is the one that was added.
        assert!(need_event(5, 6, 5));
        assert!(need_event(5, 9, 3));
        assert!(!need_event(9, 9, 3));
        assert!(!need_event(2, 9, 3));
        // Over the end of the numbers.
        assert!(need_event(u16::MAX, 2, u16::MAX));
        assert!(!need_event(u16::MAX - 1, 2, u16::MAX));
    }
}
