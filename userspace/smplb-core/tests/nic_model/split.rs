// SPDX-License-Identifier: MIT OR Apache-2.0

//! The device's side of split virtqueues, written from the specification (VIRTIO 1.2, 2.7).

use smplb_core::nic::dma::Dma;
use smplb_core::nic::queue::Fault;
use smplb_core::nic::virtio::Areas;

use super::memory::Memory;
use super::virtio::forged;
use super::{Device, Held, Lie};

fn passed(event: u16, new: u16, old: u16) -> bool {
    new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
}

/// A split virtqueue.
pub struct SplitDevice {
    memory: Memory,
    areas: Areas,
    size: u16,
    event_idx: bool,
    held: Vec<Held>,
    avail: u16,
    used: u16,
    signalled: u16,
    awake: bool,
    last: Option<u16>,
}

impl SplitDevice {
    pub fn new(memory: Memory, areas: Areas, size: u16, event_idx: bool) -> Self {
        Self {
            memory,
            areas,
            size,
            event_idx,
            held: Vec::new(),
            avail: 0,
            used: 0,
            signalled: 0,
            awake: false,
            last: None,
        }
    }

    fn avail16(&self, i: usize) -> u16 {
        self.memory.load16(self.areas.driver / 2 + i)
    }

    fn write(&mut self, number: u32, written: u32) {
        let at = self.areas.device / 4 + 1 + usize::from(self.used % self.size) * 2;
        self.memory.store32(at, number);
        self.memory.store32(at + 1, written);
        self.used = self.used.wrapping_add(1);
        self.memory.store16(self.areas.device / 2 + 1, self.used);
    }
}

impl Device for SplitDevice {
    const HEADER: u32 = 12;
    const EVENTS: bool = true;

    fn poll(&mut self) -> usize {
        let idx = self.avail16(1);
        let count = idx.wrapping_sub(self.avail);
        assert!(count <= self.size);
        while self.avail != idx {
            let number = self.avail16(2 + usize::from(self.avail % self.size));
            assert!(number < self.size);
            let at = usize::from(number) * 2;
            let word = self.memory.load64(at + 1);
            let flags = (word >> 32) as u16;
            assert_eq!(flags & !2, 0);
            assert!(self.held.iter().all(|held| held.number != number));
            self.held.push(Held {
                number,
                address: self.memory.load64(at),
                len: word as u32,
                write: flags == 2,
            });
            self.avail = self.avail.wrapping_add(1);
        }
        if self.awake {
            self.wake();
        }
        usize::from(count)
    }

    fn held(&self) -> &[Held] {
        &self.held
    }

    fn finish(&mut self, i: usize, written: u32) -> Held {
        let held = self.held.remove(i);
        self.last = Some(held.number);
        self.write(u32::from(held.number), written);
        held
    }

    fn lie(&mut self, lie: Lie) -> Option<Fault> {
        if lie == Lie::TooMany {
            self.used = self.used.wrapping_add(self.held.len() as u16 + 1);
            self.memory.store16(self.areas.device / 2 + 1, self.used);
            return Some(Fault::TooMany);
        }
        let (number, written, fault) = forged(lie, &mut self.held, self.last, self.size)?;
        self.write(number, written);
        Some(fault)
    }

    fn doorbell(&mut self, value: u16) {
        assert_eq!(value, self.avail16(1));
    }

    fn interrupt(&mut self) -> bool {
        let (old, new) = (self.signalled, self.used);
        self.signalled = new;
        if self.event_idx {
            passed(self.avail16(2 + usize::from(self.size)), new, old)
        } else {
            old != new && self.avail16(0) & 1 == 0
        }
    }

    fn sleep(&mut self) -> bool {
        self.awake = false;
        let at = self.areas.device / 2;
        if self.event_idx {
            let event = at + 2 + 4 * usize::from(self.size);
            self.memory.store16(event, self.avail);
        } else {
            self.memory.store16(at, 0);
        }
        self.avail16(1) == self.avail
    }

    fn wake(&mut self) {
        self.awake = true;
        let at = self.areas.device / 2;
        if self.event_idx {
            let event = at + 2 + 4 * usize::from(self.size);
            self.memory.store16(event, self.avail.wrapping_sub(1));
        } else {
            self.memory.store16(at, 1);
        }
    }
}
