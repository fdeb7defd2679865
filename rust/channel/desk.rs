// SPDX-License-Identifier: GPL-2.0

//! The channels of one switch that one engine serves.

use super::Channel;
use crate::core_::channel::bells::{Bells, CHANNELS, WORDS};
use crate::core_::channel::shared::Shared;
use crate::core_::channel::uapi::{STATE_ASLEEP, STATE_CPU};
use crate::engine::Seat;
use crate::kapi::atom::KAtom;
use crate::kapi::shared::SharedMemory;
use crate::switch::Switch;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed};
use kernel::sync::barrier::smp_mb;
use kernel::sync::{new_spinlock, Arc, SpinLock};

/// Turns of the engine from one look at a ring whose bell has not rung to the next.
const PATROL: u32 = 16;

/// The channels of one switch that one engine serves.
#[pin_data]
pub(crate) struct Desk {
    switch: Arc<Switch>,
    #[pin]
    seat: Seat,
    /// What the engine says, to read for applications.
    pub(super) state: Arc<SharedMemory>,
    /// The doorbells. Applications write there: one may clear the bells of others.
    pub(super) bells: Arc<SharedMemory>,
    /// By number of their bells.
    #[pin]
    channels: SpinLock<KVVec<Option<Arc<Channel>>>>,
    /// Where the engine goes on answering,
    next: Atomic<u32>,
    /// and how many turns it has made.
    turns: Atomic<u32>,
}

impl Desk {
    /// Without channels, and without an engine.
    pub(super) fn new(switch: Arc<Switch>) -> Result<Arc<Self>> {
        let (state, bells) = (SharedMemory::new(8)?, SharedMemory::new(WORDS * 8)?);
        // Later there is no memory to be had: the lock is a spinlock.
        let channels = KVVec::with_capacity(CHANNELS, GFP_KERNEL)?;
        Arc::pin_init(
            pin_init!(Self {
                switch,
                seat <- Seat::new(),
                state,
                bells,
                channels <- new_spinlock!(channels, "smplb_desk"),
                next: Atomic::new(0),
                turns: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    /// An engine has begun to serve it: applications are told which.
    pub(crate) fn moved(&self) {
        self.state.store32(STATE_CPU, self.seat.cpu());
    }

    /// The switch.
    pub(crate) fn switch(&self) -> &Arc<Switch> {
        &self.switch
    }

    /// The place of the engine.
    pub(crate) fn seat(&self) -> &Seat {
        &self.seat
    }

    #[inline(always)]
    fn bells(&self) -> Option<Bells<'_, KAtom>> {
        Bells::new(self.bells.atoms(WORDS))
    }

    /// Rings for a channel.
    pub(crate) fn ring(&self, bell: u16) {
        if let Some(bells) = self.bells() {
            bells.ring(bell);
        }
    }

    /// The channel with a bell.
    fn channel(&self, bell: usize) -> Option<Arc<Channel>> {
        self.channels.lock().get(bell)?.clone()
    }

    /// Shows `serve` channels that may have something to send: those that have rung, and now and
    /// then one that has not, as its bell may have been cleared by another one. By the engine.
    #[inline(always)]
    pub(crate) fn answer(&self, mut serve: impl FnMut(&Channel)) {
        let turn = self.turns.load(Relaxed);
        self.turns.store(turn.wrapping_add(1), Relaxed);
        if turn % PATROL == 0 {
            self.patrol(turn / PATROL, &mut serve);
        }
        let Some(bells) = self.bells().filter(Bells::any) else {
            return;
        };
        let next = bells.answer(self.next.load(Relaxed), |bell| {
            if let Some(channel) = self.channel(bell.into()) {
                serve(&channel);
            }
        });
        self.next.store(next, Relaxed);
    }

    #[cold]
    fn patrol(&self, turn: u32, serve: &mut impl FnMut(&Channel)) {
        let channel = {
            let channels = self.channels.lock();
            let nth = (turn as usize).checked_rem(channels.len());
            nth.and_then(|nth| channels.get(nth)?.clone())
        };
        if let Some(channel) = channel.filter(|channel| channel.has_to_send()) {
            serve(&channel);
        }
    }

    /// Has applications say so when they ring; false if one has rung already. It costs the same
    /// however many channels there are: see [`Desk::look`].
    pub(crate) fn arm(&self) -> bool {
        self.state.store32(STATE_ASLEEP, 1);
        // Either this sees the bell, or its application sees that it has to wake the engine.
        smp_mb(Full);
        !self.bells().is_some_and(|bells| bells.any())
    }

    /// While the engine sleeps: rings for channels that have something to send, as others may have
    /// cleared their bells. Now and then, by the control CPU.
    pub(super) fn look(&self) {
        if self.state.load32(STATE_ASLEEP) == 0 {
            return;
        }
        let bells = 0..self.channels.lock().len();
        let waiting = bells.filter_map(|bell| self.channel(bell));
        for channel in waiting.filter(|channel| channel.has_to_send()) {
            channel.kick();
        }
    }

    /// The engine is awake.
    pub(crate) fn disarm(&self) {
        self.state.store32(STATE_ASLEEP, 0);
    }

    /// A bell for a channel.
    pub(super) fn free_bell(&self) -> Result<u16> {
        let mut channels = self.channels.lock();
        let bell = match channels.iter().position(Option::is_none) {
            Some(bell) => bell,
            None => {
                let len = channels.len();
                // There is room for as many as there can be.
                channels.push_within_capacity(None).map_err(|_| ENOSPC)?;
                len
            }
        };
        Ok(bell as u16)
    }

    /// A channel comes to its bell, or goes from it.
    pub(super) fn set(&self, bell: u16, channel: Option<Arc<Channel>>) {
        let before = {
            let mut channels = self.channels.lock();
            let place = channels.get_mut(usize::from(bell));
            place.map(|place| core::mem::replace(place, channel))
        };
        // Not with the lock: it may be the last reference.
        drop(before);
    }

    /// Whether there is no channel.
    pub(super) fn is_empty(&self) -> bool {
        self.channels.lock().iter().all(Option::is_none)
    }
}
