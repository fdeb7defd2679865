// SPDX-License-Identifier: GPL-2.0

//! The buffers of a channel: its own, which frames are copied from and to, or those of the switch,
//! which NICs read and write.

use core::iter::once;

use super::handle::State;
use super::outgoing::{transmit_lent, transmit_own, Carrier};
use crate::core_::channel::bad::Limits;
use crate::core_::channel::end::{Broken, End, Given, Received, Taken};
use crate::core_::channel::ledger::Bits;
use crate::core_::channel::wants::ChannelId;
use crate::core_::frame::PortId;
use crate::core_::nic::pool::Tag;
use crate::kapi::buffer::{Buffered, Memory, Placed, FRAME, HEADROOM, SIZE};
use crate::kapi::cpu;
use crate::kapi::lend::{self, Lending};
use crate::kapi::pages::Pages;
use crate::kapi::pool::{BufferPool, Stock};
use crate::kapi::shared::SharedMemory;
use kernel::prelude::*;
use kernel::sync::Arc;

/// What is true of all frames of a channel.
pub(super) const LIMITS: Limits = Limits {
    size: SIZE as u16,
    headroom: HEADROOM as u16,
    longest: FRAME as u16,
};

/// The buffers of a channel.
pub(crate) enum Buffers {
    /// So many of its own.
    Own(Arc<SharedMemory>, u32),
    /// Some of those of the switch: the account of the pool says which.
    Pool(Arc<BufferPool>),
}

/// Memory that an application maps.
pub(crate) enum Part<'a> {
    /// What the channel shares with the kernel alone.
    Shared(&'a SharedMemory),
    /// All buffers of the switch.
    Pool(&'a Memory),
    /// A ring of a NIC.
    Ring(&'a Pages),
}

impl Part<'_> {
    /// Octets.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Shared(memory) => memory.len(),
            Self::Pool(memory) => memory.len().saturating_mul(SIZE),
            Self::Ring(pages) => pages.len(),
        }
    }

    /// The address of an octet in the kernel; `None` beyond the end.
    pub(crate) fn octet(&self, at: usize) -> Option<u64> {
        match self {
            Self::Shared(memory) => memory.octet(at),
            Self::Pool(memory) => memory.octet(at),
            Self::Ring(pages) => pages.octet(at),
        }
    }
}

/// Where octet `offset` of a channel's own buffer is in its memory.
#[inline(always)]
pub(super) fn place(buffer: u32, offset: u16) -> usize {
    (buffer as usize)
        .saturating_mul(SIZE)
        .saturating_add(offset.into())
}

/// The engine that this is: nobody else runs on its CPU while softirqs are off.
#[inline(always)]
pub(super) fn engine() -> Tag {
    Tag::engine(cpu::current() as u16)
}

impl Buffers {
    /// How many the application can know of.
    pub(super) fn described(&self) -> usize {
        match self {
            Self::Own(_, count) => *count as usize,
            Self::Pool(pool) => pool.memory().len(),
        }
    }

    /// What the application maps.
    pub(super) fn part(&self) -> Part<'_> {
        match self {
            Self::Own(memory, _) => Part::Shared(memory),
            Self::Pool(pool) => Part::Pool(pool.memory()),
        }
    }

    /// Gives the application so many at first.
    ///
    /// # Errors
    ///
    /// `ENOBUFS` if the pool has fewer.
    pub(super) fn grant(
        &self,
        end: &mut End<Arc<SharedMemory>>,
        owned: &mut KVVec<u64>,
        (id, count): (ChannelId, u32),
    ) -> Result {
        match self {
            Self::Own(..) => {
                let mut bits = Bits::new(owned, count);
                (0..count).for_each(|buffer| end.grant(&mut bits, buffer));
            }
            Self::Pool(pool) => {
                let mut stock = Stock::new(pool.clone(), 0);
                let mut lending = Lending::new(pool, id, stock.owner());
                for _ in 0..count {
                    let Some(buf) = stock.take() else {
                        lend::reclaim(pool, id);
                        return Err(ENOBUFS);
                    };
                    end.grant(&mut lending, buf);
                }
            }
        }
        Ok(())
    }

    /// Takes up to `most` frames that the application sends, and has them sent. There may be room for
    /// less, which `most` tells then.
    pub(super) fn transmit(
        &self,
        state: &mut State,
        (id, most): (ChannelId, &mut u32),
        by: &mut impl Carrier,
    ) -> Result<Taken, Broken> {
        match self {
            Self::Own(memory, count) => transmit_own(memory, *count, state, *most, by),
            Self::Pool(pool) => transmit_lent(pool, id, state, most, by),
        }
    }

    /// Gives the application a copy of a frame.
    pub(super) fn copy_in(
        &self,
        state: &mut State,
        id: ChannelId,
        (octets, port): (&[u8], PortId),
    ) -> Result<Given, Broken> {
        let (end, now) = (&mut state.end, cpu::seconds());
        let Some(received) = LIMITS.place(octets.len(), port.0) else {
            return Ok(Given::default());
        };
        let mut frames = once(octets);
        match self {
            Self::Own(memory, count) => {
                let mut bits = Bits::new(&mut state.owned, *count);
                end.deliver(1, now, &mut bits, &mut frames, |octets, buffer| {
                    memory.copy_in(place(buffer, received.offset), octets);
                    (buffer, received)
                })
            }
            Self::Pool(pool) => {
                let mut lending = Lending::new(pool, id, engine());
                end.deliver(1, now, &mut lending, &mut frames, |octets, buf| {
                    let buf = match pool.memory().copy(buf.into(), octets) {
                        Ok(frame) => frame.into_buf(),
                        Err(buf) => buf,
                    };
                    (buf, received)
                })
            }
        }
    }

    /// Gives the application up to `most` frames that are in buffers of `stock`, as they are if that
    /// can be.
    #[inline(always)]
    pub(super) fn pass_in(
        &self,
        (state, id): (&mut State, ChannelId),
        (most, frames): (u32, &mut impl Iterator<Item = Buffered>),
        port: PortId,
        stock: &mut Stock,
    ) -> Result<Given, Broken> {
        let (end, now) = (&mut state.end, cpu::seconds());
        match self {
            Self::Pool(pool) if stock.is_of(pool) => {
                let mut lending = Lending::new(pool, id, stock.owner());
                let mut stock = stock.open();
                end.deliver(most, now, &mut lending, frames, |mut frame, free| {
                    frame.finish_checksum();
                    stock.give(free.into());
                    let Placed {
                        buf, place, len, ..
                    } = frame.into();
                    let received = Received {
                        offset: place,
                        len,
                        port: port.0,
                    };
                    (buf, received)
                })
            }
            Self::Own(memory, count) => {
                let mut bits = Bits::new(&mut state.owned, *count);
                let mut stock = stock.open();
                end.deliver(most, now, &mut bits, frames, |mut frame, buffer| {
                    frame.finish_checksum();
                    let received = Received {
                        offset: HEADROOM as u16,
                        // A NIC writes no longer ones.
                        len: frame.len().min(FRAME as u16),
                        port: port.0,
                    };
                    let octets = frame.octets_mut();
                    let octets = octets.get(..received.len.into()).unwrap_or(octets);
                    memory.copy_in(place(buffer, received.offset), octets);
                    stock.give(frame.into_buf());
                    (buffer, received)
                })
            }
            // There is one pool, which the channel keeps.
            Self::Pool(_) => Ok(Given::default()),
        }
    }

    /// Takes back what an application has of the pool. Nobody acts for its channel any more, and
    /// nothing of it is mapped.
    pub(super) fn reclaim(&self, id: ChannelId) {
        if let Self::Pool(pool) = self {
            lend::reclaim(pool, id);
        }
    }
}
