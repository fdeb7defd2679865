// SPDX-License-Identifier: GPL-2.0

//! What applications send (seed figure 12, steps 324 to 326).

use super::buffers::{engine, place, LIMITS};
use super::handle::State;
use crate::core_::channel::bad::Bad;
use crate::core_::channel::end::{Broken, Sent, Taken};
use crate::core_::channel::ledger::Bits;
use crate::core_::channel::wants::ChannelId;
use crate::core_::frame::PortId;
use crate::core_::nic::pool::Tag;
use crate::kapi::buffer::{Buf, Buffered};
use crate::kapi::cpu;
use crate::kapi::lend::Lending;
use crate::kapi::pool::{BufferPool, Stock};
use crate::kapi::shared::SharedMemory;
use kernel::sync::Arc;

/// A frame that an application sends, to be copied.
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

/// Who sends what applications send.
pub(crate) trait Carrier {
    /// Sends a copy.
    fn copy(&mut self, frame: Outgoing<'_>) -> Result<(), Bad>;

    /// Sends a frame as it is, and keeps it; or the buffer that is given for its own is the engine's.
    fn pass(&mut self, frame: Buffered, to: PortId) -> Sent<Buf>;

    /// Its free buffers of `pool`.
    fn stock(&mut self, pool: &Arc<BufferPool>) -> &mut Stock;
}

/// See `Buffers::transmit`: frames in buffers of the channel's own, which are copied.
// A call per burst, so that the loop has the registers for itself; so is the other one.
#[inline(never)]
pub(super) fn transmit_own(
    memory: &SharedMemory,
    count: u32,
    state: &mut State,
    most: u32,
    by: &mut impl Carrier,
) -> Result<Taken, Broken> {
    let mut bits = Bits::new(&mut state.owned, count);
    let (end, now) = (&mut state.end, cpu::seconds());
    end.transmit(&LIMITS, most, now, &mut bits, |buffer, entry| {
        let sent = by.copy(Outgoing {
            memory,
            at: place(buffer, entry.offset),
            len: entry.len,
            port: PortId(entry.port),
        });
        match sent {
            Ok(()) => Sent::For(buffer),
            Err(bad) => Sent::Refused(bad, buffer),
        }
    })
}

/// The same with frames in buffers of the pool, which are sent as they are. The application gets others
/// after all of them.
#[inline(never)]
pub(super) fn transmit_lent(
    pool: &Arc<BufferPool>,
    id: ChannelId,
    state: &mut State,
    most: &mut u32,
    by: &mut impl Carrier,
) -> Result<Taken, Broken> {
    // What there is no other one for stays on the ring.
    *most = by.stock(pool).secure(*most as usize) as u32;
    let mut lending = Lending::new(pool, id, engine());
    let (end, now) = (&mut state.end, cpu::seconds());
    let taken = end.transmit(&LIMITS, *most, now, &mut lending, |buf, entry| {
        match buf.frame(entry.offset, entry.len) {
            Ok(frame) => by.pass(frame, PortId(entry.port)),
            Err(buf) => Sent::Refused(Bad::OutOfBuffer, buf),
        }
    })?;
    let mut stock = by.stock(pool).open();
    while end.owed() != 0 {
        let before = end.owed();
        end.repay(stock.numbers(Tag::channel(id), before as usize));
        if end.owed() == before {
            break;
        }
    }
    Ok(taken)
}
