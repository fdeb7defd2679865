// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The decision about each packet of a burst, called by [`pipeline`](super::pipeline) stage by
//! stage.

use super::connection::entry::Hit;
use super::connection::table::{NewConnection, Refused};
use super::connection::tcp_state::{State, EVENTS};
use super::counters::{self, Lane};
use super::engine::{Engine, EngineState, Packet};
use super::env::Atom;
use super::filter::{Filter, Other, FROM_HOST};
use super::frame::{Frame, Origin, PortId, BURST};
use super::neighbour::port_of;
use super::pipeline::Switch;
use super::route::Hop;
use super::schedule;
use super::verdict::{DropReason, Verdict};
use super::wire::ethernet::ETH_HLEN;
use super::wire::icmp::{ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ICMP_TIME_EXCEEDED};
use super::wire::ipv4::{self, IPPROTO_TCP, IP_HLEN};
use super::wire::tcp::{ACK, FIN, RST, SYN};
use super::{reply, rewrite};

/// One burst on its way through an engine.
pub(super) struct Round<'s, 'e, 'a, A> {
    switch: &'s Switch<'s, A>,
    lane: Lane<'a, A>,
    positions: &'e mut [u32],
    state: &'e mut EngineState,
    stamp: u32,
    now: u32,
    /// The port the frames came from, or on whose pseudo interface the host sent them.
    port: PortId,
    mac: [u8; 6],
    from_host: bool,
    /// Verdicts other than `Forward`.
    others: u64,
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

    /// Step 220 for a packet of a known connection about which there is nothing to think; `None` for any other one.
    #[inline(always)]
    pub(super) fn express(&self, packet: &Packet, frame: Frame<'_>) -> Option<Verdict> {
        let hit = self.switch.connections.read(packet.candidate, packet.key)?;
        if packet.flags & (EVENTS as u16 | FROM_HOST) != 0 || !hit.is_quiet() {
            return None;
        }
        let next = self.switch.neighbours.value(hit.hop(self.stamp)?)?;
        let port = self.switch.routes.port(port_of(next))?;
        let size = match frame.segment_len {
            0 => frame.len.wrapping_sub(ETH_HLEN as u32),
            segment_len => segment_len,
        };
        if size > port.mtu() || time_to_live(&frame) <= 1 {
            return None;
        }
        rewrite::forward(
            frame.head,
            frame.checksum,
            &hit.rewrite,
            next,
            port.mac_word(),
        );
        hit.touch(self.now);
        self.account(&hit, frame.len);
        Some(Verdict::Forward(port_of(next)))
    }

    /// Counts a packet of a connection.
    #[inline(always)]
    fn account(&self, hit: &Hit<'_, A>, len: u32) {
        let (lane, len) = (&self.lane, u64::from(len));
        let Some(backend) = lane.backends.get(usize::from(hit.backend().0)) else {
            return;
        };
        if hit.is_reply() {
            counters::add(&backend.reply_packets, 1);
            counters::add(&backend.reply_bytes, len);
            return;
        }
        counters::add(&backend.packets, 1);
        counters::add(&backend.bytes, len);
        if let Some(service) = lane.services.get(usize::from(hit.service().0)) {
            counters::add(&service.packets, 1);
            counters::add(&service.bytes, len);
        }
    }

    /// Steps 206 to 224 for a packet that takes some thought.
    #[inline(never)]
    pub(super) fn decide(&mut self, packet: &Packet, frame: &mut Frame<'_>) -> Verdict {
        let verdict = match packet.key.protocol() {
            0 => self.other(frame),
            _ => self.flow(packet, frame),
        };
        let totals = self.lane.totals;
        match verdict {
            Verdict::Forward(_) => return verdict,
            Verdict::Stack => {
                counters::add(&totals.stack, 1);
                if let Some(port) = self.lane.ports.get(usize::from(self.port.0)) {
                    counters::add(&port.stack_packets, 1);
                }
            }
            Verdict::Reply { .. } => counters::add(&totals.replied, 1),
            Verdict::Resolve { .. } => counters::add(&totals.resolved, 1),
            Verdict::Drop(reason) => self.lane.drop(reason, self.port),
        }
        self.others = self.others.wrapping_add(1);
        verdict
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

    /// What the switch has nothing to do with goes on as it is: up to the host, or out of the port
    /// the host chose.
    fn untouched(&self) -> Verdict {
        if self.from_host {
            Verdict::Forward(self.port)
        } else {
            Verdict::Stack
        }
    }

    /// A frame that is no packet of a flow.
    fn other(&mut self, frame: &mut Frame<'_>) -> Verdict {
        if self.from_host {
            return self.untouched();
        }
        match self.filter().other(frame, &self.switch.config) {
            Other::Foreign => Verdict::Stack,
            Other::Arp => reply_or(
                reply::arp(frame, &self.switch.config, self.mac),
                Verdict::Stack,
            ),
            Other::Icmp => {
                let elsewhere = self.not_a_service(frame);
                reply_or(reply::echo(frame, self.mac), elsewhere)
            }
            Other::Protocol => self.not_a_service(frame),
            Other::Bad(reason) => Verdict::Drop(reason),
        }
    }

    /// A packet to a VIP, but to nothing the switch serves: for the host, if the VIP is also its
    /// address.
    fn not_a_service(&self, frame: &Frame<'_>) -> Verdict {
        let vip = internet_header(frame).map_or([0; 4], ipv4::daddr);
        match self.switch.routes.lookup(vip) {
            Hop::Host => Verdict::Stack,
            _ => Verdict::Drop(DropReason::NoService),
        }
    }

    /// Steps 206 to 212: a packet of a flow.
    fn flow(&mut self, packet: &Packet, frame: &mut Frame<'_>) -> Verdict {
        // Looked up again: an earlier packet of the burst may have made the connection.
        match self.switch.connections.find(packet.key, packet.hash) {
            Some(hit) if hit.is_reply() || !self.from_host => self.known(packet, frame, &hit),
            _ if self.from_host || !self.switch.config.is_vip(packet.key.dest().0) => {
                self.untouched()
            }
            _ => self.unknown(packet, frame),
        }
    }

    /// A packet of a known connection.
    fn known(&mut self, packet: &Packet, frame: &mut Frame<'_>, hit: &Hit<'_, A>) -> Verdict {
        let connections = &self.switch.connections;
        let life = connections.life(hit);
        let is_tcp = packet.key.protocol() == IPPROTO_TCP;
        let opens =
            is_tcp && packet.tcp_flags() & (SYN | ACK | RST | FIN) == SYN && !hit.is_reply();
        let backend = self
            .switch
            .config
            .backend(hit.backend())
            .filter(|backend| backend.epoch == life.epoch());
        let again = (opens && (life.state().is_closing() || backend.is_none()))
            || (!is_tcp && backend.is_none());
        if again && !hit.is_reply() {
            self.forget(hit);
            return self.unknown(packet, frame);
        }
        let Some(backend) = backend else {
            connections.close(hit);
            return match hit.is_reply() {
                true => Verdict::Drop(DropReason::BackendGone),
                false => self.refuse(packet, frame, DropReason::BackendGone),
            };
        };
        if is_tcp && (packet.tcp_flags() & EVENTS != 0 || !hit.is_quiet()) {
            connections.segment(hit, packet.tcp_flags());
        }
        let to = if hit.is_reply() {
            ipv4::raw_daddr(hit.rewrite.addrs)
        } else {
            backend.addr
        };
        self.send(packet, frame, hit, to)
    }

    /// Removes a connection.
    fn forget(&mut self, hit: &Hit<'_, A>) {
        if self.switch.connections.remove(&mut self.state.stash, hit) {
            self.lane.connection_removed(hit.backend());
        }
    }

    /// Steps 206, 210, 214 and 218: a packet to a VIP that belongs to no connection.
    fn unknown(&mut self, packet: &Packet, frame: &mut Frame<'_>) -> Verdict {
        let (protocol, vip, now) = (packet.key.protocol(), packet.key.dest(), self.now);
        let Some((id, service)) = self.switch.config.lookup(protocol, vip.0, vip.1) else {
            return match self.switch.routes.lookup(vip.0) {
                Hop::Host => Verdict::Stack,
                _ => self.refuse(packet, frame, DropReason::NoService),
            };
        };
        let is_tcp = protocol == IPPROTO_TCP;
        if is_tcp && packet.tcp_flags() & (SYN | ACK | RST | FIN) != SYN {
            return self.refuse(packet, frame, DropReason::NoConnection);
        }
        if !reply::is_answerable(packet.key.source().0, vip.0) {
            return Verdict::Drop(DropReason::BadIpHeader);
        }
        let config = &self.switch.config;
        let picked = schedule::pick(config, id, service, self.positions, self.switch.lanes);
        let Some((chosen, backend)) = picked.and_then(|id| Some((id, config.backend(id)?))) else {
            return self.refuse(packet, frame, DropReason::NoBackend);
        };
        let new = NewConnection {
            key: packet.key,
            hash: packet.hash,
            service: id,
            backend: chosen,
            epoch: backend.epoch,
            to: (backend.addr, backend.port),
            mode: service.params.mode,
            generation: config.header.generation,
            state: if is_tcp {
                State::SynSent
            } else {
                State::Established
            },
            now,
        };
        match self.switch.connections.insert(&mut self.state.stash, &new) {
            Ok(hit) => {
                self.lane.connection_made(id, chosen);
                self.send(packet, frame, &hit, backend.addr)
            }
            Err(Refused::Exists) => match self.switch.connections.find(packet.key, packet.hash) {
                // Another engine was faster.
                Some(hit) => self.send_like(packet, frame, &hit),
                None => Verdict::Drop(DropReason::TableFull),
            },
            Err(Refused::Full) => Verdict::Drop(DropReason::TableFull),
            Err(Refused::Conflict) => Verdict::Drop(DropReason::TupleConflict),
        }
    }

    /// Sends a client's packet to the backend another engine has just given its connection to.
    fn send_like(&mut self, packet: &Packet, frame: &mut Frame<'_>, hit: &Hit<'_, A>) -> Verdict {
        match self.switch.config.backend(hit.backend()) {
            Some(backend) => self.send(packet, frame, hit, backend.addr),
            None => Verdict::Drop(DropReason::BackendGone),
        }
    }

    /// Step 208: a TCP segment is answered with a reset, within the limit; a UDP packet is
    /// discarded.
    fn refuse(&mut self, packet: &Packet, frame: &mut Frame<'_>, reason: DropReason) -> Verdict {
        if packet.key.protocol() != IPPROTO_TCP {
            return Verdict::Drop(reason);
        }
        if packet.tcp_flags() & RST != 0 || !self.state.limiter.allow(self.now) {
            return Verdict::Drop(DropReason::ResetLimited);
        }
        self.answer(reply::reset(frame, self.mac), reason)
    }

    /// A packet came to nothing, and its sender is told so if possible.
    fn answer(&mut self, answer: Option<u16>, reason: DropReason) -> Verdict {
        match answer {
            Some(len) => {
                self.lane.drop(reason, self.port);
                Verdict::Reply { len }
            }
            None => Verdict::Drop(reason),
        }
    }

    /// Answers a packet with an ICMP error, within the limit. The host's own packets are not
    /// answered.
    fn error(
        &mut self,
        frame: &mut Frame<'_>,
        vip: [u8; 4],
        kind: (u8, u8),
        mtu: u32,
        reason: DropReason,
    ) -> Verdict {
        if self.from_host || !self.state.limiter.allow(self.now) {
            return Verdict::Drop(reason);
        }
        let mtu = mtu.min(u32::from(u16::MAX)) as u16;
        self.answer(
            reply::icmp_error(frame, self.mac, vip, kind.0, kind.1, mtu),
            reason,
        )
    }

    /// Steps 216, 220 and 224: rewrites a packet and sends it toward `to`, its new destination or,
    /// in mode `dr`, the server that has it.
    fn send(
        &mut self,
        packet: &Packet,
        frame: &mut Frame<'_>,
        hit: &Hit<'_, A>,
        to: [u8; 4],
    ) -> Verdict {
        let (port, addr) = match self.switch.routes.lookup(to) {
            Hop::None => return Verdict::Drop(DropReason::NoRoute),
            Hop::Host => return self.keep(frame, hit),
            Hop::Direct(port) => (port, to),
            Hop::Gateway(port, addr) => (port, addr),
        };
        let Some(info) = self.switch.routes.port(port).filter(|info| info.is_up()) else {
            return Verdict::Drop(DropReason::PortDown);
        };
        let header = internet_header(frame).copied().unwrap_or([0; IP_HLEN]);
        let vip = if hit.is_reply() {
            ipv4::raw_saddr(hit.rewrite.addrs)
        } else {
            packet.key.dest().0
        };
        if ipv4::ttl(&header) <= 1 {
            return self.error(
                frame,
                vip,
                (ICMP_TIME_EXCEEDED, 0),
                0,
                DropReason::TtlExpired,
            );
        }
        let size = if frame.segment_len == 0 {
            u32::from(ipv4::tot_len(&header))
        } else {
            frame.segment_len
        };
        if size > info.mtu() {
            let reason = DropReason::MtuExceeded;
            return match ipv4::frag_off(&header) & ipv4::IP_DF {
                0 => Verdict::Drop(reason),
                _ => self.error(
                    frame,
                    vip,
                    (ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED),
                    info.mtu(),
                    reason,
                ),
            };
        }
        let slot = self.switch.neighbours.find(port, addr);
        let next = slot.and_then(|slot| self.switch.neighbours.value(slot));
        let dest = next.unwrap_or(0);
        rewrite::forward(
            frame.head,
            frame.checksum,
            &hit.rewrite,
            dest,
            info.mac_word(),
        );
        hit.touch(self.now);
        self.account(hit, frame.len);
        match (slot, next) {
            (Some(slot), Some(_)) => {
                hit.set_hop(self.stamp, slot);
                Verdict::Forward(port)
            }
            _ => Verdict::Resolve { port, addr },
        }
    }

    /// A packet of a connection whose destination is the host itself.
    fn keep(&mut self, frame: &mut Frame<'_>, hit: &Hit<'_, A>) -> Verdict {
        if self.from_host {
            return self.untouched();
        }
        rewrite::local(frame.head, frame.checksum, &hit.rewrite);
        hit.touch(self.now);
        self.account(hit, frame.len);
        Verdict::Stack
    }
}

fn reply_or(len: Option<u16>, otherwise: Verdict) -> Verdict {
    match len {
        Some(len) => Verdict::Reply { len },
        None => otherwise,
    }
}

fn internet_header<'f>(frame: &'f Frame<'_>) -> Option<&'f ipv4::Header> {
    frame.head.get(ETH_HLEN..)?.first_chunk::<IP_HLEN>()
}

#[inline(always)]
fn time_to_live(frame: &Frame<'_>) -> u8 {
    internet_header(frame).map_or(0, ipv4::ttl)
}
