// SPDX-License-Identifier: MIT OR Apache-2.0

//! An engine that receives bursts on one ring and sends them on another, for benches.

#![allow(dead_code)]

use smplb_core::frame::PortId;
use smplb_core::nic::intel::{self, Igb, DESCRIPTOR};
use smplb_core::nic::magazine::Magazine;
use smplb_core::nic::pool::{Owner, Pool, Tag};
use smplb_core::nic::queue::{Received, RxQueue, Transmit, TxQueue};
use smplb_core::nic::shadow::Slot;
use smplb_core::nic::virtio::packed::Packed;
use smplb_core::nic::virtio::split::Split;
use smplb_core::nic::virtio::{Rx, Tx};
use smplb_core::StdAtom;

use crate::nic_model::intel::{IntelDevice, Transmit as Format};
use crate::nic_model::memory::Memory;
use crate::nic_model::packed::PackedDevice;
use crate::nic_model::split::SplitDevice;
use crate::nic_model::world::{address, Account, Ends, BUFFER};
use crate::nic_model::Device;

/// Frames of a burst.
pub const BURST: usize = 32;
/// Descriptors of a ring.
const SIZE: u16 = 256;
const BUFFERS: usize = 1024;

const RX: Owner = Owner::Rx(PortId(0));
const TX: Owner = Owner::Tx(PortId(1));

#[inline(always)]
fn tag(owner: Owner) -> Tag {
    Tag::new(owner).expect("not free")
}

/// What one engine needs for a burst.
pub struct Work<'a, R, T> {
    pub rx: R,
    pub tx: T,
    pool: Pool<'a, StdAtom>,
    magazine: Magazine,
    received: [Received; 64],
    frames: [Transmit; 64],
    /// What to write to the doorbells of both rings.
    doorbells: (Option<u16>, Option<u16>),
}

impl<R: RxQueue, T: TxQueue> Work<'_, R, T> {
    /// Receives a burst, sends it, reclaims the last one and refills. With the account, each buffer
    /// changes hands from ring to ring, to the engine, and to the ring again.
    #[inline(always)]
    pub fn burst<const ACCOUNT: bool>(&mut self) -> usize {
        let room = &mut self.received[..BURST];
        let count = self.rx.receive(room).unwrap_or(0);
        for (frame, received) in self.frames.iter_mut().zip(&self.received[..count]) {
            *frame = Transmit {
                buffer: received.buffer,
                len: u32::from(received.len) + u32::from(R::OFFSET),
                address: address(received.buffer),
            };
            if ACCOUNT {
                let _ = self.pool.hand(received.buffer, RX, TX);
            }
        }
        let sent = self.tx.send(self.frames[..count].iter().copied()).count;
        self.doorbells.1 = self.tx.kick();
        let (magazine, pool) = (&mut self.magazine, &self.pool);
        let _ = if ACCOUNT {
            let mut home = magazine.home(pool, tag(TX));
            self.tx.reclaim(home.room(), |buffer| home.give(buffer))
        } else {
            self.tx
                .reclaim(2 * BURST, |buffer| magazine.give(pool, buffer))
        };
        if ACCOUNT {
            let run = magazine.run(pool, tag(RX), self.rx.room() as usize);
            self.rx
                .refill(run.map(|(buffer, _)| (buffer, address(buffer))));
        } else {
            let room = self.rx.room() as usize;
            let supply = std::iter::from_fn(|| magazine.take(pool)).take(room);
            self.rx
                .refill(supply.map(|buffer| (buffer, address(buffer))));
        }
        self.doorbells.0 = self.rx.kick();
        sent
    }
}

/// An engine between two devices.
pub struct Bench<'a, R, T, D, E> {
    pub work: Work<'a, R, T>,
    rx_device: D,
    tx_device: E,
}

impl<'a, R: RxQueue, T: TxQueue, D: Device, E: Device> Bench<'a, R, T, D, E> {
    /// All rings filled.
    pub fn new(account: &'a Account, ends: Ends<R, T, D, E>) -> Self {
        let (pool, magazine) = (account.pool(), Magazine::new(1));
        let work = Work {
            rx: ends.rx,
            tx: ends.tx,
            pool,
            magazine,
            received: [Received::default(); 64],
            frames: [Transmit::default(); 64],
            doorbells: (None, None),
        };
        let mut bench = Self {
            work,
            rx_device: ends.rx_device,
            tx_device: ends.tx_device,
        };
        bench.work.burst::<true>();
        bench
    }

    /// The devices receive a burst, and send what is there.
    pub fn devices(&mut self) {
        if let Some(value) = self.work.doorbells.0.take() {
            self.rx_device.doorbell(value);
        }
        if let Some(value) = self.work.doorbells.1.take() {
            self.tx_device.doorbell(value);
        }
        self.rx_device.poll();
        self.rx_device.wake();
        for _ in 0..BURST {
            self.rx_device.finish(0, 60 + D::HEADER);
        }
        self.tx_device.poll();
        self.tx_device.wake();
        while !self.tx_device.held().is_empty() {
            self.tx_device.finish(0, 0);
        }
    }
}

/// Memory of an account for [`Bench::new`].
pub fn account() -> Account {
    Account::new(BUFFERS)
}

fn slots() -> Vec<Slot> {
    vec![Slot::default(); usize::from(SIZE)]
}

macro_rules! virtio {
    ($name:ident, $ring:ident, $device:ident) => {
        /// A receive and a transmit ring of this format.
        pub fn $name(
            event_idx: bool,
        ) -> Ends<
            Rx<$ring<Memory, Vec<Slot>>, { BUFFER as u16 }>,
            Tx<$ring<Memory, Vec<Slot>>>,
            $device,
            $device,
        > {
            let areas = $ring::<Memory, Vec<Slot>>::areas(SIZE);
            let [rx, tx] = [(); 2].map(|()| Memory::new(areas.len));
            let ring = |memory| $ring::new(memory, slots(), event_idx).expect("a small ring");
            Ends {
                rx: Rx::new(ring(rx.clone())),
                tx: Tx::new(ring(tx.clone())),
                rx_device: $device::new(rx, areas, SIZE, event_idx),
                tx_device: $device::new(tx, areas, SIZE, event_idx),
            }
        }
    };
}

virtio!(split, Split, SplitDevice);
virtio!(packed, Packed, PackedDevice);

type IntelRx = intel::rx::Rx<Memory, Vec<Slot>, Igb>;
type IntelTx = intel::tx::Tx<Memory, Vec<Slot>, Igb>;

/// A receive and a transmit ring of advanced descriptors.
pub fn advanced() -> Ends<IntelRx, IntelTx, IntelDevice, IntelDevice> {
    let [rx, tx] = [(); 2].map(|()| Memory::new(usize::from(SIZE) * DESCRIPTOR));
    Ends {
        rx: IntelRx::new(rx.clone(), slots(), 1522).expect("a small ring"),
        tx: IntelTx::new(tx.clone(), slots()).expect("a small ring"),
        rx_device: IntelDevice::new(rx, SIZE, 1522, None),
        tx_device: IntelDevice::new(tx, SIZE, 0, Some(Format::Advanced)),
    }
}
