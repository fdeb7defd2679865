// SPDX-License-Identifier: MIT OR Apache-2.0

//! The NIC's side of Intel's rings, written from the datasheets of 82574, 82576 and 82599.

use smplb_core::nic::dma::Dma;
use smplb_core::nic::queue::Fault;

use super::memory::Memory;
use super::world::BUFFER;
use super::{Device, Held, Lie};

/// Which transmit descriptors the NIC reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transmit {
    Legacy,
    Advanced,
}

/// One ring. The NIC has the descriptors from `head` to `tail`.
pub struct IntelDevice {
    memory: Memory,
    size: u16,
    capacity: u16,
    /// The format of a transmit ring.
    transmit: Option<Transmit>,
    held: Vec<Held>,
    read: u16,
    tail: u16,
}

impl IntelDevice {
    pub fn new(memory: Memory, size: u16, capacity: u16, transmit: Option<Transmit>) -> Self {
        Self {
            memory,
            size,
            capacity,
            transmit,
            held: Vec::new(),
            read: 0,
            tail: 0,
        }
    }

    /// Length in a transmit descriptor, if its command is one for a whole frame.
    fn sent(&self, format: Transmit, word: u64) -> u32 {
        let len = word as u32 & 0xffff;
        let command = word as u32 >> 24;
        // EOP and IFCS; and DEXT, or not.
        assert_eq!(command & 0x03, 0x03);
        match format {
            Transmit::Legacy => {
                assert_eq!((command & 0xf4, word >> 32), (0, 0));
            }
            Transmit::Advanced => {
                assert_eq!(
                    (command & 0xf4, word as u32 & 0x00ff_0000),
                    (0x20, 0x0030_0000)
                );
                assert_eq!((word >> 46) as u32, len);
            }
        }
        len
    }

    fn receive(&mut self, number: u16, len: u16) {
        let at = usize::from(number) * 2;
        self.memory.store64(at, 0xdead_beef_0000_1234);
        // DD and EOP.
        self.memory.store64(at + 1, 3 | u64::from(len) << 32);
    }
}

impl Device for IntelDevice {
    const HEADER: u32 = 0;
    const EVENTS: bool = false;

    fn poll(&mut self) -> usize {
        let before = self.held.len();
        while self.read != self.tail {
            let at = usize::from(self.read) * 2;
            let word = self.memory.load64(at + 1);
            let len = match self.transmit {
                Some(format) => self.sent(format, word),
                None => {
                    assert_eq!(word, 0);
                    BUFFER
                }
            };
            self.held.push(Held {
                number: self.read,
                address: self.memory.load64(at),
                len,
                write: self.transmit.is_none(),
            });
            self.read = (self.read + 1) % self.size;
        }
        assert!(self.held.len() < usize::from(self.size));
        self.held.len() - before
    }

    fn held(&self) -> &[Held] {
        &self.held
    }

    /// In order, whatever was asked for.
    fn finish(&mut self, _: usize, written: u32) -> Held {
        let held = self.held.remove(0);
        let at = usize::from(held.number) * 2 + 1;
        if self.transmit.is_none() {
            self.receive(held.number, written as u16);
        } else if self.memory.load64(at) & 1 << 27 != 0 {
            self.memory.store64(at, 1 << 32);
        }
        held
    }

    fn lie(&mut self, lie: Lie) -> Option<Fault> {
        match (lie, self.transmit) {
            (Lie::TooLong(more), None) => {
                let len = u32::from(self.capacity) + 1 + more % 1000;
                let held = self.held.remove(0);
                self.receive(held.number, len as u16);
                Some(Fault::TooLong)
            }
            _ => None,
        }
    }

    fn doorbell(&mut self, value: u16) {
        assert!(value < self.size);
        self.tail = value;
    }

    fn interrupt(&mut self) -> bool {
        false
    }

    fn sleep(&mut self) -> bool {
        true
    }

    fn wake(&mut self) {}
}
