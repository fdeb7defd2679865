// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is done for frames, burst by burst: no system call but to wake an engine that sleeps.

use std::sync::atomic::{fence, AtomicU32, Ordering};

use smplb_core::channel::bells::{Bells, WORDS};
use smplb_core::channel::entry::{Entry, REFUSED};
use smplb_core::channel::layout::Ring;
use smplb_core::channel::shared::Shared;
use smplb_core::channel::uapi;

use super::Channel;
use crate::frame::{Frame, BURST};

impl Channel {
    /// Appends the frames that have come to `frames`, 64 at most, and returns how many (figure 13,
    /// steps 340 to 348).
    pub fn rx_burst(&mut self, frames: &mut Vec<Frame>) -> usize {
        // A kernel that breaks its rings has closed the channel: nothing comes any more.
        let Ok(span) = self.receive.available(BURST) else {
            return 0;
        };
        let (list, elements) = (self.list.view(), self.elements(Ring::Receive));
        let pool = &self.pool;
        let count = span.len();
        frames.extend(span.positions().map(move |position| {
            let buffer = elements[position].load(Ordering::Relaxed);
            let entry = Entry::load(&list, buffer);
            // SAFETY: The kernel gives each buffer once, and says where the frame is.
            unsafe { Frame::new(pool, buffer, (entry.offset, entry.len), entry.port) }
        }));
        if count > 0 {
            self.receive.release(count);
            self.waiting = self.waiting.saturating_sub(count);
        }
        self.refill();
        count as usize
    }

    /// Sends frames from the front of `frames`, as many as there is room for, and takes them out;
    /// returns how many (figure 12, steps 320 to 324). One of another channel is sent as a copy.
    pub fn tx_burst(&mut self, frames: &mut Vec<Frame>) -> usize {
        self.complete();
        if let Some(first) = frames.first_mut().filter(|first| !first.is_of(&self.pool)) {
            match self.adopt(first) {
                Some(copy) => *first = copy,
                None => return 0,
            }
        }
        let most = frames.len().min(self.layout.size() as usize) as u32;
        let Ok(span) = self.transmit.reserve(most) else {
            return 0;
        };
        let (list, elements) = (self.list.view(), self.elements(Ring::Transmit));
        let mut count = 0;
        for (position, frame) in span.positions().zip(frames.iter()) {
            if !frame.is_of(&self.pool) {
                break;
            }
            let entry = frame.entry();
            entry.store(&list, entry.buffer);
            elements[position].store(entry.buffer, Ordering::Relaxed);
            count += 1;
        }
        frames.drain(..count).for_each(Frame::give_up);
        if count > 0 {
            self.transmit.publish(count as u32);
            self.ring();
        }
        count
    }

    /// The elements of a ring, as many as there are positions.
    fn elements(&self, ring: Ring) -> &[AtomicU32] {
        let at = self.layout.places(ring).elements;
        self.rings.view().words32(at, self.layout.size() as usize)
    }

    /// A copy of a frame of another channel.
    fn adopt(&mut self, frame: &Frame) -> Option<Frame> {
        if self.pool.free.borrow().is_empty() {
            self.complete();
        }
        frame.copy_to(&self.pool)
    }

    /// Takes back the buffers of frames that were sent.
    pub(super) fn complete(&mut self) {
        let Ok(span) = self.completion.available(self.layout.size()) else {
            return;
        };
        let (list, elements) = (self.list.view(), self.elements(Ring::Completion));
        let mut refused = 0;
        let mut free = self.pool.free.borrow_mut();
        free.extend(span.positions().map(|position| {
            let buffer = elements[position].load(Ordering::Relaxed);
            refused += u64::from(Entry::load_flags(&list, buffer) & REFUSED);
            buffer
        }));
        self.refused += refused;
        if !span.is_empty() {
            self.completion.release(span.len());
        }
    }

    /// Has as many buffers wait for frames as there are to be.
    pub(super) fn refill(&mut self) {
        let missing = self.wanted.saturating_sub(self.waiting);
        // Not for each one.
        if missing < BURST.min(self.wanted / 2 + 1) {
            return;
        }
        if (self.pool.free.borrow().len() as u32) < missing {
            self.complete();
        }
        let mut free = self.pool.free.borrow_mut();
        let Ok(span) = self.fill.reserve(missing.min(free.len() as u32)) else {
            return;
        };
        let elements = self.elements(Ring::Fill);
        let count = span.len();
        // Those that were used last: caches have them.
        let rest = free.len() - count as usize;
        for (position, buffer) in span.positions().zip(&free[rest..]) {
            elements[position].store(*buffer, Ordering::Relaxed);
        }
        free.truncate(rest);
        if count > 0 {
            self.fill.publish(count);
            self.waiting += count;
        }
    }

    /// Rings, and wakes the engine if it sleeps: the one system call there is.
    fn ring(&self) {
        if let Some(bells) = Bells::new(self.bells.atoms(WORDS)) {
            bells.ring(self.bell);
        }
        // Either this sees that the engine goes to sleep, or that sees the ring.
        fence(Ordering::SeqCst);
        if self.state.load32(uapi::STATE_ASLEEP) != 0 {
            // A channel that is closed sends nothing.
            let _ = self.device.kick();
        }
    }
}
