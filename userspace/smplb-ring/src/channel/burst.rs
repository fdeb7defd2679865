// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is done for frames, burst by burst: no system call but to wake an engine that sleeps.

use std::sync::atomic::{fence, Ordering};

use smplb_core::channel::bells::{Bells, WORDS};
use smplb_core::channel::entry::{Entry, Owner, REFUSED};
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
        let elements = self.layout.places(Ring::Receive).elements;
        let count = span.len();
        for position in span.positions() {
            let buffer = self.rings.load32(elements + position);
            let entry = Entry::load(&self.list, buffer);
            let place = (entry.offset, entry.len);
            // SAFETY: The kernel gives each buffer once, and says where the frame is.
            frames.push(unsafe { Frame::new(&self.pool, buffer, place, entry.port) });
        }
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
        let ours = |frame: &Frame| frame.is_of(&self.pool);
        let most = match frames.iter().position(|frame| !ours(frame)) {
            Some(0) => match self.adopt(&frames[0]) {
                Some(copy) => {
                    frames[0] = copy;
                    1
                }
                None => return 0,
            },
            Some(first) => first,
            None => frames.len(),
        };
        let most = most.min(self.layout.size() as usize) as u32;
        let Ok(span) = self.transmit.reserve(most) else {
            return 0;
        };
        let elements = self.layout.places(Ring::Transmit).elements;
        let count = span.len();
        for (position, frame) in span.positions().zip(frames.drain(..count as usize)) {
            let (buffer, offset, len, port) = frame.into_parts();
            let entry = Entry {
                buffer,
                offset,
                len,
                owner: Owner::Nic as u16,
                port,
                ..Entry::default()
            };
            entry.store(&self.list, buffer);
            self.rings.store32(elements + position, buffer);
        }
        if count > 0 {
            self.transmit.publish(count);
            self.ring();
        }
        count as usize
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
        let elements = self.layout.places(Ring::Completion).elements;
        let mut free = self.pool.free.borrow_mut();
        for position in span.positions() {
            let buffer = self.rings.load32(elements + position);
            let flags = Entry::load_flags(&self.list, buffer);
            self.refused += u64::from(flags & REFUSED);
            free.push(buffer);
        }
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
        let elements = self.layout.places(Ring::Fill).elements;
        let count = span.len();
        for (position, buffer) in span.positions().zip(free.drain(..count as usize)) {
            self.rings.store32(elements + position, buffer);
        }
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
