// SPDX-License-Identifier: MIT OR Apache-2.0

//! The rings of a NIC in memory that is mapped: the engines of the core that drive them in the
//! kernel, too.

use std::sync::atomic::{fence, Ordering};
use std::sync::Arc;

use smplb_core::channel::shared::Shared;
use smplb_core::nic::dma::Dma;
use smplb_core::nic::queue::{BufferId, Fault, Queue, Received, RxQueue, Transmit, TxQueue};
use smplb_core::nic::shadow::Slot;
use smplb_core::nic::virtio::net_header;
use smplb_core::nic::virtio::packed::Packed;
use smplb_core::nic::virtio::split::Split;
use smplb_core::nic::virtio::{Ring, Rx, Tx};

use crate::frame::{HEADROOM, SIZE};
use crate::memory::{Memory, Words};

/// Octets of the header that a NIC has in front of a frame,
pub(crate) const HEADER: usize = net_header::LEN;
/// and that it may write: it begins with the header, in the headroom.
const CAPACITY: u16 = (SIZE - HEADROOM as usize + HEADER) as u16;

/// Memory that a NIC reads and writes, coherent as it is for the kernel.
struct Mapped(Words);

impl Dma for Mapped {
    fn load16(&self, i: usize) -> u16 {
        u16::from_le(self.0 .0.word16(i).load(Ordering::Relaxed))
    }

    fn load32(&self, i: usize) -> u32 {
        u32::from_le(self.0.load32(i))
    }

    fn load64(&self, i: usize) -> u64 {
        u64::from_le(self.0.load64(i))
    }

    fn store16(&self, i: usize, value: u16) {
        self.0 .0.word16(i).store(value.to_le(), Ordering::Relaxed);
    }

    fn store32(&self, i: usize, value: u32) {
        self.0.store32(i, value.to_le());
    }

    fn store64(&self, i: usize, value: u64) {
        self.0.store64(i, value.to_le());
    }

    fn rmb(&self) {
        fence(Ordering::Acquire);
    }

    fn wmb(&self) {
        fence(Ordering::Release);
    }

    fn mb(&self) {
        fence(Ordering::SeqCst);
    }
}

/// The two rings of a pair, whatever their format is: asked once for a burst.
pub(crate) trait Rings {
    /// Takes up to `most` frames.
    fn receive(&mut self, most: usize, sink: &mut dyn FnMut(Received)) -> Result<usize, Fault>;

    /// Gives buffers to receive into; whether the doorbell is to be rung.
    fn refill(&mut self, next: &mut dyn FnMut() -> Option<(BufferId, u64)>) -> bool;

    /// Gives frames to send, and tells how many; whether the doorbell is to be rung.
    fn send(&mut self, next: &mut dyn FnMut() -> Option<Transmit>) -> (usize, bool);

    /// Takes back the buffers of frames that were sent.
    fn reclaim(&mut self, sink: &mut dyn FnMut(BufferId)) -> Result<usize, Fault>;

    /// For how many buffers there is room to receive into,
    fn rx_room(&self) -> usize;

    /// and for how many frames to send.
    fn tx_room(&self) -> usize;
}

struct Both<R> {
    rx: Rx<R, CAPACITY>,
    tx: Tx<R>,
}

impl<R: Ring> Rings for Both<R> {
    fn receive(&mut self, most: usize, sink: &mut dyn FnMut(Received)) -> Result<usize, Fault> {
        self.rx.receive_each(most, sink)
    }

    fn refill(&mut self, next: &mut dyn FnMut() -> Option<(BufferId, u64)>) -> bool {
        let room = self.rx_room();
        self.rx.refill(std::iter::from_fn(next).take(room));
        self.rx.kick().is_some()
    }

    fn send(&mut self, next: &mut dyn FnMut() -> Option<Transmit>) -> (usize, bool) {
        let room = self.tx_room();
        let given = self.tx.send(std::iter::from_fn(next).take(room));
        (given.count, self.tx.kick().is_some())
    }

    fn reclaim(&mut self, sink: &mut dyn FnMut(BufferId)) -> Result<usize, Fault> {
        self.tx.reclaim(usize::MAX, sink)
    }

    fn rx_room(&self) -> usize {
        self.rx.room() as usize
    }

    fn tx_room(&self) -> usize {
        self.tx.room() as usize
    }
}

/// The memory of a ring, and how many descriptors it has.
pub(crate) struct Place {
    pub(crate) memory: Arc<Memory>,
    pub(crate) size: u16,
    /// Where the driver's and the device's parts are.
    pub(crate) parts: (u32, u32),
}

macro_rules! rings {
    ($format:ident, $places:expr, $event_idx:expr) => {{
        let [rx, tx] = $places.map(|place: Place| {
            let areas = $format::<Mapped, Vec<Slot>>::areas(place.size);
            if (areas.driver, areas.device) != (place.parts.0 as usize, place.parts.1 as usize) {
                return None;
            }
            let slots = vec![Slot::default(); place.size.into()];
            $format::new(Mapped(Words(place.memory)), slots, $event_idx)
        });
        let both = Both {
            rx: Rx::new(rx?),
            tx: Tx::new(tx?),
        };
        Some(Box::new(both))
    }};
}

/// The rings in memory that is 0; `None` if their parts are somewhere else.
pub(crate) fn rings(places: [Place; 2], packed: bool, event_idx: bool) -> Option<Box<dyn Rings>> {
    match packed {
        true => rings!(Packed, places, event_idx),
        false => rings!(Split, places, event_idx),
    }
}
