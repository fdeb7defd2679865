// SPDX-License-Identifier: GPL-2.0

//! What the kernel has of one channel.

use super::Desk;
use crate::core_::channel::bad::Bad;
use crate::core_::channel::end::{Broken, End, Sent};
use crate::core_::channel::ledger::Bits;
use crate::core_::channel::uapi::Stats;
use crate::core_::channel::wants::ChannelId;
use crate::core_::frame::PortId;
use crate::kapi::buffer::SIZE;
use crate::kapi::cpu::{self, BhGuard};
use crate::kapi::door::Door;
use crate::kapi::shared::SharedMemory;
use kernel::prelude::*;
use kernel::sync::{Arc, SpinLock};

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
    pub(super) memory: Arc<SharedMemory>,
}

/// Where octet `offset` of a buffer is in the memory of its channel.
#[inline(always)]
pub(super) fn place(buffer: u32, offset: u16) -> usize {
    (buffer as usize)
        .saturating_mul(SIZE)
        .saturating_add(offset.into())
}

/// What the kernel knows of a channel.
pub(super) struct State {
    pub(super) end: End<Arc<SharedMemory>>,
    /// A bit for each buffer that the application has.
    pub(super) owned: KVVec<u64>,
    pub(super) buffers: u32,
    pub(super) counts: Stats,
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
    /// Engines take it for a burst; nobody sleeps with it.
    #[pin]
    pub(super) state: SpinLock<State>,
}

/// A frame that an application sends.
pub(crate) struct Outgoing<'a> {
    /// The memory that it is in,
    pub(crate) memory: &'a SharedMemory,
    /// how many octets from the start,
    pub(crate) at: usize,
    /// and how long.
    pub(crate) len: u16,
    /// The port it is to leave by.
    pub(crate) port: PortId,
}

impl State {
    pub(super) fn new(end: End<Arc<SharedMemory>>, owned: KVVec<u64>, buffers: u32) -> Self {
        Self {
            end,
            owned,
            buffers,
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
                state <- kernel::sync::new_spinlock!(state, "smplb_channel"),
            }),
            GFP_KERNEL_ACCOUNT,
        )
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

    /// Takes up to `most` frames that the application sends (figure 12, steps 324 to 326), which
    /// `send` does, unless there is no such port. By the engine that serves it. Returns how many
    /// there were.
    pub(crate) fn transmit(
        &self,
        most: u32,
        mut send: impl FnMut(Outgoing<'_>) -> Result<(), Bad>,
    ) -> u32 {
        let mut state = self.state.lock();
        let State {
            end,
            owned,
            buffers,
            counts,
            open,
            ..
        } = &mut *state;
        let Some(mut owned) = Bits::new(owned, *buffers).filter(|_| *open) else {
            return 0;
        };
        let mut bytes = 0u64;
        let taken = end.transmit(most, cpu::seconds(), &mut owned, |buffer, entry| {
            let frame = Outgoing {
                memory: &self.region.memory,
                at: place(buffer, entry.offset),
                len: entry.len,
                port: PortId(entry.port),
            };
            match send(frame) {
                Ok(()) => {
                    bytes = bytes.wrapping_add(entry.len.into());
                    Sent::For(buffer)
                }
                Err(bad) => Sent::Refused(bad),
            }
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(Broken) => {
                state.close(&self.door);
                return 0;
            }
        };
        counts.tx_packets = counts.tx_packets.wrapping_add(taken.sent.into());
        counts.tx_bytes = counts.tx_bytes.wrapping_add(bytes);
        state.flush(&self.door);
        if taken.seen == most {
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

    /// Nothing is done for the application any more, which is told so.
    pub(super) fn shut(&self) {
        let _bh = BhGuard::new();
        self.state.lock().close(&self.door);
    }
}
