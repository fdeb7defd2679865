// SPDX-License-Identifier: GPL-2.0

//! Packets on their way out of a port: gathered, so that there is one lock and
//! one doorbell for all that leave by the same one.

use core::iter::once;

use super::Hands;
use crate::channel::{Audience, Channel, Delivery, Outgoing};
use crate::core_::channel::bad::Bad;
use crate::core_::channel::end::Sent;
use crate::core_::channel::wants::ChannelId;
use crate::core_::counters::Lane;
use crate::core_::frame::{Burst as _, PortId};
use crate::core_::verdict::DropReason;
use crate::kapi::atom::KAtom;
use crate::kapi::buffer::{Buf, Buffered};
use crate::kapi::burst::Packets;
use crate::kapi::cpu;
use crate::kapi::nic::{copy_in, copy_with, FrameOut};
use crate::kapi::pool::Stock;
use crate::kapi::skb::{Skb, ETH_HLEN};
use crate::kapi::skb_out::OutBurst;
use crate::port::io::Io;
use crate::port::Port;
use crate::switch::{Tables, Topology};

/// What leaves by one port.
pub(super) struct Out<'a> {
    topology: &'a Topology,
    audience: Option<&'a Audience>,
    /// Frames for an application.
    delivery: Option<Delivery<'a>>,
    pub(super) lane: Lane<'a, KAtom>,
    to: PortId,
    target: Option<&'a Port>,
    /// Octets of the longest frame that an application may send by that port; 0 if nobody has looked.
    longest: u32,
    skbs: OutBurst,
    frames: FrameOut,
}

impl<'a> Out<'a> {
    /// Nothing yet.
    #[inline(always)]
    pub(super) fn new(tables: &Tables<'a>, lane: Lane<'a, KAtom>) -> Self {
        Self {
            topology: tables.topology,
            audience: tables.audience,
            delivery: None,
            lane,
            to: PortId(u16::MAX),
            target: None,
            longest: 0,
            skbs: OutBurst::new(),
            frames: FrameOut::new(),
        }
    }

    /// Turns to a port, after what leaves by another one has gone.
    #[inline(always)]
    fn aim(&mut self, to: PortId, hands: &mut Hands<'_>) -> Option<&'a Port> {
        if to != self.to {
            self.flush(hands);
            self.to = to;
            self.target = self.topology.port(to);
            self.longest = 0;
        }
        if self.target.is_none() {
            self.lane.drop(DropReason::PortDown, to);
        }
        self.target
    }

    /// Sends a packet of the kernel's kind.
    #[inline(always)]
    pub(super) fn skb(&mut self, to: PortId, skb: Skb, hands: &mut Hands<'_>) {
        match self.aim(to, hands).map(Port::io) {
            Some(Io::Netdev(_)) => self.skbs.push(skb),
            Some(_) => self.copy_to_frames(skb, hands),
            None => drop(skb),
        }
    }

    /// Sends a frame in a buffer.
    #[inline(always)]
    pub(super) fn frame(&mut self, to: PortId, frame: Buffered, hands: &mut Hands<'_>) {
        match self.aim(to, hands).map(Port::io) {
            Some(Io::Netdev(_)) => self.copy_to_skb(frame, hands),
            Some(_) => self.put(frame, hands),
            None => hands.give(frame),
        }
    }

    /// Sends a whole burst by one port, if that takes frames as they are.
    #[inline(always)]
    pub(super) fn burst(
        &mut self,
        to: PortId,
        burst: &mut Packets<Buffered>,
        hands: &mut Hands<'_>,
    ) -> bool {
        let target = self.topology.port(to);
        let pair = target.map_or(0, |port| port.sender(hands.cpu()));
        let nic = target.and_then(|port| port.io().native());
        let (Some(nic), Some(stock)) = (nic, hands.stock()) else {
            return false;
        };
        self.to = to;
        let n = burst.len();
        let (sent, bytes) = nic.send(pair, burst.all(), stock);
        self.sent(n, sent, bytes);
        true
    }

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
    pub(super) fn deliver(&mut self, to: ChannelId, frame: &[u8], from: PortId) {
        let open = self.deliver_to(to);
        if !open.is_some_and(|open| open.copy(frame, from)) {
            self.lane.drop(DropReason::ChannelFull, from);
        }
    }

    /// The same with one in a buffer.
    #[inline]
    pub(super) fn deliver_frame(
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
    pub(super) fn deliver_burst(
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

    /// Sends what an application sends in a buffer of the pool; it gets another one for that.
    // One with the loop over what the application has put on its ring.
    #[inline(always)]
    pub(super) fn passed(
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
        let Some(nic) = target.io().native() else {
            return Sent::For(self.as_skb(frame));
        };
        let Some(other) = hands.stock_of(nic.pool()).take() else {
            self.lane.drop(DropReason::NoMemory, to);
            return Sent::For(frame.into_buf());
        };
        frame.pad();
        self.put(frame, hands);
        Sent::For(other)
    }

    /// Sends a copy of a frame in a packet of the kernel's kind; gives the buffer back.
    #[inline(never)]
    fn as_skb(&mut self, mut frame: Buffered) -> Buf {
        match Skb::from_frame(frame.octets_mut()) {
            Ok(skb) => self.skbs.push(skb),
            Err(_) => self.lane.drop(DropReason::NoMemory, self.to),
        }
        frame.into_buf()
    }

    /// Sends a copy of what an application sends.
    pub(super) fn copied(&mut self, frame: Outgoing<'_>, hands: &mut Hands<'_>) -> Result<(), Bad> {
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

    #[inline(always)]
    fn put(&mut self, frame: Buffered, hands: &mut Hands<'_>) {
        if let Err(frame) = self.frames.push(frame) {
            self.flush(hands);
            // There is room now.
            if let Err(frame) = self.frames.push(frame) {
                hands.give(frame);
            }
        }
    }

    /// Copies a packet of the kernel's kind into buffers: a large one becomes
    /// several frames, and checksums are finished.
    #[inline(never)]
    fn copy_to_frames(&mut self, skb: Skb, hands: &mut Hands<'_>) {
        let Some(nic) = self.target.and_then(|port| port.io().native()) else {
            return;
        };
        let pool = nic.pool();
        let (mut frames, mut copied) = (0u32, 0);
        skb.into_frames(|octets| {
            frames = frames.saturating_add(1);
            if let Some(frame) = copy_in(hands.stock_of(pool), octets) {
                self.put(frame, hands);
                copied += 1;
            }
        });
        if frames == 0 || copied < frames {
            self.lane.drop(DropReason::NoMemory, self.to);
        }
    }

    /// Copies a frame into a packet of the kernel's kind.
    #[inline(never)]
    fn copy_to_skb(&mut self, mut frame: Buffered, hands: &mut Hands<'_>) {
        frame.finish_checksum();
        let buf = self.as_skb(frame);
        if let Some(stock) = hands.stock() {
            stock.give(buf);
        }
    }

    /// Sends what was gathered.
    #[inline]
    pub(super) fn flush(&mut self, hands: &mut Hands<'_>) {
        self.delivery = None;
        if !self.skbs.is_empty() {
            let (n, sent, bytes) = match self.target {
                Some(port) => self
                    .skbs
                    .send(|skbs| port.devices().transmit(skbs, cpu::current())),
                None => (self.skbs.free(), 0, 0),
            };
            self.sent(n, sent, bytes);
        }
        if !self.frames.is_empty() {
            let n = self.frames.len();
            let pair = self.target.map_or(0, |port| port.sender(hands.cpu()));
            let nic = self.target.and_then(|port| port.io().native());
            let (sent, bytes) = match (nic, hands.stock()) {
                (Some(nic), Some(stock)) => nic.send(pair, &mut self.frames, stock),
                _ => (0, 0),
            };
            self.sent(n, sent, bytes);
        }
    }

    /// Counts. Octets of packets that the NIC did not take count as sent; they
    /// are counted as dropped, too, and hardly ever there.
    #[inline(always)]
    fn sent(&self, n: usize, sent: usize, bytes: u64) {
        self.lane.sent(self.to, sent as u64, bytes);
        for _ in sent..n {
            self.lane.drop(DropReason::TxBusy, self.to);
        }
    }
}
