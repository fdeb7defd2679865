// SPDX-License-Identifier: GPL-2.0

//! What applications receive, and what they send.

use core::iter::once;

use super::Out;
use crate::channel::{Channel, Delivery, Outgoing};
use crate::core_::channel::bad::Bad;
use crate::core_::channel::end::Sent;
use crate::core_::channel::wants::ChannelId;
use crate::core_::frame::PortId;
use crate::core_::verdict::DropReason;
use crate::engine::Hands;
use crate::kapi::buffer::{Buf, Buffered};
use crate::kapi::burst::Packets;
use crate::kapi::nic::copy_with;
use crate::kapi::pool::Stock;
use crate::kapi::skb::ETH_HLEN;
use crate::port::Port;

impl<'a> Out<'a> {
    /// Begins to give an application frames.
    fn deliver_to(&mut self, to: ChannelId) -> Option<&mut Delivery<'a>> {
        if self.delivery.as_ref().is_none_or(|open| open.to() != to) {
            // One at a time: each is locked.
            self.delivery = None;
            let channel = self.audience.and_then(|all| all.channel(to));
            self.delivery = channel.map(Channel::deliver);
        }
        self.delivery.as_mut()
    }

    /// Gives an application a copy of a frame that `from` received.
    pub(in crate::engine) fn deliver(&mut self, to: ChannelId, frame: &[u8], from: PortId) {
        let open = self.deliver_to(to);
        if !open.is_some_and(|open| open.copy(frame, from)) {
            self.lane.drop(DropReason::ChannelFull, from);
        }
    }

    /// The same with one in a buffer.
    #[inline]
    pub(in crate::engine) fn deliver_frame(
        &mut self,
        to: ChannelId,
        frame: Buffered,
        from: PortId,
        hands: &mut Hands<'_>,
    ) {
        // There is a stock: the frame's buffer came out of it.
        let Some(stock) = hands.stock() else {
            return;
        };
        self.deliver_frames(to, once(frame), from, stock);
    }

    /// The same with a whole burst.
    // See `Rx::receive`.
    #[inline(never)]
    pub(in crate::engine) fn deliver_burst(
        &mut self,
        to: ChannelId,
        burst: &mut Packets<Buffered>,
        from: PortId,
        hands: &mut Hands<'_>,
    ) -> bool {
        let Some(stock) = hands.stock() else {
            return false;
        };
        self.deliver_frames(to, burst.all().drain(), from, stock);
        true
    }

    #[inline(always)]
    fn deliver_frames(
        &mut self,
        to: ChannelId,
        mut frames: impl ExactSizeIterator<Item = Buffered>,
        from: PortId,
        stock: &mut Stock,
    ) {
        if let Some(open) = self.deliver_to(to) {
            open.pass(&mut frames, from, stock);
        }
        for frame in frames {
            stock.give(frame.into_buf());
            self.lane.drop(DropReason::ChannelFull, from);
        }
    }

    /// Turns to the port that a frame of an application is to leave by; `None` if that is down,
    /// which is counted.
    #[inline(always)]
    fn turn(
        &mut self,
        to: PortId,
        len: u16,
        hands: &mut Hands<'_>,
    ) -> Result<Option<&'a Port>, Bad> {
        match to == self.to && u32::from(len) <= self.longest {
            true => Ok(self.target),
            false => self.turn_anew(to, len, hands),
        }
    }

    #[inline(never)]
    fn turn_anew(
        &mut self,
        to: PortId,
        len: u16,
        hands: &mut Hands<'_>,
    ) -> Result<Option<&'a Port>, Bad> {
        self.topology.port(to).ok_or(Bad::NoSuchPort)?;
        let info = self.topology.routes().port(to);
        let Some(info) = info.filter(|info| info.is_up()) else {
            self.lane.drop(DropReason::PortDown, to);
            return Ok(None);
        };
        let longest = info.mtu().saturating_add(ETH_HLEN as u32);
        if u32::from(len) > longest {
            return Err(Bad::WrongLength);
        }
        let target = self.aim(to, hands);
        self.longest = longest;
        Ok(target)
    }

    /// Sends what an application sends in a buffer of the pool; it gets another one for what is kept.
    // One with the loop over what the application has put on its ring.
    #[inline(always)]
    pub(in crate::engine) fn passed(
        &mut self,
        mut frame: Buffered,
        to: PortId,
        hands: &mut Hands<'_>,
    ) -> Sent<Buf> {
        let target = match self.turn(to, frame.len(), hands) {
            Ok(Some(target)) => target,
            Ok(None) => return Sent::For(frame.into_buf()),
            Err(bad) => return Sent::Refused(bad, frame.into_buf()),
        };
        if target.io().native().is_none() {
            return Sent::For(self.as_skb(frame));
        }
        frame.pad();
        self.put(frame, hands);
        Sent::Kept
    }

    /// Sends a copy of what an application sends.
    pub(in crate::engine) fn copied(
        &mut self,
        frame: Outgoing<'_>,
        hands: &mut Hands<'_>,
    ) -> Result<(), Bad> {
        let Some(target) = self.turn(frame.port, frame.len, hands)? else {
            return Ok(());
        };
        match target.io().native() {
            Some(nic) => {
                let stock = hands.stock_of(nic.pool());
                match copy_with(stock, frame.len.into(), |to| {
                    frame.memory.copy_out(frame.at, to)
                }) {
                    Some(copy) => self.put(copy, hands),
                    None => self.lane.drop(DropReason::NoMemory, frame.port),
                }
            }
            None => match frame.memory.to_skb(frame.at, frame.len.into()) {
                Ok(skb) => self.skbs.push(skb),
                Err(_) => self.lane.drop(DropReason::NoMemory, frame.port),
            },
        }
        Ok(())
    }
}
