// SPDX-License-Identifier: GPL-2.0

//! Frames on their way to an application.

use super::handle::{place, State};
use super::Channel;
use crate::core_::channel::end::Broken;
use crate::core_::channel::ledger::Bits;
use crate::core_::channel::wants::ChannelId;
use crate::core_::frame::PortId;
use crate::kapi::buffer::HEADROOM;
use crate::kapi::cpu;
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

    /// Copies a frame that `port` received (figure 13, steps 341 to 344); false if the application
    /// has given no buffer for it.
    pub(crate) fn frame(&mut self, octets: &[u8], port: PortId) -> bool {
        let put = self.put(octets, port);
        let counts = &mut self.state.counts;
        if put {
            counts.rx_packets = counts.rx_packets.wrapping_add(1);
            counts.rx_bytes = counts.rx_bytes.wrapping_add(octets.len() as u64);
        } else {
            counts.rx_dropped = counts.rx_dropped.wrapping_add(1);
        }
        put
    }

    fn put(&mut self, octets: &[u8], port: PortId) -> bool {
        let State {
            end,
            owned,
            buffers,
            open,
            ..
        } = &mut *self.state;
        let Some(mut owned) = Bits::new(owned, *buffers) else {
            return false;
        };
        if !*open {
            return false;
        }
        let region = &self.channel.region;
        let what = (octets.len(), port.0);
        let done = end.deliver(cpu::seconds(), &mut owned, what, |buffer| {
            region
                .memory
                .copy_in(place(buffer, HEADROOM as u16), octets);
        });
        match done {
            Ok(done) => done,
            Err(Broken) => {
                self.state.close(self.channel.door());
                false
            }
        }
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        self.state.flush(self.channel.door());
    }
}
