// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Answers of the switch itself, built in place of the packet they answer.
//!
//! Each function returns the length of the answer in octets, or `None` (the frame unchanged) if
//! there is nothing to answer or the frame has no room for it.

use super::config::view::View;
use super::frame::Frame;
use super::wire::arp::{self, ARPOP_REPLY, ARPOP_REQUEST, ARP_LEN};
use super::wire::ethernet::{self, BROADCAST, ETH_HLEN, ETH_P_ARP};
use super::wire::icmp::{self, ICMP_HLEN};
use super::wire::ipv4::{self, IPPROTO_ICMP, IP_HLEN};
use super::wire::tcp::{self, ACK, FIN, RST, SYN, TCP_HLEN};
use super::wire::{checksum, put, udp};

/// Length of an ARP frame without padding.
pub const ARP_FRAME: usize = ETH_HLEN + ARP_LEN;
/// Length of a reset.
const RESET: usize = ETH_HLEN + IP_HLEN + TCP_HLEN;
/// Octets of a packet that an ICMP error quotes: the IPv4 header and 64 bits (RFC 792).
const QUOTED: usize = IP_HLEN + 8;
/// Length of an ICMP error.
const ERROR: usize = ETH_HLEN + IP_HLEN + ICMP_HLEN + QUOTED;

/// Sends the frame back to where it came from.
fn turn(eth: &mut ethernet::Header, mac: [u8; 6]) {
    let source = ethernet::h_source(eth);
    put(eth, 0, source);
    put(eth, 6, mac);
}

/// Whether one may answer a packet with these addresses.
pub fn is_answerable(saddr: [u8; 4], daddr: [u8; 4]) -> bool {
    ipv4::is_unicast(saddr) && saddr != daddr
}

/// Answers an ARP request for an address of a service that wants it (RFC 826). `mac` is that of the
/// port.
pub fn arp(frame: &mut Frame<'_>, config: &View<'_>, mac: [u8; 6]) -> Option<u16> {
    let head = frame.head.first_chunk_mut::<ARP_FRAME>()?;
    let (eth, rest) = head.split_first_chunk_mut::<ETH_HLEN>()?;
    let packet = rest.first_chunk_mut::<ARP_LEN>()?;
    let (sha, sip, tip) = (
        arp::ar_sha(packet),
        arp::ar_sip(packet),
        arp::ar_tip(packet),
    );
    // A probe (RFC 5227) has no sender address yet. What a VIP itself seems to ask is for the host
    // to judge.
    let sane = sha == ethernet::h_source(eth)
        && !ethernet::is_multicast(sha)
        && (ipv4::is_unicast(sip) || sip == [0; 4])
        && sip != tip;
    if !arp::is_ipv4_ethernet(packet)
        || arp::ar_op(packet) != ARPOP_REQUEST
        || !sane
        || !config.announces(tip)
    {
        return None;
    }
    turn(eth, mac);
    arp::write(packet, ARPOP_REPLY, mac, tip, sha, sip);
    Some(ARP_FRAME as u16)
}

/// Writes the announcement of an address: an ARP request for itself (RFC 5227, section 2.3).
pub fn arp_announcement(mac: [u8; 6], vip: [u8; 4], out: &mut [u8; ARP_FRAME]) {
    put(out, 0, BROADCAST);
    put(out, 6, mac);
    put(out, 12, ETH_P_ARP.to_be_bytes());
    if let Some(packet) = out
        .get_mut(ETH_HLEN..)
        .and_then(|rest| rest.first_chunk_mut::<ARP_LEN>())
    {
        arp::write(packet, ARPOP_REQUEST, mac, vip, [0; 6], vip);
    }
}

/// Turns an ICMP echo request into its reply (RFC 792).
pub fn echo(frame: &mut Frame<'_>, mac: [u8; 6]) -> Option<u16> {
    let (eth, rest) = frame.head.split_first_chunk_mut::<ETH_HLEN>()?;
    let (ip, rest) = rest.split_first_chunk_mut::<IP_HLEN>()?;
    let icmp = rest.first_chunk_mut::<ICMP_HLEN>()?;
    let len = ipv4::tot_len(ip).checked_add(ETH_HLEN as u16)?;
    if icmp::icmp_type(icmp) != icmp::ICMP_ECHO || icmp::code(icmp) != 0 {
        return None;
    }
    icmp::turn_echo(icmp);
    let (saddr, daddr) = (ipv4::saddr(ip), ipv4::daddr(ip));
    // The other fields stay: a reply with options or of another service class is not for the switch
    // to invent.
    ipv4::set_ttl(ip, ipv4::TTL);
    put(ip, 10, [0; 2]);
    put(ip, 12, daddr);
    put(ip, 16, saddr);
    let check = checksum::finish(checksum::add(0, ip));
    ipv4::set_raw_check(ip, check);
    turn(eth, mac);
    Some(len)
}

/// Turns a TCP segment into the reset that answers it (RFC 9293, section 3.10.7.1). A reset is
/// never answered.
pub fn reset(frame: &mut Frame<'_>, mac: [u8; 6]) -> Option<u16> {
    let head = frame.head.first_chunk_mut::<RESET>()?;
    let (eth, rest) = head.split_first_chunk_mut::<ETH_HLEN>()?;
    let (ip, rest) = rest.split_first_chunk_mut::<IP_HLEN>()?;
    let tcp = rest.first_chunk_mut::<TCP_HLEN>()?;
    let (flags, saddr, daddr) = (tcp::flags(tcp), ipv4::saddr(ip), ipv4::daddr(ip));
    if flags & RST != 0 || !is_answerable(saddr, daddr) {
        return None;
    }
    let headers = (IP_HLEN as u32).wrapping_add(tcp::header_len(tcp));
    let payload = u32::from(ipv4::tot_len(ip)).saturating_sub(headers);
    let controls = u32::from(flags & SYN != 0).wrapping_add(u32::from(flags & FIN != 0));
    let (seq, ack) = if flags & ACK != 0 {
        (tcp::ack_seq(tcp), None)
    } else {
        (
            0,
            Some(tcp::seq(tcp).wrapping_add(payload).wrapping_add(controls)),
        )
    };
    let ports = tcp.first_chunk::<8>().map_or(0, udp::raw_ports);
    // Source and destination port, lying in memory one after the other, change places.
    tcp::write_reset(tcp, ports.rotate_left(16), seq, ack, daddr, saddr);
    ipv4::write(
        ip,
        (IP_HLEN + TCP_HLEN) as u16,
        ipv4::IPPROTO_TCP,
        daddr,
        saddr,
    );
    turn(eth, mac);
    Some(RESET as u16)
}

/// Turns a packet into the ICMP error that answers it. `mtu` is 0 but for "fragmentation needed".
pub fn icmp_error(
    frame: &mut Frame<'_>,
    mac: [u8; 6],
    source: [u8; 4],
    kind: u8,
    code: u8,
    mtu: u16,
) -> Option<u16> {
    let head = frame.head.first_chunk_mut::<ERROR>()?;
    let (eth, rest) = head.split_first_chunk_mut::<ETH_HLEN>()?;
    let quoted = *rest.first_chunk::<QUOTED>()?;
    let (ip, rest) = rest.split_first_chunk_mut::<IP_HLEN>()?;
    let (icmp, rest) = rest.split_first_chunk_mut::<ICMP_HLEN>()?;
    let to = ipv4::saddr(ip);
    if !is_answerable(to, source) {
        return None;
    }
    put(rest, 0, quoted);
    icmp::write_error(icmp, kind, code, mtu, &quoted);
    ipv4::write(
        ip,
        (IP_HLEN + ICMP_HLEN + QUOTED) as u16,
        IPPROTO_ICMP,
        source,
        to,
    );
    turn(eth, mac);
    Some(ERROR as u16)
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_reply))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::fake::{frame, packet, transport_sum, CLIENT, MAC, PEER, VIP};
    use super::super::wire::get;
    use super::*;

    #[test]
    fn a_syn_is_reset() {
        let mut octets = packet(ipv4::IPPROTO_TCP, CLIENT, VIP, SYN);
        assert_eq!(reset(&mut frame(&mut octets), MAC), Some(54));
        let ip: ipv4::Header = get(&octets, ETH_HLEN);
        assert!(ipv4::check_ok(&ip));
        assert_eq!((ipv4::saddr(&ip), ipv4::daddr(&ip)), (VIP.0, CLIENT.0));
        assert_eq!(get::<6>(&octets, 0), PEER);
        let tcp: tcp::Header = get(&octets, 34);
        // 10 octets of payload and the SYN.
        assert_eq!((tcp::seq(&tcp), tcp::ack_seq(&tcp)), (0, 1011));
        let sum = checksum::pseudo(VIP.0, CLIENT.0, ipv4::IPPROTO_TCP, 20);
        assert_eq!(checksum::finish(checksum::add(sum, &tcp)), 0);
    }

    #[test]
    fn a_reset_is_not() {
        let mut octets = packet(ipv4::IPPROTO_TCP, CLIENT, VIP, RST);
        let before = octets;
        assert_eq!(reset(&mut frame(&mut octets), MAC), None);
        assert_eq!(octets, before);
        assert!(transport_sum(&octets) != 0);
    }

    #[test]
    fn an_error_needs_room() {
        let mut octets = packet(ipv4::IPPROTO_UDP, CLIENT, VIP, 0);
        assert_eq!(
            icmp_error(&mut frame(&mut octets), MAC, VIP.0, 11, 0, 0),
            None
        );
        let mut longer = [0; ERROR];
        put(&mut longer, 0, octets);
        assert_eq!(
            icmp_error(&mut frame(&mut longer), MAC, VIP.0, 11, 0, 0),
            Some(70)
        );
        assert_eq!(get::<28>(&longer, 42), get::<28>(&octets, 14));
    }
}
