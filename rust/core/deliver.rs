// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Sending: where a packet of a connection goes, and what is told to the sender of one that cannot.

use super::connection::entry::Hit;
use super::engine::Packet;
use super::env::Atom;
use super::frame::{Frame, PortId};
use super::recent::{self, Mark};
use super::round::{internet_header, Round};
use super::route::{Hop, PortInfo};
use super::verdict::{DropReason, Verdict};
use super::wire::icmp::{ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ICMP_TIME_EXCEEDED};
use super::wire::ipv4::{self, IP_HLEN};
use super::{reply, rewrite};

/// The way to a destination.
enum Way {
    /// To the host itself.
    Host,
    /// Out of a port.
    Out(Exit),
}

/// The way out of a port.
struct Exit {
    port: PortId,
    info: PortInfo,
    /// The next hop.
    addr: [u8; 4],
    /// Slot and word of the neighbour table, if the next hop is known there.
    next: Option<(u32, u64)>,
}

impl Exit {
    /// Destination MAC address, 0 if it is not known yet.
    fn dest(&self) -> u64 {
        self.next.map_or(0, |(_, word)| word)
    }

    fn verdict(&self) -> Verdict {
        match self.next {
            Some(_) => Verdict::Forward(self.port),
            None => Verdict::Resolve {
                port: self.port,
                addr: self.addr,
            },
        }
    }
}

impl<A: Atom> Round<'_, '_, '_, A> {
    fn way(&self, to: [u8; 4]) -> Result<Way, DropReason> {
        let (port, addr) = match self.switch.routes.lookup(to) {
            Hop::None => return Err(DropReason::NoRoute),
            Hop::Host => return Ok(Way::Host),
            Hop::Direct(port) => (port, to),
            Hop::Gateway(port, addr) => (port, addr),
        };
        let info = self.switch.routes.port(port).filter(|info| info.is_up());
        let info = *info.ok_or(DropReason::PortDown)?;
        let slot = self.switch.neighbours.find(port, addr);
        let next = slot.and_then(|slot| Some((slot, self.switch.neighbours.value(slot)?)));
        Ok(Way::Out(Exit {
            port,
            info,
            addr,
            next,
        }))
    }

    /// Counts a packet of a connection.
    fn account_one(&self, hit: &Hit<'_, A>, len: u32) {
        let (service, backend) = (hit.service(), hit.backend());
        self.account(service, backend, hit.is_reply(), (1, len.into()));
    }

    /// Steps 216, 220 and 224: rewrites a packet and sends it toward `to`, its new destination or,
    /// in mode `dr`, the server that has it.
    pub(super) fn send(
        &mut self,
        packet: &Packet,
        frame: &mut Frame<'_>,
        hit: &Hit<'_, A>,
        to: [u8; 4],
    ) -> Verdict {
        let exit = match self.way(to) {
            Err(reason) => return Verdict::Drop(reason),
            Ok(Way::Host) => return self.keep(frame, hit),
            Ok(Way::Out(exit)) => exit,
        };
        if let Some(reason) = misfit(frame, &exit) {
            let vip = if hit.is_reply() {
                ipv4::raw_saddr(hit.rewrite.addrs)
            } else {
                packet.key.dest().0
            };
            return self.tell_misfit(frame, vip, &exit, reason);
        }
        if packet.candidate != hit.index {
            // Nothing was remembered, or what is another flow's by now.
            recent::remember(self.recent, Mark::of(packet.key), hit.index);
        }
        let (dest, source) = (exit.dest(), exit.info.ip_word());
        rewrite::headers(frame.head, |headers| {
            rewrite::forward(headers, frame.checksum, &hit.rewrite, dest, source);
        });
        hit.touch(self.now);
        self.account_one(hit, frame.len);
        if let Some((slot, _)) = exit.next {
            hit.set_hop(self.stamp, slot);
        }
        exit.verdict()
    }

    /// A packet of a connection whose destination is the host itself.
    fn keep(&mut self, frame: &mut Frame<'_>, hit: &Hit<'_, A>) -> Verdict {
        if self.from_host {
            return self.untouched();
        }
        rewrite::local(frame.head, frame.checksum, &hit.rewrite);
        hit.touch(self.now);
        self.account_one(hit, frame.len);
        Verdict::Stack
    }

    /// An ICMP error about packets of a connection, sent toward `to` like a packet of it.
    pub(super) fn send_related(
        &mut self,
        frame: &mut Frame<'_>,
        hit: &Hit<'_, A>,
        to: [u8; 4],
    ) -> Verdict {
        let verdict = match self.way(to) {
            Err(reason) => return Verdict::Drop(reason),
            Ok(Way::Host) if self.from_host => return self.untouched(),
            Ok(Way::Host) => Verdict::Stack,
            Ok(Way::Out(exit)) => {
                // An error is never told about an error (RFC 1122, section 3.2.2).
                if let Some(reason) = misfit(frame, &exit) {
                    return Verdict::Drop(reason);
                }
                rewrite::hop(frame.head, exit.dest(), exit.info.ip_word());
                exit.verdict()
            }
        };
        rewrite::related(frame.head, &hit.rewrite, hit.is_reply());
        self.account_one(hit, frame.len);
        verdict
    }

    /// A packet came to nothing, and its sender is told so if possible.
    pub(super) fn answer(&mut self, answer: Option<u16>, reason: DropReason) -> Verdict {
        match answer {
            Some(len) => {
                self.lane.drop(reason, self.port);
                Verdict::Reply { len }
            }
            None => Verdict::Drop(reason),
        }
    }

    /// Tells the sender why its packet cannot leave, within the limit, as the VIP. The host's own
    /// packets are not answered, nor packets that a router might have fragmented.
    fn tell_misfit(
        &mut self,
        frame: &mut Frame<'_>,
        vip: [u8; 4],
        exit: &Exit,
        reason: DropReason,
    ) -> Verdict {
        let may_be_cut = internet_header(frame).map_or(0, ipv4::frag_off) & ipv4::IP_DF == 0;
        let (kind, code, mtu) = match reason {
            DropReason::TtlExpired => (ICMP_TIME_EXCEEDED, 0, 0),
            _ if may_be_cut => return Verdict::Drop(reason),
            _ => (ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, exit.info.mtu()),
        };
        if self.from_host || !self.state.limiter.allow(self.now) {
            return Verdict::Drop(reason);
        }
        let mtu = mtu.min(u32::from(u16::MAX)) as u16;
        self.answer(
            reply::icmp_error(frame, self.mac, vip, kind, code, mtu),
            reason,
        )
    }
}

/// Why a packet cannot leave by a port, if so.
fn misfit(frame: &Frame<'_>, exit: &Exit) -> Option<DropReason> {
    let header = internet_header(frame).copied().unwrap_or([0; IP_HLEN]);
    let size = match frame.segment_len {
        0 => u32::from(ipv4::tot_len(&header)),
        segment_len => segment_len,
    };
    if ipv4::ttl(&header) <= 1 {
        Some(DropReason::TtlExpired)
    } else if size > exit.info.mtu() {
        Some(DropReason::MtuExceeded)
    } else {
        None
    }
}
