// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The kernel's end of a channel.

use super::super::ring::{Consumer, Corrupt, Producer};
use super::bad::{Bad, Conduct, Limits};
use super::entry::{Entry, Owner, REFUSED};
use super::layout::{Layout, Ring};
use super::ledger::Ledger;
use super::shared::{Shared, Word};

/// The application has broken a ring, or been wrong too often: the channel is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl From<Corrupt> for Broken {
    fn from(_: Corrupt) -> Self {
        Self
    }
}

/// A ring that the application takes from. What is put on it is shown to the application at once, by
/// [`Outbox::flush`].
#[derive(Debug)]
struct Outbox<M> {
    ring: Producer<Word<M>, Word<M>>,
    elements: usize,
    size: u32,
    waiting: u32,
}

impl<M: Shared + Clone> Outbox<M> {
    fn new(memory: &M, layout: Layout, ring: Ring) -> Option<Self> {
        let places = layout.places(ring);
        let (producer, consumer) = places.counters(memory);
        Some(Self {
            ring: Producer::new(producer, consumer, layout.size())?,
            elements: places.elements,
            size: layout.size(),
            waiting: 0,
        })
    }

    /// For how many more there is room, up to `most`.
    #[inline(always)]
    fn room(&mut self, most: u32) -> Result<u32, Corrupt> {
        let span = self.ring.reserve(self.waiting.saturating_add(most))?;
        Ok(span.len().saturating_sub(self.waiting))
    }

    /// Whether the application has not taken all that it was shown.
    fn is_used(&mut self) -> Result<bool, Corrupt> {
        Ok(self.ring.reserve(self.size)?.len() < self.size)
    }

    /// Puts a number on the ring, on which there is room for it.
    #[inline(always)]
    fn put(&mut self, memory: &M, buffer: u32) {
        let position = self.ring.position(self.waiting);
        memory.store32(self.elements.wrapping_add(position), buffer);
        self.waiting = self.waiting.wrapping_add(1);
    }

    /// Shows what was put; how many that are.
    fn flush(&mut self) -> u32 {
        let count = ::core::mem::take(&mut self.waiting);
        if count != 0 {
            self.ring.publish(count);
        }
        count
    }
}

/// A ring that the application puts buffers on. Room for others comes at once, by [`Inbox::flush`].
#[derive(Debug)]
struct Inbox<M> {
    ring: Consumer<Word<M>, Word<M>>,
    elements: usize,
    taken: u32,
}

impl<M: Shared + Clone> Inbox<M> {
    fn new(memory: &M, layout: Layout, ring: Ring) -> Option<Self> {
        let places = layout.places(ring);
        let (producer, consumer) = places.counters(memory);
        Some(Self {
            ring: Consumer::new(producer, consumer, layout.size())?,
            elements: places.elements,
            taken: 0,
        })
    }

    /// How many more numbers there are, up to `most`.
    #[inline(always)]
    fn ready(&mut self, most: u32) -> Result<u32, Corrupt> {
        let span = self.ring.available(self.taken.saturating_add(most))?;
        Ok(span.len().saturating_sub(self.taken))
    }

    /// The next number, if there is one, which stays on the ring until [`Inbox::pass`].
    #[inline(always)]
    fn next(&self, memory: &M) -> u32 {
        let position = self.ring.position(self.taken);
        memory.load32(self.elements.wrapping_add(position))
    }

    /// Passes the number that `next` told.
    #[inline(always)]
    fn pass(&mut self) {
        self.taken = self.taken.wrapping_add(1);
    }

    fn flush(&mut self) {
        let count = ::core::mem::take(&mut self.taken);
        if count != 0 {
            self.ring.release(count);
        }
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
    /// Frames that were sent.
    pub sent: u32,
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

    /// Gives the application a free buffer, at first or in the place of a sent one. There is room
    /// for it.
    #[inline(always)]
    fn complete<L: Ledger>(&mut self, ledger: &mut L, buffer: L::Buffer, flags: u16) {
        let buffer = ledger.give(buffer);
        let entry = Entry {
            buffer,
            owner: Owner::Application as u16,
            flags,
            ..Entry::default()
        };
        entry.store(&self.list, buffer);
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
            let sent = match ledger.take(number) {
                Ok(buffer) => {
                    let entry = Entry::load(&self.list, number);
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

    /// Whether a received frame would find room, and a buffer for it that the application gives
    /// (figure 13, step 341). That is the kernel's from now on. `None` if there is none: the frame is
    /// lost.
    pub fn free<L: Ledger>(
        &mut self,
        now: u32,
        ledger: &mut L,
    ) -> Result<Option<L::Buffer>, Broken> {
        if self.receive.room(1)? == 0 {
            return Ok(None);
        }
        while self.fill.ready(1)? != 0 {
            let number = self.fill.next(&self.memory);
            self.fill.pass();
            match ledger.take(number) {
                Ok(buffer) => return Ok(Some(buffer)),
                Err(bad) => self.note(bad, now)?,
            }
        }
        Ok(None)
    }

    /// Passes a received frame to the application (figure 13, steps 342 to 344), in a buffer that is the
    /// kernel's. There is room for it: [`End::free`] has told.
    #[inline(always)]
    pub fn receive<L: Ledger>(&mut self, ledger: &mut L, buffer: L::Buffer, frame: Received) {
        let buffer = ledger.give(buffer);
        let entry = Entry {
            buffer,
            offset: frame.offset,
            len: frame.len,
            owner: Owner::Application as u16,
            port: frame.port,
            ..Entry::default()
        };
        entry.store(&self.list, buffer);
        self.receive.put(&self.memory, buffer);
    }

    /// Gives the application the buffer that a frame was received in (figure 13, steps 341 to 344), and
    /// takes one that it gives for that: `Ok`. If there is none, the frame comes back as `Err`. An
    /// application that breaks a ring has it, and has given none.
    pub fn exchange<L: Ledger>(
        &mut self,
        now: u32,
        ledger: &mut L,
        buffer: L::Buffer,
        frame: Received,
    ) -> Result<Result<L::Buffer, L::Buffer>, Broken> {
        match self.free(now, ledger) {
            Ok(Some(free)) => {
                self.receive(ledger, buffer, frame);
                Ok(Ok(free))
            }
            Ok(None) => Ok(Err(buffer)),
            Err(broken) => {
                ledger.give(buffer);
                Err(broken)
            }
        }
    }

    /// Gives the application a frame of `len` octets that `port` received (figure 13, steps 341 to 344):
    /// `write` puts it into the buffer it is given, behind the headroom, and gives that back. False if
    /// the application has made no room for it, or no buffer is as large.
    pub fn deliver<L: Ledger>(
        &mut self,
        now: u32,
        ledger: &mut L,
        (len, port): (usize, u16),
        write: impl FnOnce(L::Buffer) -> L::Buffer,
    ) -> Result<bool, Broken> {
        let Some(len) = u16::try_from(len)
            .ok()
            .filter(|len| *len <= self.limits.longest)
        else {
            return Ok(false);
        };
        let Some(buffer) = self.free(now, ledger)? else {
            return Ok(false);
        };
        let frame = Received {
            offset: self.limits.headroom,
            len,
            port,
        };
        self.receive(ledger, write(buffer), frame);
        Ok(true)
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
