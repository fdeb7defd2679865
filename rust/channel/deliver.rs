// SPDX-License-Identifier: GPL-2.0

//! Frames on their way to an application.

use super::handle::State;
use super::Channel;
use crate::core_::channel::end::Broken;
use crate::core_::channel::wants::ChannelId;
use crate::core_::frame::PortId;
use crate::kapi::buffer::Buffered;
use crate::kapi::pool::Stock;
use kernel::sync::lock::spinlock::SpinLockBackend;
use kernel::sync::lock::Guard;

/// Frames for one application, which sees them when this is dropped.
pub(crate) struct Delivery<'a> {
    channel: &'a Channel,
    state: Guard<'a, State, SpinLockBackend>,
}

impl Channel {
    /// Begins to give the application frames.
    pub(crate) fn deliver(&self) -> Delivery<'_> {
        Delivery {
            channel: self,
            state: self.state.lock(),
        }
    }
}

impl Delivery<'_> {
    /// Whom it is for.
    #[inline(always)]
    pub(crate) fn to(&self) -> ChannelId {
        self.channel.id
    }

    /// Gives the application a copy of a frame that `port` received; false if it has given no
    /// buffer for it.
    pub(crate) fn copy(&mut self, octets: &[u8], port: PortId) -> bool {
        let Channel { id, region, .. } = self.channel;
        let len = octets.len();
        self.deliver(len, |state| {
            region.buffers.copy_in(state, *id, (octets, port))
        })
    }

    /// The same with a frame in a buffer, which changes hands if it can.
    pub(crate) fn pass(&mut self, frame: Buffered, port: PortId, stock: &mut Stock) -> bool {
        let Channel { id, region, .. } = self.channel;
        if !self.state.open {
            stock.give(frame.into_buf());
            return self.count(false, 0);
        }
        let len = frame.len();
        self.deliver(len.into(), |state| {
            region.buffers.pass_in(state, *id, (frame, port), stock)
        })
    }

    /// Steps 341 to 344 of figure 13.
    fn deliver(
        &mut self,
        len: usize,
        give: impl FnOnce(&mut State) -> Result<bool, Broken>,
    ) -> bool {
        if !self.state.open {
            return self.count(false, 0);
        }
        let given = give(&mut self.state).unwrap_or_else(|Broken| {
            self.state.close(self.channel.door());
            false
        });
        self.count(given, len)
    }

    fn count(&mut self, given: bool, len: usize) -> bool {
        let counts = &mut self.state.counts;
        if given {
            counts.rx_packets = counts.rx_packets.wrapping_add(1);
            counts.rx_bytes = counts.rx_bytes.wrapping_add(len as u64);
        } else {
            counts.rx_dropped = counts.rx_dropped.wrapping_add(1);
        }
        given
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        self.state.flush(self.channel.door());
    }
}
