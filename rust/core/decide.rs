// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The decision about each packet that takes some thought.

use super::connection::entry::Hit;
use super::connection::make::{NewConnection, Refused};
use super::connection::tcp_state::State;
use super::counters;
use super::engine::Packet;
use super::env::Atom;
use super::filter::Other;
use super::frame::{Checksum, Frame};
use super::reply;
use super::round::{internet_header, Round};
use super::route::Hop;
use super::schedule;
use super::verdict::{DropReason, Verdict};
use super::wire::ipv4::{self, IPPROTO_TCP};
use super::wire::tcp::{ACK, FIN, RST, SYN};

/// How often a connection is tried to be made that others make and remove at the same time.
const ATTEMPTS: u32 = 3;

impl<A: Atom> Round<'_, '_, '_, A> {
    /// Steps 206 to 224 for a packet that takes some thought. Given are the parts of its [`Frame`].
    #[inline(never)]
    pub(super) fn decide(
        &mut self,
        packet: &Packet,
        head: &mut [u8],
        len: u32,
        (checksum, segment_len): (Checksum, u32),
    ) -> Verdict {
        let frame = &mut Frame {
            head,
            len,
            checksum,
            segment_len,
        };
        let verdict = match packet.key.protocol() {
            0 => self.other(frame),
            _ => self.flow(&packet.hashed(&self.switch.connections), frame),
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
            Verdict::Channel(_) => self.channel = self.channel.wrapping_add(1),
            Verdict::Drop(reason) => self.lane.drop(reason, self.port),
        }
        self.others = self.others.wrapping_add(1);
        verdict
    }

    /// What the switch has nothing to do with goes on as it is: up to the host, or out of the port
    /// the host chose.
    pub(super) fn untouched(&self) -> Verdict {
        if self.from_host {
            Verdict::Forward(self.port)
        } else {
            Verdict::Stack
        }
    }

    /// A frame that is no packet of a flow.
    fn other(&mut self, frame: &mut Frame<'_>) -> Verdict {
        if let Some(verdict) = self.related(frame) {
            return verdict;
        }
        if self.from_host {
            return self.untouched();
        }
        if let Some(channel) = self.switch.wants.other(self.port, frame.head) {
            return Verdict::Channel(channel);
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

    /// An ICMP error about a packet of a connection: it goes to whom that packet came from, and
    /// speaks of the packet as that one knows it.
    fn related(&mut self, frame: &mut Frame<'_>) -> Option<Verdict> {
        let connections = &self.switch.connections;
        let key = self.filter().error(frame)?;
        let hit = connections.find(key, connections.secret.hash(key))?;
        let backend = self.switch.config.backend(hit.backend())?;
        let alive = backend.epoch == connections.life(&hit).epoch();
        if !alive || (self.from_host && !hit.is_reply()) {
            return None;
        }
        let to = if hit.is_reply() {
            ipv4::raw_daddr(hit.rewrite.addrs)
        } else {
            backend.addr
        };
        Some(self.send_related(frame, &hit, to))
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
        if is_tcp {
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

    /// Steps 206, 210, 214 and 218: a packet that belongs to no connection.
    fn unknown(&mut self, packet: &Packet, frame: &mut Frame<'_>) -> Verdict {
        if self.from_host {
            return self.untouched();
        }
        if let Some(channel) = self.switch.wants.flow(packet.key) {
            return Verdict::Channel(channel);
        }
        if !self.switch.config.is_vip(packet.key.dest().0) {
            return self.untouched();
        }
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
        let picked = schedule::pick(config, id, service, self.positions, self.switch.loads);
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
        for _ in 0..ATTEMPTS {
            match self.switch.connections.insert(&mut self.state.stash, &new) {
                Ok(hit) => {
                    self.lane.connection_made(id, chosen);
                    return self.send(packet, frame, &hit, backend.addr);
                }
                Err(Refused::Full) => break,
                Err(Refused::Conflict) => return Verdict::Drop(DropReason::TupleConflict),
                Err(Refused::Exists) => {}
            }
            // Another engine was faster; unless what it made is gone already, it is as good.
            if let Some(hit) = self.switch.connections.find(packet.key, packet.hash) {
                return self.send_like(packet, frame, &hit);
            }
        }
        Verdict::Drop(DropReason::TableFull)
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
}

fn reply_or(len: Option<u16>, otherwise: Verdict) -> Verdict {
    match len {
        Some(len) => Verdict::Reply { len },
        None => otherwise,
    }
}
