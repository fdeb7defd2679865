// SPDX-License-Identifier: GPL-2.0

//! What the kernel has of one channel.

use super::buffers::Buffers;
use super::outgoing::Carrier;
use super::rent::Rented;
use super::Desk;
use crate::core_::channel::end::{Broken, End};
use crate::core_::channel::uapi::Stats;
use crate::core_::channel::wants::ChannelId;
use crate::drivers::supply::Share;
use crate::kapi::cpu::BhGuard;
use crate::kapi::door::Door;
use crate::kapi::shared::SharedMemory;
use kernel::prelude::*;
use kernel::sync::{Arc, SetOnce, SpinLock};

/// What `poll(2)` tells: `EPOLLIN | EPOLLRDNORM`,
const EPOLLIN: u32 = 0x41;
/// `EPOLLOUT | EPOLLWRNORM`,
const EPOLLOUT: u32 = 0x104;
/// and `EPOLLERR | EPOLLHUP`.
const EPOLLHUP: u32 = 0x18;

/// What both sides of a channel share.
pub(crate) struct Region {
    pub(super) rings: Arc<SharedMemory>,
    pub(super) list: Arc<SharedMemory>,
    pub(super) buffers: Buffers,
}

/// What the kernel knows of a channel.
pub(super) struct State {
    pub(super) end: End<Arc<SharedMemory>>,
    /// A bit for each buffer that the application has, if they are its own. Of those of the pool
    /// the account knows.
    pub(super) owned: KVVec<u64>,
    pub(super) counts: Stats,
    /// What keeps the pool while the application has buffers of it.
    pub(super) share: Option<Share>,
    /// Nobody has closed it, and the application has broken nothing.
    pub(super) open: bool,
    /// The application waits to be told of something.
    waiting: bool,
}

/// One channel.
#[pin_data]
pub(crate) struct Channel {
    pub(super) id: ChannelId,
    pub(super) bell: u16,
    pub(super) desk: Arc<Desk>,
    pub(super) region: Region,
    door: Door,
    /// What the application has of a NIC; set once.
    pub(super) rented: SetOnce<Rented>,
    /// Engines take it for a burst; nobody sleeps with it.
    #[pin]
    pub(super) state: SpinLock<State>,
}

impl State {
    pub(super) fn new(
        end: End<Arc<SharedMemory>>,
        owned: KVVec<u64>,
        share: Option<Share>,
    ) -> Self {
        Self {
            end,
            owned,
            share,
            counts: Stats::default(),
            open: true,
            waiting: false,
        }
    }

    /// Shows the application what was done, and wakes it if it waits for that.
    pub(super) fn flush(&mut self, door: &Door) {
        if self.open && self.end.flush() != 0 && core::mem::take(&mut self.waiting) {
            door.wake();
        }
    }

    /// The application gets nothing any more.
    pub(super) fn close(&mut self, door: &Door) {
        if core::mem::replace(&mut self.open, false) {
            door.wake();
        }
    }
}

impl Channel {
    pub(super) fn new(
        (id, bell, desk): (ChannelId, u16, Arc<Desk>),
        region: Region,
        door: Door,
        state: State,
    ) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                id,
                bell,
                desk,
                region,
                door,
                rented: SetOnce::new(),
                state <- kernel::sync::new_spinlock!(state, "smplb_channel"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
    }

    /// Whether it has buffers of the pool.
    pub(super) fn is_trusted(&self) -> bool {
        matches!(self.region.buffers, Buffers::Pool(_))
    }

    pub(super) fn door(&self) -> &Door {
        &self.door
    }

    /// The desk where it is served.
    pub(crate) fn desk(&self) -> &Arc<Desk> {
        &self.desk
    }

    /// Rings, and wakes the engine. False if the channel is closed.
    pub(crate) fn kick(&self) -> bool {
        self.desk.ring(self.bell);
        self.desk.seat().kick();
        self.is_open()
    }

    /// Whether the application has broken nothing.
    pub(super) fn is_open(&self) -> bool {
        // An engine may wait for the lock: no softirq comes between.
        let _bh = BhGuard::new();
        let open = self.state.lock().open;
        open
    }

    /// Whether there is something on the transmit ring that can be sent.
    pub(super) fn has_to_send(&self) -> bool {
        let _bh = BhGuard::new();
        let mut state = self.state.lock();
        // A broken ring is for who takes from it.
        state.open && state.end.has_to_send().unwrap_or(true)
    }

    /// Takes up to `most` frames that the application sends (figure 12, steps 324 to 326). By the
    /// engine that serves it. Returns how many there were.
    pub(crate) fn transmit(&self, most: u32, by: &mut impl Carrier) -> u32 {
        let mut state = self.state.lock();
        if !state.open {
            return 0;
        }
        let buffers = &self.region.buffers;
        let mut most = most;
        let taken = match buffers.transmit(&mut state, (self.id, &mut most), by) {
            Ok(taken) => taken,
            Err(Broken) => {
                state.close(&self.door);
                return 0;
            }
        };
        let counts = &mut state.counts;
        counts.tx_packets = counts.tx_packets.wrapping_add(taken.sent.into());
        counts.tx_bytes = counts.tx_bytes.wrapping_add(taken.octets);
        state.flush(&self.door);
        if taken.seen == most && most != 0 {
            // There may be more: in the next turn, after the others.
            self.desk.ring(self.bell);
        }
        taken.seen
    }

    /// What `poll(2)` tells; the application is woken when something comes.
    pub(crate) fn ready(&self) -> u32 {
        let _bh = BhGuard::new();
        let mut state = self.state.lock();
        if !state.open {
            return EPOLLHUP;
        }
        state.waiting = true;
        match state.end.has_told() {
            Ok((received, completed)) => {
                let received = if received { EPOLLIN } else { 0 };
                received | if completed { EPOLLOUT } else { 0 }
            }
            Err(Broken) => {
                state.close(&self.door);
                EPOLLHUP
            }
        }
    }

    /// What was counted.
    pub(crate) fn stats(&self) -> Stats {
        let _bh = BhGuard::new();
        let state = self.state.lock();
        Stats {
            bad: *state.end.conduct().counts(),
            ..state.counts
        }
    }

    /// Gives the application its first buffers.
    pub(super) fn grant(&self, count: u32) -> Result {
        let _bh = BhGuard::new();
        let mut state = self.state.lock();
        let State { end, owned, .. } = &mut *state;
        self.region.buffers.grant(end, owned, (self.id, count))?;
        end.flush();
        Ok(())
    }

    /// Takes back what the application has of the pool. Engines do not know the channel any more, and
    /// nothing of it is mapped.
    pub(super) fn reclaim(&self) {
        self.region.buffers.reclaim(self.id);
        let share = {
            let _bh = BhGuard::new();
            self.state.lock().share.take()
        };
        drop(share);
    }

    /// Nothing is done for the application any more, which is told so.
    pub(super) fn shut(&self) {
        let _bh = BhGuard::new();
        self.state.lock().close(&self.door);
    }
}
