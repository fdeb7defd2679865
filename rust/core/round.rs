// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! A burst on its way through an engine, and the short way through it: packets of known connections
//! about which there is nothing to think.

use super::config::{BackendId, ServiceId};
use super::connection::entry::{backend_of, service_of};
use super::connection::tcp_state::EVENTS;
use super::counters::{self, Lane};
use super::engine::{Engine, EngineState, Packet};
use super::env::Atom;
use super::filter::{Filter, FROM_HOST};
use super::frame::{Frame, Origin, PortId, BURST};
use super::neighbour::port_of;
use super::pipeline::Switch;
use super::rewrite::{self, Headers};
use super::verdict::Verdict;
use super::wire::ethernet::ETH_HLEN;
use super::wire::ipv4::{self, IP_HLEN};

/// One burst on its way through an engine.
pub(super) struct Round<'s, 'e, 'a, A> {
    pub(super) switch: &'s Switch<'s, A>,
    pub(super) lane: Lane<'a, A>,
    pub(super) positions: &'e mut [u32],
    pub(super) state: &'e mut EngineState,
    pub(super) stamp: u32,
    pub(super) now: u32,
    /// The port the frames came from, or on whose pseudo interface the host sent them.
    pub(super) port: PortId,
    pub(super) mac: [u8; 6],
    pub(super) from_host: bool,
    /// Verdicts other than `Forward`.
    pub(super) others: u64,
}

impl<'s, 'e, 'a, A: Atom> Round<'s, 'e, 'a, A> {
    /// The round; the room for what the first look at each packet finds; the memory of recent flows.
    pub(super) fn new(
        switch: &'s Switch<'s, A>,
        engine: &'e mut Engine<'a, A>,
        origin: Origin,
        now: u32,
        count: usize,
    ) -> (Self, &'e mut [Packet], &'e mut [u64]) {
        let Engine {
            lane,
            positions,
            recent,
            state,
            scratch,
        } = engine;
        let (port, from_host) = match origin {
            Origin::Port(port) => (port, false),
            Origin::Host(port) => (port, true),
        };
        let mac = switch.routes.port(port).map_or([0; 6], |info| info.mac());
        let stamp = switch.stamp();
        let lane = *lane;
        (
            Self {
                switch,
                lane,
                positions,
                state,
                stamp,
                now,
                port,
                mac,
                from_host,
                others: 0,
            },
            scratch.0.get_mut(..count.min(BURST)).unwrap_or(&mut []),
            recent,
        )
    }

    /// Which frames are addressed to the switch.
    pub(super) fn filter(&self) -> Filter {
        if self.from_host {
            Filter::sent()
        } else {
            Filter::received(self.mac)
        }
    }

    /// Step 220 for a packet of a known connection about which there is nothing to think; `None` for
    /// any other one, which is then left as it was.
    #[inline(always)]
    pub(super) fn express(&self, packet: &Packet, frame: Frame<'_>) -> Option<Verdict> {
        let headers = frame.head.first_chunk_mut()?;
        let entry = self.switch.connections.entry(packet.candidate)?;
        let version = entry.begin(packet.key)?;
        if packet.flags & (EVENTS | FROM_HOST) != 0 || !entry.is_quiet() {
            return None;
        }
        let next = self
            .switch
            .neighbours
            .value(entry.hop(version, self.stamp)?)?;
        let port = self.switch.routes.port(port_of(next))?;
        let size = match frame.segment_len {
            0 => frame.len.wrapping_sub(ETH_HLEN as u32),
            segment_len => segment_len,
        };
        let rewrite = entry.rewrite();
        if size > port.mtu() || time_to_live(headers) <= 1 || !entry.end(version) {
            return None;
        }
        rewrite::forward(headers, frame.checksum, &rewrite, next, port.ip_word());
        entry.touch(self.now);
        let is_reply = packet.candidate & 1 != 0;
        self.account(
            service_of(version),
            backend_of(version),
            is_reply,
            frame.len,
        );
        Some(Verdict::Forward(port_of(next)))
    }

    /// Counts a packet of a connection.
    #[inline(always)]
    pub(super) fn account(&self, service: ServiceId, backend: BackendId, is_reply: bool, len: u32) {
        let (lane, len) = (&self.lane, u64::from(len));
        let Some(backend) = lane.backends.get(usize::from(backend.0)) else {
            return;
        };
        if is_reply {
            counters::add(&backend.reply_packets, 1);
            counters::add(&backend.reply_bytes, len);
            return;
        }
        counters::add(&backend.packets, 1);
        counters::add(&backend.bytes, len);
        if let Some(service) = lane.services.get(usize::from(service.0)) {
            counters::add(&service.packets, 1);
            counters::add(&service.bytes, len);
        }
    }

    /// Adds the burst to the counters.
    pub(super) fn finish(self, count: usize, bytes: u64) {
        let (lane, count) = (&self.lane, count as u64);
        counters::add(&lane.totals.packets, count);
        counters::add(&lane.totals.bytes, bytes);
        counters::add(&lane.totals.forwarded, count.wrapping_sub(self.others));
        if let Some(port) = lane.ports.get(usize::from(self.port.0)) {
            if self.from_host {
                counters::add(&port.host_packets, count);
            } else {
                counters::add(&port.rx_packets, count);
                counters::add(&port.rx_bytes, bytes);
            }
        }
    }
}

/// The IPv4 header of a frame.
pub(super) fn internet_header<'f>(frame: &'f Frame<'_>) -> Option<&'f ipv4::Header> {
    frame.head.get(ETH_HLEN..)?.first_chunk::<IP_HLEN>()
}

#[inline(always)]
fn time_to_live(headers: &Headers) -> u8 {
    let header = headers.get(ETH_HLEN..).and_then(<[u8]>::first_chunk);
    header.map_or(0, ipv4::ttl)
}
