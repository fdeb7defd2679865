// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! A burst on its way through an engine, and the short way through it: packets of known connections
//! about which there is nothing to think.

use ::core::mem::take;

use super::channel::wants::{ChannelId, Wants};
use super::config::{BackendId, ServiceId};
use super::connection::entry::{backend_of, service_of};
use super::connection::tcp_state::EVENTS;
use super::counters::{self, Lane};
use super::engine::{Engine, EngineState, Packet, Scout, SAME, WANTED};
use super::env::Atom;
use super::filter::Filter;
use super::frame::{Frame, Origin, PortId, BURST};
use super::neighbour::port_of;
use super::pipeline::Switch;
use super::rewrite::{self, Headers};
use super::run::{Known, Run, Way};
use super::verdict::Verdict;
use super::wire::ethernet::ETH_HLEN;
use super::wire::ipv4::{self, IP_HLEN};

/// One burst on its way through an engine.
pub(super) struct Round<'s, 'e, 'a, A> {
    pub(super) switch: &'s Switch<'s, A>,
    pub(super) lane: Lane<'a, A>,
    pub(super) positions: &'e mut [u32],
    pub(super) state: &'e mut EngineState,
    /// The engine's memory of recent flows.
    pub(super) recent: &'e mut [u64],
    pub(super) stamp: u32,
    pub(super) now: u32,
    /// The port the frames came from, or on whose pseudo interface the host sent them.
    pub(super) port: PortId,
    pub(super) mac: [u8; 6],
    pub(super) from_host: bool,
    /// Verdicts other than `Forward`.
    pub(super) others: u64,
    /// Those of them that go to a channel.
    pub(super) channel: u64,
}

impl<'s, 'e, 'a, A: Atom> Round<'s, 'e, 'a, A> {
    /// The round, and the room for what the first look at each packet finds.
    pub(super) fn new(
        switch: &'s Switch<'s, A>,
        engine: &'e mut Engine<'a, A>,
        origin: Origin,
        now: u32,
        count: usize,
    ) -> (Self, &'e mut [Packet]) {
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
                recent,
                stamp,
                now,
                port,
                mac,
                from_host,
                others: 0,
                channel: 0,
            },
            scratch.0.get_mut(..count.min(BURST)).unwrap_or(&mut []),
        )
    }

    /// Who wants all that the port receives.
    #[inline(always)]
    pub(super) fn whole_port(&self) -> Option<ChannelId> {
        let wants = &self.switch.wants;
        match wants.is_empty() || self.from_host {
            true => None,
            false => wants.port(self.port),
        }
    }

    /// Packets that go to a channel.
    #[inline(always)]
    pub(super) fn hand_over(&mut self, channel: ChannelId, count: usize) -> Verdict {
        self.others = self.others.wrapping_add(count as u64);
        self.channel = self.channel.wrapping_add(count as u64);
        Verdict::Channel(channel)
    }

    /// For the first look at the frames.
    #[inline(always)]
    pub(super) fn scout(&self) -> Scout<'_> {
        // What the host sends is not for applications.
        let wants = match self.from_host {
            true => Wants::none(),
            false => self.switch.wants,
        };
        Scout::new(self.filter(), wants, self.recent)
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
    pub(super) fn express<'p>(
        &self,
        packet: &'p Packet,
        frame: Frame<'_>,
        run: &mut Run<'p, 's, A>,
    ) -> Option<Verdict> {
        let headers = frame.head.first_chunk_mut()?;
        let len = match frame.segment_len {
            0 => frame.len,
            segment_len => segment_len.saturating_add(ETH_HLEN as u32),
        };
        let kind = packet.flags & (EVENTS | SAME | WANTED);
        if kind != SAME {
            if kind != 0 {
                return None;
            }
            self.turn(packet, run);
        }
        let way = &run.way;
        if len > way.longest || time_to_live(headers) <= 1 {
            return None;
        }
        let (dest, source) = (way.next, way.source);
        rewrite::forward(headers, frame.checksum, &way.rewrite, dest, source);
        run.packets = run.packets.wrapping_add(1);
        run.bytes = run.bytes.wrapping_add(frame.len.into());
        Some(Verdict::Forward(port_of(dest)))
    }

    /// Ends a run, and begins one with the connection of a packet, if it is known where the packets
    /// of that go.
    // A call, so that the run is in memory and leaves the registers to the rewriting.
    #[inline(never)]
    fn turn<'p>(&self, packet: &'p Packet, run: &mut Run<'p, 's, A>) {
        self.end(run);
        run.head = Some(packet);
        if let Some((known, way)) = self.find(packet) {
            run.ways.add(Verdict::Forward(port_of(way.next)));
            (run.known, run.way) = (Some(known), way);
        }
    }

    #[inline(always)]
    fn find(&self, packet: &Packet) -> Option<(Known<'s, A>, Way)> {
        if self.from_host {
            return None;
        }
        let entry = self.switch.connections.entry(packet.candidate)?;
        let version = entry.begin(packet.key)?;
        let hop = entry.hop(version, self.stamp)?;
        let next = self.switch.neighbours.value(hop)?;
        let port = self.switch.routes.port(port_of(next))?;
        let (quiet, rewrite) = (entry.is_quiet(), entry.rewrite());
        let known = Known {
            entry,
            version,
            is_reply: packet.candidate & 1 != 0,
        };
        let way = Way {
            rewrite,
            next,
            source: port.ip_word(),
            longest: port.mtu().saturating_add(ETH_HLEN as u32),
        };
        (quiet && entry.end(version)).then_some((known, way))
    }

    /// Ends a run: counts its packets.
    #[inline(always)]
    pub(super) fn end(&self, run: &mut Run<'_, 's, A>) {
        run.way.longest = 0;
        let sum = (take(&mut run.packets), take(&mut run.bytes));
        let Some(known) = run.known.take() else {
            return;
        };
        if sum.0 == 0 {
            return;
        }
        if known.entry.end(known.version) {
            known.entry.touch(self.now);
        }
        let (service, backend) = (service_of(known.version), backend_of(known.version));
        self.account(service, backend, known.is_reply, sum);
    }

    /// Counts packets of a connection, and their octets.
    #[inline(always)]
    pub(super) fn account(
        &self,
        service: ServiceId,
        backend: BackendId,
        is_reply: bool,
        (packets, bytes): (u64, u64),
    ) {
        let lane = &self.lane;
        let Some(backend) = lane.backends.get(usize::from(backend.0)) else {
            return;
        };
        if is_reply {
            counters::add(&backend.reply_packets, packets);
            counters::add(&backend.reply_bytes, bytes);
            return;
        }
        counters::add(&backend.packets, packets);
        counters::add(&backend.bytes, bytes);
        if let Some(service) = lane.services.get(usize::from(service.0)) {
            counters::add(&service.packets, packets);
            counters::add(&service.bytes, bytes);
        }
    }

    /// Adds the burst to the counters.
    pub(super) fn finish(self, count: usize, bytes: u64) {
        let (lane, count) = (&self.lane, count as u64);
        counters::add(&lane.totals.packets, count);
        counters::add(&lane.totals.bytes, bytes);
        counters::add(&lane.totals.forwarded, count.wrapping_sub(self.others));
        if self.channel != 0 {
            counters::add(&lane.totals.channel, self.channel);
        }
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
