// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The kernel's end of a channel.

use super::super::ring::Corrupt;
use super::bad::{Bad, Conduct, Limits};
use super::boxes::{Inbox, Outbox};
use super::entry::{Entry, Owner, REFUSED};
pub use super::frames::{Given, Received, Sent, Taken};
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

/// Tells the application of a free buffer that it has by the ledger, at first or in the place of a sent one.
/// There is room for it. In loops both views are at hand.
#[inline(always)]
fn put_free<M: Shared + Clone>(
    memory: impl Shared,
    list: impl Shared,
    ring: &mut Outbox<M>,
    (buffer, flags): (u32, u16),
) {
    let entry = Entry {
        buffer,
        owner: Owner::Application as u16,
        flags,
        ..Entry::default()
    };
    entry.store(&list, buffer);
    ring.put(&memory, buffer);
}

/// The same with one whose frame was refused.
#[cold]
#[inline(never)]
fn put_refused<M: Shared + Clone>(
    memory: impl Shared,
    list: impl Shared,
    ring: &mut Outbox<M>,
    buffer: u32,
) {
    put_free(memory, list, ring, (buffer, REFUSED));
}

#[cold]
#[inline(never)]
fn noted(conduct: &mut Conduct, bad: Bad, now: u32) -> Result<(), Broken> {
    match conduct.note(bad, now) {
        true => Ok(()),
        false => Err(Broken),
    }
}

/// The kernel's end of a channel.
#[derive(Debug)]
pub struct End<M> {
    memory: M,
    list: M,
    fill: Inbox<M>,
    receive: Outbox<M>,
    transmit: Inbox<M>,
    completion: Outbox<M>,
    /// Buffers that the application is to get for frames that were kept.
    owed: u32,
    conduct: Conduct,
}

impl<M: Shared + Clone> End<M> {
    /// The end of a new channel: rings in `memory`, which is all 0, and the `list`.
    pub fn new(memory: M, list: M, layout: Layout) -> Option<Self> {
        Some(Self {
            fill: Inbox::new(&memory, layout, Ring::Fill)?,
            receive: Outbox::new(&memory, layout, Ring::Receive)?,
            transmit: Inbox::new(&memory, layout, Ring::Transmit)?,
            completion: Outbox::new(&memory, layout, Ring::Completion)?,
            memory,
            list,
            owed: 0,
            conduct: Conduct::default(),
        })
    }

    /// What the application has been wrong about.
    pub fn conduct(&self) -> &Conduct {
        &self.conduct
    }

    /// Gives the application one of its first buffers, of which there are no more than elements of a
    /// ring.
    pub fn grant<L: Ledger>(&mut self, ledger: &mut L, buffer: L::Buffer) {
        let buffer = ledger.give(buffer);
        put_free(
            self.memory.view(),
            self.list.view(),
            &mut self.completion,
            (buffer, 0),
        );
    }

    /// Takes up to `most` frames that the application sends (figure 12, steps 324 to 326), at `now`,
    /// in seconds. `send` gets the buffer, which is the kernel's then, and a copy of its entry, which
    /// was checked.
    // The limits are constant where this is called: with the check they cost next to nothing.
    #[inline(always)]
    pub fn transmit<L: Ledger>(
        &mut self,
        limits: &Limits,
        most: u32,
        now: u32,
        ledger: &mut L,
        mut send: impl FnMut(L::Taken, Entry) -> Sent<L::Buffer>,
    ) -> Result<Taken, Broken> {
        let mut taken = Taken::default();
        // A wrong number makes nothing complete: then there is room for one more.
        let room = self.completion.room(self.transmit.ready(most)?)?;
        let count = room.saturating_sub(self.owed);
        let (memory, list) = (self.memory.view(), self.list.view());
        let (completion, conduct) = (&mut self.completion, &mut self.conduct);
        let mut kept = 0u32;
        while taken.seen < count {
            let number = self.transmit.next(&memory);
            self.transmit.pass();
            taken.seen = taken.seen.wrapping_add(1);
            let buffer = match ledger.take(number) {
                Ok(buffer) => buffer,
                // Nothing that could be given back.
                Err(bad) => {
                    noted(conduct, bad, now)?;
                    continue;
                }
            };
            let entry = Entry::load(&list, number);
            let sent = match limits.check(number, &entry) {
                Ok(()) => send(buffer, entry),
                Err(bad) => Sent::Refused(bad, buffer.into()),
            };
            match sent {
                Sent::Kept => kept = kept.wrapping_add(1),
                Sent::For(other) => put_free(memory, list, completion, (ledger.give(other), 0)),
                Sent::Refused(bad, buffer) => {
                    let buffer = ledger.give(buffer);
                    put_refused(memory, list, completion, buffer);
                    noted(conduct, bad, now)?;
                    continue;
                }
            }
            taken.sent = taken.sent.wrapping_add(1);
            taken.octets = taken.octets.wrapping_add(entry.len.into());
        }
        self.owed = self.owed.wrapping_add(kept);
        Ok(taken)
    }

    /// How many buffers the application is to get for frames that were kept.
    pub fn owed(&self) -> u32 {
        self.owed
    }

    /// Gives the application as many of `buffers` as it is owed: numbers that are its own by the ledger
    /// when they are taken.
    #[inline(always)]
    pub fn repay(&mut self, buffers: impl Iterator<Item = u32>) {
        let (memory, list) = (self.memory.view(), self.list.view());
        let mut paid = 0u32;
        for buffer in buffers.take(self.owed as usize) {
            put_free(memory, list, &mut self.completion, (buffer, 0));
            paid = paid.wrapping_add(1);
        }
        self.owed = self.owed.wrapping_sub(paid);
    }

    /// Passes up to `most` of `frames` to the application (figure 13, steps 341 to 344), at `now`, in
    /// seconds. For each, `place` gets a buffer that the application has given, which is the kernel's
    /// from then on, and tells which one it receives, this or another one of the kernel's, and where the
    /// frame is in that.
    ///
    /// For what stays in `frames` the application has made no room, or given no buffers.
    pub fn deliver<L: Ledger, F>(
        &mut self,
        most: u32,
        now: u32,
        ledger: &mut L,
        frames: &mut impl Iterator<Item = F>,
        mut place: impl FnMut(F, L::Taken) -> (L::Buffer, Received),
    ) -> Result<Given, Broken> {
        let mut given = Given::default();
        let room = self.receive.room(most)?;
        let mut ready = self.fill.ready(room)?;
        let (memory, list) = (self.memory.view(), self.list.view());
        let (fill, receive) = (&mut self.fill, &mut self.receive);
        while given.frames < room {
            if ready == 0 {
                // Wrong numbers make nothing of what there was.
                ready = fill.ready(1)?;
            }
            let Some(left) = ready.checked_sub(1) else {
                break;
            };
            ready = left;
            let number = fill.next(&memory);
            fill.pass();
            let free = match ledger.take(number) {
                Ok(free) => free,
                Err(bad) => {
                    noted(&mut self.conduct, bad, now)?;
                    continue;
                }
            };
            let Some(frame) = frames.next() else {
                ledger.give(free.into());
                fill.unpass();
                break;
            };
            let (buffer, received) = place(frame, free);
            let buffer = ledger.give(buffer);
            let entry = Entry {
                buffer,
                offset: received.offset,
                len: received.len,
                owner: Owner::Application as u16,
                port: received.port,
                ..Entry::default()
            };
            entry.store(&list, buffer);
            receive.put(&memory, buffer);
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
