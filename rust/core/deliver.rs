// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Sending: where a packet of a connection goes, and what is told to the sender of one that cannot.

use super::connection::entry::Hit;
use super::engine::Packet;
use super::env::Atom;
use super::frame::Frame;
use super::round::{internet_header, Round};
use super::route::Hop;
use super::verdict::{DropReason, Verdict};
use super::wire::icmp::{ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ICMP_TIME_EXCEEDED};
use super::wire::ipv4::{self, IP_HLEN};
use super::{reply, rewrite};

impl<A: Atom> Round<'_, '_, '_, A> {
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
    pub(super) fn send(
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
        self.account(hit.service(), hit.backend(), hit.is_reply(), frame.len);
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
        self.account(hit.service(), hit.backend(), hit.is_reply(), frame.len);
        Verdict::Stack
    }
}
