// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The control virtqueue of a network device (VIRTIO 1.2, 5.1.6.5): one command at a time, in memory
//! of its own behind the ring.

use super::super::dma::Dma;
use super::packed::Packed;
use super::split::Split;
use super::{Access, Areas};

pub mod command;

/// Octets of the longest command.
pub const COMMAND: usize = 504;
/// Octets for a command and its acknowledgement.
const ROOM: usize = COMMAND + 8;
/// `VIRTQ_DESC_F_NEXT`.
const NEXT: u64 = 1;
/// No acknowledgement yet; the device writes 0 (`VIRTIO_NET_OK`) or 1.
const NO_ACK: u64 = 0xff;

/// The format of the device's virtqueues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Split.
    Split,
    /// Packed: `VIRTIO_F_RING_PACKED` was negotiated.
    Packed,
}

/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The device refused it.
    Refused,
    /// The device returned something else than the command.
    Broken,
}

/// A control virtqueue.
///
/// # Invariants
///
/// While `waiting`, the device has the ring, the command and the place of the acknowledgement: the
/// driver reads that place and the used index, and writes nothing. Else the driver has all of it.
#[derive(Debug)]
pub struct Control<D> {
    memory: D,
    format: Format,
    areas: Areas,
    size: u16,
    /// Whether `VIRTIO_F_EVENT_IDX` was negotiated.
    event_idx: bool,
    /// Address of the memory, as the device sees it.
    address: u64,
    /// Commands so far.
    commands: u16,
    waiting: bool,
}

impl<D: Dma> Control<D> {
    /// Where the parts of the queue are; `len` includes room for a command.
    pub const fn areas(format: Format, size: u16) -> Areas {
        let areas = match format {
            Format::Split => Split::<&D, &mut [super::super::shadow::Slot]>::areas(size),
            Format::Packed => Packed::<&D, &mut [super::super::shadow::Slot]>::areas(size),
        };
        Areas {
            len: areas.len.wrapping_add(ROOM),
            ..areas
        }
    }

    /// A queue of `size` descriptors, a power of two from 2 on, in zeroed memory whose address is
    /// `address` to the device. No interrupt is asked for.
    pub fn new(
        memory: D,
        address: u64,
        (format, event_idx): (Format, bool),
        size: u16,
    ) -> Option<Self> {
        let areas = Self::areas(format, size);
        match format {
            Format::Split if event_idx => {}
            Format::Split => memory.store16(areas.driver >> 1, 1),
            Format::Packed => memory.store16((areas.driver >> 1) | 1, 1),
        }
        (size.is_power_of_two() && (2..=1 << 15).contains(&size)).then_some(Self {
            memory,
            format,
            areas,
            size,
            event_idx,
            address,
            commands: 0,
            waiting: false,
        })
    }

    /// Octets from the start of the memory to the command; the acknowledgement is behind it.
    fn command_at(&self) -> usize {
        self.areas.len.wrapping_sub(ROOM)
    }

    fn ack_at(&self) -> usize {
        self.command_at().wrapping_add(COMMAND)
    }

    /// Shows a command to the device; the doorbell must be rung then. `false` if the last one was not
    /// answered yet, or this one is too long.
    pub fn submit(&mut self, command: &[u8]) -> bool {
        if self.waiting || command.len() > COMMAND {
            return false;
        }
        for (octets, at) in command.chunks(8).zip(self.command_at() >> 3..) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(octets) {
                *to = *from;
            }
            self.memory.store64(at, u64::from_le_bytes(word));
        }
        self.memory.store64(self.ack_at() >> 3, NO_ACK);
        let sent = (self.address_of(self.command_at()), command.len() as u64);
        let answer = (self.address_of(self.ack_at()), 1);
        match self.format {
            Format::Split => self.submit_split(sent, answer),
            Format::Packed => self.submit_packed(sent, answer),
        }
        self.commands = self.commands.wrapping_add(1);
        self.waiting = true;
        true
    }

    fn address_of(&self, at: usize) -> u64 {
        self.address.wrapping_add(at as u64)
    }

    /// Always descriptors 0 and 1.
    fn submit_split(&self, sent: (u64, u64), answer: (u64, u64)) {
        let write = u64::from(Access::Write.flags());
        self.memory
            .store_pair(0, sent.0, sent.1 | NEXT << 32 | 1 << 48);
        self.memory.store_pair(1, answer.0, answer.1 | write << 32);
        let position = self.commands & self.size.wrapping_sub(1);
        let ring = self.areas.driver >> 1;
        self.memory
            .store16(ring.wrapping_add(usize::from(position)).wrapping_add(2), 0);
        if self.event_idx {
            // As far away as can be (2.7.7.1 has the flags be 0 then).
            let used_event = ring.wrapping_add(usize::from(self.size)).wrapping_add(2);
            self.memory
                .store16(used_event, self.commands.wrapping_sub(1));
        }
        self.memory.wmb();
        self.memory
            .store16(ring.wrapping_add(1), self.commands.wrapping_add(1));
    }

    /// Index of the first descriptor of the command with this number.
    fn index(&self, command: u16) -> u32 {
        u32::from(command).wrapping_mul(2)
    }

    /// Which descriptor an index means, and whether its round is one with wrap counter 1.
    fn position(&self, index: u32) -> (usize, bool) {
        let size = u32::from(self.size);
        ((index & size.wrapping_sub(1)) as usize, index & size == 0)
    }

    /// The next two descriptors, both with number 0.
    fn submit_packed(&self, sent: (u64, u64), answer: (u64, u64)) {
        let write = u64::from(Access::Write.flags());
        let mark = |wrap: bool| if wrap { 1u64 << 55 } else { 1 << 63 };
        let index = self.index(self.commands);
        let (first, first_wrap) = self.position(index);
        let (second, second_wrap) = self.position(index.wrapping_add(1));
        let word = answer.1 | write << 48 | mark(second_wrap);
        self.memory.store_pair(second, answer.0, word);
        let first = first.wrapping_mul(2);
        self.memory.store64(first, sent.0);
        self.memory.wmb();
        let word = sent.1 | NEXT << 48 | mark(first_wrap);
        self.memory.store64(first.wrapping_add(1), word);
    }

    /// What became of the command; `None` while the device has not answered.
    pub fn poll(&mut self) -> Option<Result<(), Failure>> {
        let last = self.commands.wrapping_sub(1);
        let number = match self.format {
            _ if !self.waiting => return None,
            Format::Split => {
                let used = self.memory.load16((self.areas.device >> 1).wrapping_add(1));
                if used == last {
                    return None;
                }
                self.memory.rmb();
                let position = usize::from(last & self.size.wrapping_sub(1));
                let element = (self.areas.device >> 2).wrapping_add(position.wrapping_mul(2));
                let number = self.memory.load32(element.wrapping_add(1));
                // An index too far is as wrong as a wrong number.
                number | u32::from(used.wrapping_sub(self.commands))
            }
            Format::Packed => {
                let (position, wrap) = self.position(self.index(last));
                let word = self.memory.load64(position.wrapping_mul(2) | 1);
                let marks = if wrap { 1 << 63 | 1 << 55 } else { 0 };
                if word & (1 << 63 | 1 << 55) != marks {
                    return None;
                }
                u32::from((word >> 32) as u16)
            }
        };
        self.memory.rmb();
        self.waiting = false;
        let ack = self.memory.load64(self.ack_at() >> 3) & 0xff;
        Some(match (number, ack) {
            (0, 0) => Ok(()),
            (0, 1) => Err(Failure::Refused),
            _ => Err(Failure::Broken),
        })
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_control))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::Memory;
    use super::command::{rx_promisc, vq_pairs_set};
    use super::*;

    type Queue<'a> = Control<&'a Memory<384>>;

    const BASE: u64 = 1 << 32;

    #[test]
    fn commands_over_a_split_queue() {
        over_a_split_queue(false);
        over_a_split_queue(true);
    }

    fn over_a_split_queue(event_idx: bool) {
        let memory = Memory::default();
        let queue = Queue::new(&memory, BASE, (Format::Split, event_idx), 4);
        assert!(queue.is_some());
        let Some(mut queue) = queue else { return };
        // Ring: 64 octets of descriptors, available ring at 64, used ring at 188; command at 256.
        for round in 0..9u16 {
            assert!(queue.submit(&vq_pairs_set(2)));
            assert!(!queue.submit(&vq_pairs_set(3)));
            assert_eq!(memory.load64(0), BASE.wrapping_add(256));
            assert_eq!(memory.load64(1), 4 | 1 << 32 | 1 << 48);
            assert_eq!(memory.load64(2), BASE.wrapping_add(760));
            assert_eq!(memory.load64(3), 1 | 2 << 32);
            assert_eq!(memory.load64(32), 0x0002_0004);
            assert_eq!(memory.load16(33), round.wrapping_add(1));
            // No interrupt, by flag or by an event that is far away.
            let (flags, used_event) = (memory.load16(32), memory.load16(38));
            match event_idx {
                false => assert_eq!(flags, 1),
                true => assert_eq!((flags, used_event), (0, round.wrapping_sub(1))),
            }
            assert_eq!(queue.poll(), None);
            let ack = u64::from(round & 1);
            memory.store64(95, ack);
            memory.store16(95, round.wrapping_add(1));
            let expected = if ack == 0 {
                Ok(())
            } else {
                Err(Failure::Refused)
            };
            assert_eq!(queue.poll(), Some(expected));
            assert_eq!(queue.poll(), None);
        }
        assert!(queue.submit(&rx_promisc(true)));
        memory.store64(95, 0);
        memory.store16(95, 11);
        assert_eq!(queue.poll(), Some(Err(Failure::Broken)));
        assert!(!queue.submit(&[0; COMMAND + 1]));
    }

    #[test]
    fn commands_over_a_packed_queue() {
        let memory = Memory::default();
        let queue = Queue::new(&memory, BASE, (Format::Packed, false), 4);
        assert!(queue.is_some());
        let Some(mut queue) = queue else { return };
        for round in 0..9usize {
            assert!(queue.submit(&vq_pairs_set(2)));
            // Two descriptors of four each: a wrap every second time.
            let (at, wrap) = ((round & 1).wrapping_mul(16), round & 2 == 0);
            let mark = if wrap { 1 << 7 } else { 1 << 15 };
            assert_eq!(memory.load16(at | 7), mark | 1);
            assert_eq!(memory.load16(at | 15), mark | 2);
            assert_eq!(queue.poll(), None);
            memory.store64(87, 0);
            memory.store16(at | 7, if wrap { 1 << 15 | 1 << 7 } else { 0 });
            assert_eq!(queue.poll(), Some(Ok(())));
        }
        assert!(queue.submit(&rx_promisc(true)));
        memory.store64(10, 1);
        memory.store16(22, 3);
        memory.store16(23, 1 << 15 | 1 << 7);
        assert_eq!(queue.poll(), Some(Err(Failure::Broken)));
    }
}
