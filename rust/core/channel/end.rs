// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The kernel's end of a channel.

use super::super::ring::Corrupt;
use super::bad::{Bad, Conduct, Limits};
use super::boxes::{Inbox, Outbox};
use super::entry::{Entry, Owner, REFUSED};
use super::layout::{Layout, Ring};
use super::ledger::Ledger;
use super::shared::Shared;

/// The application has broken a ring, or been wrong too often: the channel is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl From<Corrupt> for Broken {
    fn from(_: Corrupt) -> Self {
        Self
    }
}

/// What becomes of a frame that an application sends, in a buffer `B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent<B> {
    /// It is under way; the application gets this buffer for it, maybe the same.
    For(B),
    /// The application may not send this, and gets it back.
    Refused(Bad, B),
    /// There is no room now: it stays on the ring.
    Later(B),
}

/// Where a received frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Octets from the start of its buffer.
    pub offset: u16,
    /// Octets of the frame.
    pub len: u16,
    /// The port that received it.
    pub port: u16,
}

/// What was taken from a transmit ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Numbers, whatever became of them.
    pub seen: u32,
    /// Frames that were sent,
    pub sent: u32,
    /// and their octets.
    pub octets: u64,
}

/// What was put on a receive ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Frames,
    pub frames: u32,
    /// and their octets.
    pub octets: u64,
}

/// The kernel's end of a channel.
#[derive(Debug)]
pub struct End<M> {
    memory: M,
    list: M,
    limits: Limits,
    fill: Inbox<M>,
    receive: Outbox<M>,
    transmit: Inbox<M>,
    completion: Outbox<M>,
    conduct: Conduct,
}

impl<M: Shared + Clone> End<M> {
    /// The end of a new channel: rings in `memory`, which is all 0, and the `list`.
    pub fn new(memory: M, list: M, layout: Layout, limits: Limits) -> Option<Self> {
        Some(Self {
            fill: Inbox::new(&memory, layout, Ring::Fill)?,
            receive: Outbox::new(&memory, layout, Ring::Receive)?,
            transmit: Inbox::new(&memory, layout, Ring::Transmit)?,
            completion: Outbox::new(&memory, layout, Ring::Completion)?,
            memory,
            list,
            limits,
            conduct: Conduct::default(),
        })
    }

    /// What the application has been wrong about.
    pub fn conduct(&self) -> &Conduct {
        &self.conduct
    }

    fn note(&mut self, bad: Bad, now: u32) -> Result<(), Broken> {
        match self.conduct.note(bad, now) {
            true => Ok(()),
            false => Err(Broken),
        }
    }

    /// Gives the application a buffer, with what else its entry says; tells its number.
    #[inline(always)]
    fn give<L: Ledger>(&self, ledger: &mut L, buffer: L::Buffer, entry: Entry) -> u32 {
        let buffer = ledger.give(buffer);
        let entry = Entry {
            buffer,
            owner: Owner::Application as u16,
            ..entry
        };
        entry.store(&self.list, buffer);
        buffer
    }

    /// Gives the application a free buffer, at first or in the place of a sent one. There is room
    /// for it.
    #[inline(always)]
    fn complete<L: Ledger>(&mut self, ledger: &mut L, buffer: L::Buffer, flags: u16) {
        let entry = Entry {
            flags,
            ..Entry::default()
        };
        let buffer = self.give(ledger, buffer, entry);
        self.completion.put(&self.memory, buffer);
    }

    /// Gives the application one of its first buffers, of which there are no more than elements of a
    /// ring.
    pub fn grant<L: Ledger>(&mut self, ledger: &mut L, buffer: L::Buffer) {
        self.complete(ledger, buffer, 0);
    }

    /// Takes up to `most` frames that the application sends (figure 12, steps 324 to 326), at `now`,
    /// in seconds. `send` gets the buffer, which is the kernel's then, and a copy of its entry, which
    /// was checked.
    pub fn transmit<L: Ledger>(
        &mut self,
        most: u32,
        now: u32,
        ledger: &mut L,
        mut send: impl FnMut(L::Buffer, Entry) -> Sent<L::Buffer>,
    ) -> Result<Taken, Broken> {
        let mut taken = Taken::default();
        // A wrong number makes nothing complete: then there is room for one more.
        let count = self.completion.room(self.transmit.ready(most)?)?;
        while taken.seen < count {
            let number = self.transmit.next(&self.memory);
            let mut octets = 0;
            let sent = match ledger.take(number) {
                Ok(buffer) => {
                    let entry = Entry::load(&self.list, number);
                    octets = entry.len;
                    match self.limits.check(number, &entry) {
                        Ok(()) => Ok(send(buffer, entry)),
                        Err(bad) => Ok(Sent::Refused(bad, buffer)),
                    }
                }
                // Nothing that could be given back.
                Err(bad) => Err(bad),
            };
            if let Ok(Sent::Later(buffer)) = sent {
                ledger.give(buffer);
                break;
            }
            self.transmit.pass();
            taken.seen = taken.seen.wrapping_add(1);
            match sent {
                Ok(Sent::For(other)) => {
                    self.complete(ledger, other, 0);
                    taken.sent = taken.sent.wrapping_add(1);
                    taken.octets = taken.octets.wrapping_add(octets.into());
                }
                Ok(Sent::Refused(bad, buffer)) => {
                    self.complete(ledger, buffer, REFUSED);
                    self.note(bad, now)?;
                }
                // Dealt with above.
                Ok(Sent::Later(_)) => {}
                Err(bad) => self.note(bad, now)?,
            }
        }
        Ok(taken)
    }

    /// Takes a buffer that the application has given for received frames (figure 13, step 341), of which
    /// at least `ready` are there. It is the kernel's from now on.
    #[inline(always)]
    fn free<L: Ledger>(
        &mut self,
        now: u32,
        ledger: &mut L,
        ready: &mut u32,
    ) -> Result<Option<L::Buffer>, Broken> {
        loop {
            if *ready == 0 {
                *ready = self.fill.ready(1)?;
            }
            let Some(left) = ready.checked_sub(1) else {
                return Ok(None);
            };
            *ready = left;
            let number = self.fill.next(&self.memory);
            self.fill.pass();
            match ledger.take(number) {
                Ok(buffer) => return Ok(Some(buffer)),
                Err(bad) => self.note(bad, now)?,
            }
        }
    }

    /// Where a copy of a frame of `len` octets is put, behind the headroom; `None` if no buffer is as
    /// large.
    #[inline(always)]
    pub fn place(&self, len: usize, port: u16) -> Option<Received> {
        let len = u16::try_from(len).ok()?;
        (len <= self.limits.longest).then_some(Received {
            offset: self.limits.headroom,
            len,
            port,
        })
    }

    /// Passes up to `most` of `frames` to the application (figure 13, steps 341 to 344), at `now`, in
    /// seconds. For each, `place` gets a buffer that the application has given, and tells which one it
    /// receives, this or another one of the kernel's, and where the frame is in that.
    ///
    /// For what stays in `frames` the application has made no room, or given no buffers.
    pub fn deliver<L: Ledger, F>(
        &mut self,
        most: u32,
        now: u32,
        ledger: &mut L,
        frames: &mut impl Iterator<Item = F>,
        mut place: impl FnMut(F, L::Buffer) -> (L::Buffer, Received),
    ) -> Result<Given, Broken> {
        let mut given = Given::default();
        let room = self.receive.room(most)?;
        let mut ready = self.fill.ready(room)?;
        while given.frames < room {
            let Some(free) = self.free(now, ledger, &mut ready)? else {
                break;
            };
            let Some(frame) = frames.next() else {
                ledger.give(free);
                self.fill.unpass();
                break;
            };
            let (buffer, received) = place(frame, free);
            let entry = Entry {
                offset: received.offset,
                len: received.len,
                port: received.port,
                ..Entry::default()
            };
            let buffer = self.give(ledger, buffer, entry);
            self.receive.put(&self.memory, buffer);
            given.frames = given.frames.wrapping_add(1);
            given.octets = given.octets.wrapping_add(received.len.into());
        }
        Ok(given)
    }

    /// Whether there is something on the transmit ring that can be completed. An application that
    /// has made no room for that gets no turn: it rings when it has.
    pub fn has_to_send(&mut self) -> Result<bool, Broken> {
        // What it took from the completion ring before it sent is seen after what it sent.
        Ok(self.transmit.ready(1)? != 0 && self.completion.room(1)? != 0)
    }

    /// Whether there are elements on the receive ring and on the completion ring that the application
    /// has not taken.
    pub fn has_told(&mut self) -> Result<(bool, bool), Broken> {
        Ok((self.receive.is_used()?, self.completion.is_used()?))
    }

    /// Shows the application what was done since the last time: once for a burst. Tells how many
    /// elements it finds on its rings.
    pub fn flush(&mut self) -> u32 {
        self.fill.flush();
        self.transmit.flush();
        let received = self.receive.flush();
        received.wrapping_add(self.completion.flush())
    }
}
