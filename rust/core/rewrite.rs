// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Rewriting the headers of a packet in place (seed figure 6, steps 216 and 220).

use super::connection::entry::{Rewrite, TTL_DELTA};
use super::filter::{QUOTE_END, SHORTEST};
use super::frame::Checksum;
use super::wire::checksum::{add, fold, sum16, update};
use super::wire::ethernet::{self, ETH_HLEN, ETH_P_IP};
use super::wire::icmp::ICMP_HLEN;
use super::wire::ipv4::{self, IPPROTO_TCP, IPPROTO_UDP, IP_HLEN};
use super::wire::tcp::TCP_HLEN;
use super::wire::{get, put};

/// Place of the transport header in the frame.
pub const L4: usize = ETH_HLEN + IP_HLEN;
/// Place of the TCP checksum in the frame.
const TCP_CHECK: usize = L4 + 16;
/// Place of the ICMP checksum in the frame.
const ICMP_CHECK: usize = L4 + 2;
/// Place and length of the part of a quoted packet that is always there.
const QUOTE: usize = L4 + ICMP_HLEN;
const QUOTE_LEN: usize = QUOTE_END - QUOTE;
/// Place of the UDP checksum in the frame.
const UDP_CHECK: usize = L4 + 6;

/// Octets that the longest headers of a packet of a flow take.
pub const WHOLE: usize = L4 + TCP_HLEN;

/// The headers of a packet of a flow.
pub type Headers = [u8; WHOLE];

/// Rewrites a packet that goes out of a port: MAC addresses, time to live, addresses, ports, checksums.
///
/// The frame holds an IPv4 header without options and a TCP or UDP header; the time to live is above
/// 0. `source` is what [`ethernet::ip_word`] makes.
#[inline(always)]
pub fn forward(headers: &mut Headers, state: Checksum, rewrite: &Rewrite, dest: u64, source: u64) {
    if let Some(eth) = headers.first_chunk_mut::<ETH_HLEN>() {
        ethernet::set(eth, dest, source);
    }
    internet(headers, rewrite, rewrite.delta3, 1);
    transport(headers, state, rewrite);
}

/// Where [`forward`] rewrites the transport checksum of a frame, and may leave it partial: where the
/// sum starts, octets from the start of the frame, and where its field is from there. `None` for
/// anything but TCP or UDP over IPv4 without options, whole.
pub fn checksum_place(frame: &[u8]) -> Option<(u16, u16)> {
    let (eth, rest) = frame.split_first_chunk::<ETH_HLEN>()?;
    let ip = rest.first_chunk::<IP_HLEN>()?;
    let plain = ethernet::h_proto(eth) == ETH_P_IP
        && ipv4::version_ihl(ip) == ipv4::VERSION_IHL
        && !ipv4::is_fragment(ip);
    let field = match ipv4::protocol(ip) {
        IPPROTO_TCP => TCP_CHECK,
        IPPROTO_UDP => UDP_CHECK,
        _ => return None,
    };
    plain.then_some((L4 as u16, field.wrapping_sub(L4) as u16))
}

/// Has `rewrite` change the headers of a frame, however short that is.
pub fn headers(head: &mut [u8], rewrite: impl FnOnce(&mut Headers)) {
    if let Some(headers) = head.first_chunk_mut() {
        return rewrite(headers);
    }
    let mut headers = [0; WHOLE];
    if let Some(place) = headers.get_mut(..head.len()) {
        place.copy_from_slice(head);
        rewrite(&mut headers);
        headers.iter().zip(head).for_each(|(new, old)| *old = *new);
    }
}

/// Rewrites what every hop does: MAC addresses and time to live.
pub fn hop(head: &mut [u8], dest: u64, source: u64) {
    let Some(headers) = head.first_chunk_mut::<SHORTEST>() else {
        return;
    };
    if let Some(eth) = headers.first_chunk_mut::<ETH_HLEN>() {
        ethernet::set(eth, dest, source);
    }
    if let Some(ip) = header_at(headers, ETH_HLEN) {
        ipv4::set_ttl(ip, ipv4::ttl(ip).wrapping_sub(1));
        let check = update(ipv4::raw_check(ip), TTL_DELTA);
        ipv4::set_raw_check(ip, check);
    }
}

/// Rewrites an ICMP error about a packet of a connection: the quoted packet gets the addresses and
/// ports it had on the other side, the error the address that hides the server or leads to it.
///
/// `rewrite` is that of the packets that go where the error goes; they are the answers to the quoted
/// packet. The frame holds what [`Filter::error`](super::filter::Filter::error) asks for.
pub fn related(head: &mut [u8], rewrite: &Rewrite, is_reply: bool) {
    if let Some(ip) = header_at(head, ETH_HLEN) {
        let old = ipv4::raw_addrs(ip);
        let [sa, sb, sc, sd, da, db, dc, dd] = old.to_ne_bytes();
        let new = rewrite.addrs.to_ne_bytes();
        let [na, nb, nc, nd, ma, mb, mc, md] = new;
        let addrs = match is_reply {
            true => [na, nb, nc, nd, da, db, dc, dd],
            false => [sa, sb, sc, sd, ma, mb, mc, md],
        };
        ipv4::set_raw_addrs(ip, u64::from_ne_bytes(addrs));
        let delta = difference(&old.to_ne_bytes(), &addrs);
        let check = update(ipv4::raw_check(ip), delta);
        ipv4::set_raw_check(ip, check);
    }
    let before = get::<QUOTE_LEN>(head, QUOTE);
    let mut quote = before;
    if let Some(ip) = header_at(&mut quote, 0) {
        // The quoted packet went the other way, so source and destination change places.
        let old = ipv4::raw_addrs(ip);
        let new = rewrite.addrs.rotate_left(32);
        ipv4::set_raw_addrs(ip, new);
        let delta = difference(&old.to_ne_bytes(), &new.to_ne_bytes());
        let check = update(ipv4::raw_check(ip), delta);
        ipv4::set_raw_check(ip, check);
    }
    put(
        &mut quote,
        IP_HLEN,
        rewrite.ports.rotate_left(16).to_ne_bytes(),
    );
    // A TCP checksum is not among the 64 bits.
    if get::<1>(&quote, 9) == [IPPROTO_UDP] {
        let check = u16::from_ne_bytes(get(&quote, IP_HLEN + 6));
        put(
            &mut quote,
            IP_HLEN + 6,
            udp_check(check, rewrite.delta4).to_ne_bytes(),
        );
    }
    put(head, QUOTE, quote);
    let delta = difference(&before, &quote);
    let check = update(u16::from_ne_bytes(get(head, ICMP_CHECK)), delta);
    put(head, ICMP_CHECK, check.to_ne_bytes());
}

/// What the change from one to the other adds to a sum.
fn difference(before: &[u8], after: &[u8]) -> u16 {
    sum16(fold(add(0, after)), !fold(add(0, before)))
}

fn header_at(octets: &mut [u8], at: usize) -> Option<&mut ipv4::Header> {
    octets.get_mut(at..)?.first_chunk_mut::<IP_HLEN>()
}

/// Rewrites a packet for the host itself: addresses, ports, checksums.
pub fn local(head: &mut [u8], state: Checksum, rewrite: &Rewrite) {
    headers(head, |headers| {
        internet(headers, rewrite, without_ttl(rewrite.delta3), 0);
        transport(headers, state, rewrite);
    });
}

/// The part of [`Rewrite::delta3`] that comes from the addresses.
#[inline(always)]
fn without_ttl(delta3: u16) -> u16 {
    sum16(delta3, !TTL_DELTA)
}

#[inline(always)]
fn internet(headers: &mut Headers, rewrite: &Rewrite, delta: u16, hops: u8) {
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
fn transport(headers: &mut Headers, state: Checksum, rewrite: &Rewrite) {
    let delta = match state {
        Checksum::Complete => rewrite.delta4,
        // A sum that is not complemented changes by the same as its complement, but the other way
        // round, and the ports are not in it.
        Checksum::Partial => partial(rewrite),
    };
    if get::<1>(headers, ETH_HLEN + 9) == [IPPROTO_TCP] {
        let check = u16::from_ne_bytes(get(headers, TCP_CHECK));
        put(headers, TCP_CHECK, update(check, delta).to_ne_bytes());
    } else {
        let check = u16::from_ne_bytes(get(headers, UDP_CHECK));
        put(headers, UDP_CHECK, udp_check(check, delta).to_ne_bytes());
    }
}

#[cold]
fn partial(rewrite: &Rewrite) -> u16 {
    !without_ttl(rewrite.delta3)
}

/// The checksum of a UDP packet that changed by `delta`. 0 means that there is none, so that a
/// computed 0 is sent as its equal.
#[inline(always)]
fn udp_check(check: u16, delta: u16) -> u16 {
    match (check, update(check, delta)) {
        (0, _) => 0,
        (_, 0) => 0xffff,
        (_, new) => new,
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_rewrite))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::connection::key::Key;
    use super::super::fake::{packet, transport_sum, CLIENT, SERVER, VIP};
    use super::super::wire::checksum;
    use super::*;

    /// The change that a NAT connection makes to the packets of the client.
    fn nat(protocol: u8) -> Rewrite {
        let to = Key::new(protocol, CLIENT, SERVER);
        Rewrite::new(Key::new(protocol, CLIENT, VIP), to.addrs, to.raw_ports())
    }

    fn ip(octets: &[u8]) -> ipv4::Header {
        get(octets, ETH_HLEN)
    }

    #[test]
    fn to_a_port() {
        for protocol in [IPPROTO_TCP, IPPROTO_UDP] {
            let mut octets = packet(protocol, CLIENT, VIP, 2);
            let source = ethernet::ip_word([7, 0, 0, 0, 0, 0]);
            headers(&mut octets, |headers| {
                let (state, rewrite) = (Checksum::Complete, nat(protocol));
                forward(headers, state, &rewrite, 0x0605_0403_0201, source);
            });
            assert_eq!(get::<6>(&octets, 0), [1, 2, 3, 4, 5, 6]);
            assert_eq!(get::<6>(&octets, 6), [7, 0, 0, 0, 0, 0]);
            assert_eq!(ipv4::ttl(&ip(&octets)), ipv4::TTL - 1);
            assert_eq!(ipv4::daddr(&ip(&octets)), SERVER.0);
            assert_eq!(get::<2>(&octets, 36), SERVER.1.to_be_bytes());
            assert!(ipv4::check_ok(&ip(&octets)));
            assert_eq!(checksum::finish(transport_sum(&octets)), 0);
        }
    }

    #[test]
    fn to_the_host() {
        let mut octets = packet(IPPROTO_TCP, CLIENT, VIP, 2);
        let before = octets;
        local(&mut octets, Checksum::Complete, &nat(IPPROTO_TCP));
        assert_eq!(get::<12>(&octets, 0), get::<12>(&before, 0));
        assert_eq!(ipv4::ttl(&ip(&octets)), ipv4::TTL);
        assert!(ipv4::check_ok(&ip(&octets)));
        assert_eq!(checksum::finish(transport_sum(&octets)), 0);
    }

    #[test]
    fn the_sum_of_a_pseudo_header() {
        let mut octets = packet(IPPROTO_UDP, CLIENT, VIP, 0);
        let sum = |from, to| checksum::fold(checksum::pseudo(from, to, IPPROTO_UDP, 30));
        put(&mut octets, UDP_CHECK, sum(CLIENT.0, VIP.0).to_ne_bytes());
        headers(&mut octets, |headers| {
            forward(headers, Checksum::Partial, &nat(IPPROTO_UDP), 0, 0);
        });
        assert_eq!(
            get::<2>(&octets, UDP_CHECK),
            sum(CLIENT.0, SERVER.0).to_ne_bytes()
        );
    }

    #[test]
    fn mac_addresses_only() {
        let key = Key::new(IPPROTO_UDP, CLIENT, VIP);
        let same = Rewrite::new(key, key.addrs, key.raw_ports());
        let mut octets = packet(IPPROTO_UDP, CLIENT, VIP, 0);
        let before = octets;
        headers(&mut octets, |headers| {
            forward(headers, Checksum::Complete, &same, 0, 0);
        });
        assert_eq!(get::<38>(&octets, 26), get::<38>(&before, 26));
        assert!(ipv4::check_ok(&ip(&octets)));
    }

    /// One that is shorter than the headers of a TCP packet.
    #[test]
    fn a_short_frame() {
        let mut whole = packet(IPPROTO_UDP, CLIENT, VIP, 0);
        let mut short = get::<SHORTEST>(&whole, 0);
        let rewritten = |octets: &mut [u8]| {
            headers(octets, |headers| {
                forward(headers, Checksum::Complete, &nat(IPPROTO_UDP), 1, 2);
            });
        };
        rewritten(&mut whole);
        rewritten(&mut short);
        assert_eq!(short, get::<SHORTEST>(&whole, 0));
    }

    #[test]
    fn checksums_of_packets_of_flows_have_a_place() {
        let mut frame = packet(6, CLIENT, VIP, 0x10);
        assert_eq!(checksum_place(&frame), Some((34, 16)));
        assert_eq!(checksum_place(&packet(17, CLIENT, VIP, 0)), Some((34, 6)));
        assert_eq!(checksum_place(&packet(1, CLIENT, VIP, 0)), None);
        assert_eq!(checksum_place(&[0; 33]), None);
        // The first of several fragments.
        frame[20] = 0x20;
        assert_eq!(checksum_place(&frame), None);
    }

    #[test]
    fn no_udp_checksum() {
        assert_eq!(udp_check(0, 0x1234), 0);
        assert_eq!(udp_check(0x1234, 0x1234), 0xffff);
        assert_eq!(udp_check(0x1235, 0x1234), 1);
    }
}
