// SPDX-License-Identifier: GPL-2.0

//! Packets on their way out of a port: gathered, so that there is one lock and
//! one doorbell for all that leave by the same one.

mod channel;

use super::Hands;
use crate::channel::{Audience, Delivery};
use crate::core_::counters::Lane;
use crate::core_::frame::{Burst as _, PortId};
use crate::core_::verdict::DropReason;
use crate::kapi::atom::KAtom;
use crate::kapi::buffer::{Buf, Buffered};
use crate::kapi::burst::Packets;
use crate::kapi::cpu;
use crate::kapi::nic::{copy_in, FrameOut};
use crate::kapi::skb::Skb;
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

    /// Sends a copy of a frame in a packet of the kernel's kind; gives the buffer back.
    #[inline(never)]
    fn as_skb(&mut self, mut frame: Buffered) -> Buf {
        match Skb::from_frame(frame.octets_mut()) {
            Ok(skb) => self.skbs.push(skb),
            Err(_) => self.lane.drop(DropReason::NoMemory, self.to),
        }
        frame.into_buf()
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
