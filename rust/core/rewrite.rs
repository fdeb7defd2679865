// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Rewriting the headers of a packet in place (seed figure 6, steps 216 and 220).

use super::connection::entry::{Rewrite, TTL_DELTA};
use super::filter::SHORTEST;
use super::frame::Checksum;
use super::wire::checksum::{sum16, update};
use super::wire::ethernet::{self, ETH_HLEN};
use super::wire::ipv4::{self, IPPROTO_TCP, IP_HLEN};
use super::wire::{get, put};

/// Place of the transport header in the frame.
const L4: usize = ETH_HLEN + IP_HLEN;
/// Place of the TCP checksum in the frame.
const TCP_CHECK: usize = L4 + 16;
/// Place of the UDP checksum in the frame.
const UDP_CHECK: usize = L4 + 6;

/// Rewrites a packet that goes out of a port: MAC addresses, time to live, addresses, ports, checksums.
///
/// The frame holds an IPv4 header without options and a TCP or UDP header; the time to live is above 0.
#[inline(always)]
pub fn forward(head: &mut [u8], state: Checksum, rewrite: &Rewrite, dest: u64, source: u64) {
    let Some(headers) = head.first_chunk_mut::<SHORTEST>() else {
        return;
    };
    if let Some(eth) = headers.first_chunk_mut::<ETH_HLEN>() {
        ethernet::set_addresses(eth, dest, source);
    }
    internet(headers, rewrite, rewrite.delta3, 1);
    transport(head, state, rewrite);
}

/// Rewrites a packet for the host itself: addresses, ports, checksums.
pub fn local(head: &mut [u8], state: Checksum, rewrite: &Rewrite) {
    let Some(headers) = head.first_chunk_mut::<SHORTEST>() else {
        return;
    };
    internet(headers, rewrite, without_ttl(rewrite.delta3), 0);
    transport(head, state, rewrite);
}

/// The part of [`Rewrite::delta3`] that comes from the addresses.
#[inline(always)]
fn without_ttl(delta3: u16) -> u16 {
    sum16(delta3, !TTL_DELTA)
}

#[inline(always)]
fn internet(headers: &mut [u8; SHORTEST], rewrite: &Rewrite, delta: u16, hops: u8) {
    let Some(ip) = headers
        .get_mut(ETH_HLEN..)
        .and_then(|rest| rest.first_chunk_mut::<IP_HLEN>())
    else {
        return;
    };
    ipv4::set_ttl(ip, ipv4::ttl(ip).wrapping_sub(hops));
    let check = update(ipv4::raw_check(ip), delta);
    ipv4::set_raw_check(ip, check);
    ipv4::set_raw_addrs(ip, rewrite.addrs);
    put(headers, L4, rewrite.ports.to_ne_bytes());
}

#[inline(always)]
fn transport(head: &mut [u8], state: Checksum, rewrite: &Rewrite) {
    let is_tcp = get::<1>(head, ETH_HLEN + 9) == [IPPROTO_TCP];
    let at = if is_tcp { TCP_CHECK } else { UDP_CHECK };
    let Some(field) = head
        .get_mut(at..)
        .and_then(|rest| rest.first_chunk_mut::<2>())
    else {
        return;
    };
    let check = u16::from_ne_bytes(*field);
    let new = if state == Checksum::Partial {
        sum16(check, without_ttl(rewrite.delta3))
    } else if is_tcp {
        update(check, rewrite.delta4)
    } else {
        // A UDP checksum of 0 means that there is none, so that a computed 0 is sent as its equal.
        match (check, update(check, rewrite.delta4)) {
            (0, _) => 0,
            (_, 0) => 0xffff,
            (_, new) => new,
        }
    };
    *field = new.to_ne_bytes();
}
