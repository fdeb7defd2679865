// SPDX-License-Identifier: GPL-2.0

//! Frames on their way to an application.

use super::handle::State;
use super::Channel;
use crate::core_::channel::end::{Broken, Given};
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
        let given = self.deliver(1, |state| {
            region.buffers.copy_in(state, *id, (octets, port))
        });
        given != 0
    }

    /// Gives the application frames that `port` received in buffers of `stock`. Those for which it
    /// has given no buffers stay.
    #[inline(always)]
    pub(crate) fn pass(
        &mut self,
        frames: &mut impl ExactSizeIterator<Item = Buffered>,
        port: PortId,
        stock: &mut Stock,
    ) {
        let Channel { id, region, .. } = self.channel;
        let most = frames.len() as u32;
        self.deliver(most, |state| {
            region
                .buffers
                .pass_in((state, *id), (most, frames), port, stock)
        });
    }

    /// Steps 341 to 344 of figure 13, for `most` frames. Tells how many the application has got.
    #[inline(always)]
    fn deliver(
        &mut self,
        most: u32,
        give: impl FnOnce(&mut State) -> Result<Given, Broken>,
    ) -> u32 {
        let given = match self.state.open {
            true => give(&mut self.state),
            false => Ok(Given::default()),
        };
        let given = given.unwrap_or_else(|Broken| {
            self.state.close(self.channel.door());
            Given::default()
        });
        let counts = &mut self.state.counts;
        let dropped = most.saturating_sub(given.frames);
        counts.rx_packets = counts.rx_packets.wrapping_add(given.frames.into());
        counts.rx_bytes = counts.rx_bytes.wrapping_add(given.octets);
        counts.rx_dropped = counts.rx_dropped.wrapping_add(dropped.into());
        given.frames
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        self.state.flush(self.channel.door());
    }
}
