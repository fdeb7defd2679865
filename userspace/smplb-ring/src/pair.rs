// SPDX-License-Identifier: MIT OR Apache-2.0

use std::rc::Rc;
use std::sync::atomic::{fence, Ordering};
use std::sync::Arc;

use rustix::io::Errno;
use smplb_core::channel::entry::Entry;
use smplb_core::channel::shared::Shared;
use smplb_core::channel::uapi::{self, PAIR_EVENT_IDX, PAIR_PACKED};
use smplb_core::nic::queue::{BufferId, Fault, Transmit};

use crate::device::Device;
use crate::frame::{Frame, Pool, BURST, HEADROOM, SIZE};
use crate::memory::{Memory, Words};
use crate::rings::{rings, Place, Rings, HEADER};
use crate::Error;

/// A doorbell of a NIC.
struct Bell {
    page: Arc<Memory>,
    at: usize,
    value: u16,
}

impl Bell {
    fn ring(&self) {
        // What the NIC is told of comes before it is told.
        fence(Ordering::SeqCst);
        let word = self.page.word16(self.at);
        word.store(self.value.to_le(), Ordering::Relaxed);
    }
}

/// Where a NIC finds the buffers.
struct Chunks {
    /// The first octet of each chunk of them,
    starts: Words,
    /// and how many there are in one.
    buffers: u32,
}

impl Chunks {
    /// The first octet of a buffer.
    fn address(&self, buffer: u32) -> u64 {
        let start = self.starts.load64((buffer / self.buffers) as usize);
        start.wrapping_add(u64::from(buffer % self.buffers) * SIZE as u64)
    }
}

/// A queue pair of a NIC that this application has for itself (seed figure 11, step 303): it fills
/// the NIC's descriptors and rings its doorbells, without an engine. Its channel must stay open.
///
/// The NIC reaches all memory that it is told of, unless an IOMMU stands before it: this crate tells
/// it of nothing but buffers that are the application's.
pub struct Pair {
    rings: Box<dyn Rings>,
    rx_bell: Bell,
    tx_bell: Bell,
    pool: Rc<Pool>,
    chunks: Chunks,
    port: u16,
    /// The most buffers that are to wait for frames, and how many do.
    wanted: usize,
    waiting: usize,
}

impl Pair {
    pub(crate) fn new(file: &Device, told: &uapi::Pair, pool: Rc<Pool>) -> Result<Self, Error> {
        let map = |part, writable| Memory::map(file, part, writable).map_err(Error::Map);
        let bell = |queue: &uapi::Queue| -> Result<Bell, Error> {
            Ok(Bell {
                page: map(queue.bell, true)?,
                at: queue.bell_offset as usize / 2,
                value: queue.bell_value,
            })
        };
        let place = |queue: &uapi::Queue| -> Result<Place, Error> {
            Ok(Place {
                memory: map(queue.ring, true)?,
                size: queue.size,
                parts: (queue.driver, queue.device),
            })
        };
        let flag = |flag| told.flags & flag != 0;
        let places = [place(&told.rx)?, place(&told.tx)?];
        let fits = (pool.size, pool.headroom) == (SIZE, HEADROOM);
        let rings = fits.then(|| rings(places, flag(PAIR_PACKED), flag(PAIR_EVENT_IDX)));
        // The others are for what is sent.
        let wanted = pool.free.borrow().len() / 2;
        let mut pair = Self {
            rings: rings.flatten().ok_or(Error::Make(Errno::PROTO))?,
            rx_bell: bell(&told.rx)?,
            tx_bell: bell(&told.tx)?,
            pool,
            chunks: Chunks {
                starts: Words(map(told.chunks, false)?),
                buffers: told.chunk.max(1),
            },
            port: told.port,
            wanted,
            waiting: 0,
        };
        pair.refill();
        Ok(pair)
    }

    /// The number of the port, as frames have it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Appends the frames that the NIC has received to `frames`, 64 at most, and returns how many.
    ///
    /// # Errors
    ///
    /// [`Error::Nic`]: nothing can be received any more.
    pub fn rx_burst(&mut self, frames: &mut Vec<Frame>) -> Result<usize, Error> {
        let Self {
            rings, pool, port, ..
        } = self;
        let received = rings.receive(BURST as usize, &mut |received| {
            let place = (HEADROOM, received.len);
            // SAFETY: The NIC had the buffer, and has it no more; the ring has checked the length.
            frames.push(unsafe { Frame::new(pool, received.buffer.0, place, *port) });
        });
        let received = received.map_err(broken)?;
        self.waiting -= received;
        if self.wanted - self.waiting >= (BURST as usize).min(self.wanted / 2 + 1) {
            self.refill();
        }
        Ok(received)
    }

    /// Has as many buffers wait for frames as there are to be, if there is room for them.
    fn refill(&mut self) {
        let mut missing = (self.wanted - self.waiting).min(self.rings.rx_room());
        let mut free = self.pool.free.borrow_mut();
        let kick = self.rings.refill(&mut || {
            missing = missing.checked_sub(1)?;
            let buffer = free.pop()?;
            self.waiting += 1;
            let at = self.chunks.address(buffer) + (usize::from(HEADROOM) - HEADER) as u64;
            Some((BufferId(buffer), at))
        });
        if kick {
            self.rx_bell.ring();
        }
    }

    /// Sends frames from the front of `frames` by the NIC, as many as there is room for, and takes
    /// them out; returns how many. One of another channel, or with no room in front of it, is sent
    /// as a copy.
    ///
    /// # Errors
    ///
    /// [`Error::Nic`]: nothing can be sent any more.
    pub fn tx_burst(&mut self, frames: &mut Vec<Frame>) -> Result<usize, Error> {
        let Self {
            rings,
            pool,
            chunks,
            ..
        } = self;
        let mut spare = {
            let mut free = pool.free.borrow_mut();
            let reclaimed = rings.reclaim(&mut |buffer| free.push(buffer.0));
            reclaimed.map_err(broken)?;
            free.len()
        };
        let fits = |frame: &&Frame| {
            let as_it_is = frame.is_of(pool) && frame.offset() >= HEADER;
            let copied = !as_it_is && spare > 0;
            spare -= usize::from(copied);
            as_it_is || copied
        };
        let leaving = frames.iter().take(rings.tx_room());
        let count = leaving.take_while(fits).count();
        let mut leaving = frames.drain(..count);
        let (sent, kick) = rings.send(&mut || {
            let mut frame = leaving.next()?;
            if !frame.is_of(pool) || frame.offset() < HEADER {
                frame = frame.copy_to(pool)?;
            }
            frame.pad();
            let Entry {
                buffer,
                offset,
                len,
                ..
            } = frame.entry();
            frame.give_up();
            let start = usize::from(offset) - HEADER;
            // SAFETY: The buffer was the frame's, and nobody has it until the NIC is told.
            unsafe { pool.memory.octets(buffer as usize * SIZE + start, HEADER) }.fill(0);
            Some(Transmit {
                buffer: BufferId(buffer),
                len: u32::from(len) + HEADER as u32,
                address: chunks.address(buffer) + start as u64,
            })
        });
        drop(leaving);
        if kick {
            self.tx_bell.ring();
        }
        Ok(sent)
    }
}

fn broken(fault: Fault) -> Error {
    Error::Nic(fault.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_behind_the_start_of_their_chunk() {
        let chunks = Chunks {
            starts: Words(Memory::allocate(16)),
            buffers: 1024,
        };
        chunks.starts.store64(0, 0x1000_0000);
        chunks.starts.store64(1, 0x7fff_0000_0000);
        let at = |buffer| chunks.address(buffer);
        assert_eq!((at(0), at(1)), (0x1000_0000, 0x1000_0800));
        assert_eq!(at(1023), 0x1000_0000 + 1023 * 2048);
        assert_eq!((at(1024), at(1025)), (0x7fff_0000_0000, 0x7fff_0000_0800));
    }
}
