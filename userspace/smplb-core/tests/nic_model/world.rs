// SPDX-License-Identifier: MIT OR Apache-2.0

//! A pool, an engine with a receive and a transmit queue, and the devices behind them; after every
//! step the account is checked.

use std::collections::{HashMap, HashSet};

use smplb_core::frame::PortId;
use smplb_core::nic::magazine::Magazine;
use smplb_core::nic::pool::{Owner, Pool, Record, Shared, Tag};
use smplb_core::nic::queue::{
    BufferId, Condition, Fault, Given, Received, RxQueue, Transmit, TxQueue,
};
use smplb_core::StdAtom;

use super::step::Step;
use super::Device;

/// Octets of a buffer.
pub const BUFFER: u32 = 2048;
const RX: Owner = Owner::Rx(PortId(0));
const TX: Owner = Owner::Tx(PortId(1));
const CPU: u16 = 3;

/// The account of a pool, with its memory.
pub struct Account {
    records: Vec<Record<StdAtom>>,
    shared: Shared<StdAtom>,
}

impl Account {
    pub fn new(buffers: usize) -> Self {
        Self {
            records: (0..buffers).map(|_| Record::new(0)).collect(),
            shared: Shared::default(),
        }
    }

    pub fn pool(&self) -> Pool<'_, StdAtom> {
        Pool::new(&self.records, &self.shared)
    }
}

pub fn address(buffer: BufferId) -> u64 {
    (1 << 32) + u64::from(buffer.0) * u64::from(BUFFER)
}

pub fn buffer_at(address: u64) -> BufferId {
    BufferId(((address - (1 << 32)) / u64::from(BUFFER)) as u32)
}

/// Both ends of a receive and a transmit ring.
pub struct Ends<R, T, D, E> {
    pub rx: R,
    pub tx: T,
    pub rx_device: D,
    pub tx_device: E,
}

/// A pool, an engine, and two devices.
pub struct World<'a, R, T, D, E> {
    pub ends: Ends<R, T, D, E>,
    pool: Pool<'a, StdAtom>,
    magazine: Magazine,
    /// Frames received and not yet sent.
    hand: Vec<BufferId>,
    received: HashMap<BufferId, u32>,
    sent: HashMap<BufferId, u32>,
    asleep: (bool, bool),
    armed: (bool, bool),
}

impl<'a, R: RxQueue, T: TxQueue, D: Device, E: Device> World<'a, R, T, D, E> {
    pub fn new(account: &'a Account, ends: Ends<R, T, D, E>) -> Self {
        Self {
            ends,
            pool: account.pool(),
            magazine: Magazine::new(CPU),
            hand: Vec::new(),
            received: HashMap::new(),
            sent: HashMap::new(),
            asleep: (true, true),
            armed: (false, false),
        }
    }

    fn refill(&mut self, most: usize) {
        let most = most.min(self.ends.rx.room() as usize);
        let buffers = self.magazine.run(&self.pool, Tag::new(RX).unwrap(), most);
        let given = self
            .ends
            .rx
            .refill(buffers.map(|(buffer, _)| (buffer, address(buffer))));
        let kick = self.ends.rx.kick();
        assert!(given > 0 || kick.is_none());
        if D::EVENTS {
            assert_eq!(kick.is_some(), self.asleep.0 && given > 0);
        } else {
            assert_eq!(kick.is_some(), given > 0);
        }
        if let Some(value) = kick {
            self.ends.rx_device.doorbell(value);
            self.ends.rx_device.wake();
            self.asleep.0 = false;
        }
    }

    fn device_receives(&mut self, count: usize, which: usize, len: u32) {
        self.ends.rx_device.poll();
        let mut finished = false;
        for i in 0..count.min(self.ends.rx_device.held().len()) {
            let i = which.wrapping_mul(i + 1) % self.ends.rx_device.held().len();
            let held = self.ends.rx_device.finish(i, len + D::HEADER);
            assert!(held.write && held.len >= len + D::HEADER);
            self.received.insert(buffer_at(held.address), len);
            finished = true;
        }
        let interrupt = self.ends.rx_device.interrupt();
        if D::EVENTS {
            assert_eq!(interrupt, self.armed.0 && finished);
        }
        if interrupt {
            self.armed.0 = false;
            self.ends.rx.disarm();
        }
    }

    fn receive(&mut self, most: usize) -> Result<usize, Fault> {
        let mut out = [Received::default(); 64];
        let most = most.min(64);
        let count = self.ends.rx.receive(&mut out[..most])?;
        for frame in &out[..count] {
            let len = self.received.remove(&frame.buffer);
            assert_eq!(len, Some(u32::from(frame.len)));
            assert_eq!(u32::from(R::OFFSET), D::HEADER);
            assert_eq!(frame.condition, Condition::Unchecked);
            let owner = self.magazine.owner();
            self.pool.hand(frame.buffer, RX, owner).unwrap();
            self.hand.push(frame.buffer);
        }
        Ok(count)
    }

    fn send(&mut self, most: usize) {
        let room = self.ends.tx.room() as usize;
        let frames: Vec<_> = (self.hand.iter().take(most.min(room)))
            .map(|buffer| Transmit {
                buffer: *buffer,
                len: 60 + buffer.0 % 1000,
                address: address(*buffer) + 52,
            })
            .collect();
        let given = self.ends.tx.send(frames.iter().copied());
        let (taken, octets) = (given.count, frames.iter().map(|frame| u64::from(frame.len)));
        assert_eq!((taken, given.octets), (frames.len(), octets.sum()));
        for frame in &frames[..taken] {
            let owner = self.magazine.owner();
            self.pool.hand(frame.buffer, owner, TX).unwrap();
            self.sent.insert(frame.buffer, frame.len);
        }
        self.hand.drain(..taken);
        let kick = self.ends.tx.kick();
        assert!(taken > 0 || kick.is_none());
        if E::EVENTS {
            assert_eq!(kick.is_some(), self.asleep.1 && taken > 0);
        } else {
            assert_eq!(kick.is_some(), taken > 0);
        }
        if let Some(value) = kick {
            self.ends.tx_device.doorbell(value);
            self.ends.tx_device.wake();
            self.asleep.1 = false;
        }
    }

    fn device_sends(&mut self, count: usize, which: usize) {
        self.ends.tx_device.poll();
        let mut finished = false;
        for i in 0..count.min(self.ends.tx_device.held().len()) {
            let i = which.wrapping_mul(i + 1) % self.ends.tx_device.held().len();
            let held = self.ends.tx_device.finish(i, 0);
            let buffer = buffer_at(held.address);
            assert!(!held.write);
            assert_eq!(self.sent.remove(&buffer), Some(held.len));
            assert_eq!(held.address, address(buffer) + 52);
            finished = true;
        }
        let interrupt = self.ends.tx_device.interrupt();
        if E::EVENTS {
            assert_eq!(interrupt, self.armed.1 && finished);
        }
        if interrupt {
            self.armed.1 = false;
            self.ends.tx.disarm();
        }
    }

    fn reclaim(&mut self, most: usize) -> Result<usize, Fault> {
        let (magazine, pool, sent) = (&mut self.magazine, &self.pool, &self.sent);
        self.ends.tx.reclaim(most, |buffer| {
            assert!(!sent.contains_key(&buffer));
            magazine.give_from(pool, buffer, TX).unwrap();
        })
    }

    /// Whether a queue may sleep is answered according to what the device has finished.
    fn arm_rx(&mut self) {
        self.armed.0 = self.ends.rx.arm();
        assert_eq!(self.armed.0, self.received.is_empty());
    }

    fn arm_tx(&mut self) {
        self.armed.1 = self.ends.tx.arm();
        let finished = self.ends.tx.outstanding() as usize - self.sent.len();
        // Intel's NICs report only the last frame of a group.
        assert!(self.armed.1 == (finished == 0) || (self.armed.1 && !E::EVENTS));
    }

    pub fn run(&mut self, step: Step) -> Result<(), Fault> {
        match step {
            Step::Refill(most) => self.refill(most),
            Step::DeviceReceives { count, which, len } => self.device_receives(count, which, len),
            Step::Receive(most) => {
                let ready = self.received.len();
                assert_eq!(self.receive(most)?, ready.min(most).min(64));
            }
            Step::Send(most) => self.send(most),
            Step::DeviceSends { count, which } => self.device_sends(count, which),
            Step::Reclaim(most) => {
                let held = self.ends.tx.outstanding() as usize;
                let count = self.reclaim(most)?;
                // When all is sent, all is reported.
                if E::EVENTS || self.sent.is_empty() {
                    assert_eq!(count, (held - self.sent.len()).min(most));
                }
            }
            Step::ArmRx => self.arm_rx(),
            Step::ArmTx => self.arm_tx(),
            Step::RxSleeps => {
                self.ends.rx_device.poll();
                assert!(self.ends.rx_device.sleep());
                self.asleep.0 = true;
            }
            Step::TxSleeps => {
                self.ends.tx_device.poll();
                assert!(self.ends.tx_device.sleep());
                self.asleep.1 = true;
            }
            Step::Wake => {
                self.ends.rx_device.wake();
                self.ends.tx_device.wake();
                self.asleep = (false, false);
            }
        }
        self.check();
        Ok(())
    }

    fn count(&self, owner: Owner) -> usize {
        self.pool.owners().filter(|found| *found == owner).count()
    }

    /// The account is that of the queues, and no buffer is in two places.
    pub fn check(&mut self) {
        let engine = self.hand.len() + self.magazine.len();
        assert_eq!(self.count(RX), self.ends.rx.outstanding() as usize);
        assert_eq!(self.count(TX), self.ends.tx.outstanding() as usize);
        assert_eq!(self.count(Owner::Engine(CPU)), engine);
        assert_eq!(self.pool.owners().count(), self.pool.len());
        assert_eq!(self.pool.misuses(), 0);
        self.ends.rx_device.poll();
        self.ends.tx_device.poll();
        let held = self.ends.rx_device.held().iter();
        let held = held.chain(self.ends.tx_device.held());
        let buffers = held.map(|held| buffer_at(held.address));
        let mut seen = HashSet::new();
        for buffer in buffers.chain(self.hand.iter().copied()) {
            assert!(seen.insert(buffer), "{buffer:?} is in two places");
        }
    }

    /// Takes what honest work is left, then meets the lie.
    pub fn meet(&mut self, receive: bool, fault: Fault) {
        let found = loop {
            let result = if receive {
                self.receive(16)
            } else {
                self.reclaim(16)
            };
            match result {
                Ok(count) => assert!(count > 0, "the lie was not noticed"),
                Err(fault) => break fault,
            }
        };
        assert_eq!(found, fault);
    }

    /// Stops both queues; all buffers must be in the pool again.
    pub fn end(mut self) {
        let (magazine, pool) = (&mut self.magazine, &self.pool);
        self.ends
            .rx
            .stop(|buffer| magazine.give_from(pool, buffer, RX).unwrap());
        self.ends
            .tx
            .stop(|buffer| magazine.give_from(pool, buffer, TX).unwrap());
        for buffer in self.hand.drain(..) {
            magazine.give(pool, buffer);
        }
        magazine.release(pool);
        assert_eq!(self.ends.rx.receive(&mut []), Err(Fault::Stopped));
        let given = self.ends.tx.send(std::iter::once(Transmit::default()));
        assert_eq!(given, Given::default());
        assert_eq!(self.count(Owner::Free), self.pool.len());
        assert_eq!(self.pool.misuses(), 0);
    }
}
