// SPDX-License-Identifier: MIT OR Apache-2.0

//! The device's side of packed virtqueues, written from the specification (VIRTIO 1.2, 2.8).

use smplb_core::nic::dma::Dma;
use smplb_core::nic::queue::Fault;
use smplb_core::nic::virtio::Areas;

use super::memory::Memory;
use super::virtio::forged;
use super::{Device, Held, Lie};

/// A packed virtqueue.
pub struct PackedDevice {
    memory: Memory,
    areas: Areas,
    size: u16,
    event_idx: bool,
    held: Vec<Held>,
    avail: (u16, bool),
    used: (u16, bool),
    signalled: (u16, bool),
    fresh: u16,
    last: Option<u16>,
}

impl PackedDevice {
    pub fn new(memory: Memory, areas: Areas, size: u16, event_idx: bool) -> Self {
        Self {
            memory,
            areas,
            size,
            event_idx,
            held: Vec::new(),
            avail: (0, true),
            used: (0, true),
            signalled: (0, true),
            fresh: 0,
            last: None,
        }
    }

    fn next(&self, (at, wrap): (u16, bool)) -> (u16, bool) {
        if at + 1 == self.size {
            (0, !wrap)
        } else {
            (at + 1, wrap)
        }
    }

    fn flags(&self, at: u16) -> u16 {
        self.memory.load16(usize::from(at) * 8 + 7)
    }

    fn is_available(&self) -> bool {
        let (at, wrap) = self.avail;
        let flags = self.flags(at);
        (flags & 1 << 7 != 0) == wrap && (flags & 1 << 15 != 0) != wrap
    }

    fn write(&mut self, number: u16, written: u32) {
        let (at, wrap) = self.used;
        let word = usize::from(at) * 8;
        self.memory.store32((word + 4) / 2, written);
        self.memory.store16(word + 6, number);
        let marks = if wrap { 1 << 7 | 1 << 15 } else { 0 };
        self.memory.store16(word + 7, marks | 2);
        self.used = self.next(self.used);
        self.fresh += 1;
    }
}

impl Device for PackedDevice {
    const HEADER: u32 = 12;
    const EVENTS: bool = true;

    fn poll(&mut self) -> usize {
        let before = self.held.len();
        while self.is_available() {
            let at = usize::from(self.avail.0);
            let word = self.memory.load64(at * 2 + 1);
            let number = (word >> 32) as u16;
            assert!(self.held.iter().all(|held| held.number != number));
            self.held.push(Held {
                number,
                address: self.memory.load64(at * 2),
                len: word as u32,
                write: (word >> 48) & 2 != 0,
            });
            self.avail = self.next(self.avail);
        }
        self.held.len() - before
    }

    fn held(&self) -> &[Held] {
        &self.held
    }

    fn finish(&mut self, i: usize, written: u32) -> Held {
        let held = self.held.remove(i);
        self.last = Some(held.number);
        self.write(held.number, written);
        held
    }

    fn lie(&mut self, lie: Lie) -> Option<Fault> {
        let (number, written, fault) = forged(lie, &mut self.held, self.last, self.size)?;
        self.write(number as u16, written);
        Some(fault)
    }

    fn doorbell(&mut self, value: u16) {
        self.poll();
        let (at, wrap) = self.avail;
        assert_eq!(value, at | u16::from(wrap) << 15);
    }

    fn interrupt(&mut self) -> bool {
        let event = self.memory.load32(self.areas.driver / 4);
        let (mut at, fresh) = (self.signalled, self.fresh);
        (self.signalled, self.fresh) = (self.used, 0);
        let wanted = (event as u16 & 0x7fff, event & 0x8000 != 0);
        match event >> 16 {
            0 => fresh != 0,
            2 if self.event_idx => (0..fresh).any(|_| {
                let found = at == wanted;
                at = self.next(at);
                found
            }),
            _ => false,
        }
    }

    fn sleep(&mut self) -> bool {
        let word = if self.event_idx {
            let (at, wrap) = self.avail;
            2 << 16 | u32::from(at) | u32::from(wrap) << 15
        } else {
            0
        };
        self.memory.store32(self.areas.device / 4, word);
        !self.is_available()
    }

    fn wake(&mut self) {
        self.memory.store32(self.areas.device / 4, 1 << 16);
    }
}
