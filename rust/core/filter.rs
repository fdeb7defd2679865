// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The packet filter's eyes (seed figure 6, steps 204 and 206): what a frame is.
//!
//! [`Filter::flow`] recognises the packets the switch is there for with as few instructions as
//! possible: TCP or UDP over IPv4, without options, in one piece, with sane headers. For every
//! other frame [`Filter::other`] finds out what it is.

use super::config::view::View;
use super::connection::key::Key;
use super::frame::Frame;
use super::verdict::DropReason;
use super::wire::ethernet::{self, ETH_HLEN, ETH_P_ARP, ETH_P_IP};
use super::wire::icmp::{self, ICMP_HLEN};
use super::wire::ipv4::{self, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IP_HLEN};
use super::wire::tcp::{self, TCP_HLEN};
use super::wire::udp::{self, UDP_HLEN};
use super::wire::{checksum, ethernet::BROADCAST};

/// Length of Ethernet, IPv4 and UDP header: no packet of a flow is shorter.
pub(super) const SHORTEST: usize = ETH_HLEN + IP_HLEN + UDP_HLEN;

/// End of the 64 bits of transport header that an ICMP error quotes.
pub(super) const QUOTE_END: usize = ETH_HLEN + IP_HLEN + ICMP_HLEN + IP_HLEN + UDP_HLEN;

/// Which frames are addressed to the switch.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    mac: u64,
    mask: u64,
}

/// A packet of a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flow {
    /// Addresses, ports and protocol.
    pub key: Key,
    /// Flags of a TCP segment, 0 for UDP.
    pub flags: u16,
}

/// A frame that is no packet of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// Nothing of the switch.
    Foreign,
    /// ARP.
    Arp,
    /// ICMP to a VIP, header checked and complete in the frame.
    Icmp,
    /// Another protocol to a VIP.
    Protocol,
    /// To a VIP, but not as it should be.
    Bad(DropReason),
}

impl Filter {
    /// Frames that a NIC with this MAC address received.
    pub fn received(mac: [u8; 6]) -> Self {
        Self {
            mac: ethernet::mac_word(mac),
            mask: 0xffff_ffff_ffff,
        }
    }

    /// Frames that the host sends: to any MAC address.
    pub fn sent() -> Self {
        Self { mac: 0, mask: 0 }
    }

    #[inline(always)]
    fn is_ours(&self, eth: &ethernet::Header) -> bool {
        (ethernet::first_word(eth) ^ self.mac) & self.mask == 0
    }

    /// Reads the headers of a packet of a flow.
    #[inline(always)]
    pub fn flow(&self, frame: &Frame<'_>) -> Option<Flow> {
        let head = &*frame.head;
        if head.len() < SHORTEST {
            return None;
        }
        let (eth, rest) = head.split_first_chunk::<ETH_HLEN>()?;
        let (ip, rest) = rest.split_first_chunk::<IP_HLEN>()?;
        let ports = rest.first_chunk::<UDP_HLEN>()?;
        if !self.is_ours(eth)
            || ethernet::h_proto(eth) != ETH_P_IP
            || ipv4::version_ihl(ip) != ipv4::VERSION_IHL
        {
            return None;
        }
        let protocol = ipv4::protocol(ip);
        let (flags, len) = match protocol {
            IPPROTO_TCP => {
                let tcp = rest.first_chunk::<TCP_HLEN>()?;
                if tcp::header_len(tcp) < TCP_HLEN as u32 {
                    return None;
                }
                (u16::from(tcp::flags(tcp)), tcp::header_len(tcp))
            }
            IPPROTO_UDP if udp::len(ports) >= UDP_HLEN as u32 => (0, udp::len(ports)),
            _ => return None,
        };
        let tot_len = u32::from(ipv4::tot_len(ip));
        let room = frame.len.wrapping_sub(ETH_HLEN as u32);
        if len.wrapping_add(IP_HLEN as u32) > tot_len || tot_len > room {
            return None;
        }
        if ipv4::is_fragment(ip) || !ipv4::check_ok(ip) {
            return None;
        }
        let key = Key::from_raw(ipv4::raw_addrs(ip), udp::raw_ports(ports), protocol);
        Some(Flow { key, flags })
    }

    /// Reads an ICMP error about a packet of a flow: the key of the packets in the other direction.
    pub fn error(&self, frame: &Frame<'_>) -> Option<Key> {
        let head = frame.head.first_chunk::<QUOTE_END>()?;
        let (eth, rest) = head.split_first_chunk::<ETH_HLEN>()?;
        let (ip, rest) = rest.split_first_chunk::<IP_HLEN>()?;
        let (icmp, rest) = rest.split_first_chunk::<ICMP_HLEN>()?;
        let (quoted, rest) = rest.split_first_chunk::<IP_HLEN>()?;
        let tot_len = u32::from(ipv4::tot_len(ip));
        let whole = tot_len.wrapping_add(ETH_HLEN as u32);
        let ours = self.is_ours(eth) && ethernet::h_proto(eth) == ETH_P_IP;
        let sane = ipv4::version_ihl(ip) == ipv4::VERSION_IHL
            && !ipv4::is_fragment(ip)
            && (QUOTE_END as u32..=frame.len).contains(&whole)
            && ipv4::check_ok(ip);
        let error = ipv4::protocol(ip) == IPPROTO_ICMP
            && matches!(
                icmp::icmp_type(icmp),
                icmp::ICMP_DEST_UNREACH | icmp::ICMP_TIME_EXCEEDED | icmp::ICMP_PARAMETERPROB
            );
        let about_flow = ipv4::version_ihl(quoted) == ipv4::VERSION_IHL
            && ipv4::frag_off(quoted) & ipv4::IP_OFFSET == 0
            && matches!(ipv4::protocol(quoted), IPPROTO_TCP | IPPROTO_UDP);
        if !(ours && sane && error && about_flow) {
            return None;
        }
        let ports = udp::raw_ports(rest.first_chunk::<UDP_HLEN>()?);
        let quoted_key = Key::from_raw(ipv4::raw_addrs(quoted), ports, ipv4::protocol(quoted));
        Some(quoted_key.reversed())
    }

    /// Finds out what a frame is that is no packet of a flow. Only packets to a VIP are judged; the
    /// host judges others.
    pub fn other(&self, frame: &Frame<'_>, config: &View<'_>) -> Other {
        let head = &*frame.head;
        let Some((eth, rest)) = head.split_first_chunk::<ETH_HLEN>() else {
            return Other::Bad(DropReason::ShortFrame);
        };
        match ethernet::h_proto(eth) {
            ETH_P_ARP if self.is_ours(eth) || ethernet::h_dest(eth) == BROADCAST => Other::Arp,
            ETH_P_IP if self.is_ours(eth) => match rest.split_first_chunk::<IP_HLEN>() {
                Some((ip, rest)) if config.is_vip(ipv4::daddr(ip)) => internet(frame.len, ip, rest),
                _ => Other::Foreign,
            },
            _ => Other::Foreign,
        }
    }
}

/// Judges an IPv4 packet to a VIP. `rest` is what is contiguous behind the header.
fn internet(len: u32, ip: &ipv4::Header, rest: &[u8]) -> Other {
    let header_len = u16::from(ipv4::version_ihl(ip) & 0xf).wrapping_mul(4);
    let tot_len = ipv4::tot_len(ip);
    let version = ipv4::version_ihl(ip) >> 4;
    let room = len.saturating_sub(ETH_HLEN as u32);
    if version != 4
        || header_len < IP_HLEN as u16
        || tot_len < header_len
        || u32::from(tot_len) > room
    {
        return Other::Bad(DropReason::BadIpHeader);
    }
    let Some(options) = rest.get(..usize::from(header_len.saturating_sub(IP_HLEN as u16))) else {
        return Other::Bad(DropReason::ShortFrame);
    };
    if checksum::finish(checksum::add(checksum::add(0, ip), options)) != 0 {
        return Other::Bad(DropReason::BadIpChecksum);
    }
    if !options.is_empty() {
        return Other::Bad(DropReason::IpOptions);
    }
    if ipv4::is_fragment(ip) {
        return Other::Bad(DropReason::Fragment);
    }
    let shortest = match ipv4::protocol(ip) {
        IPPROTO_TCP => TCP_HLEN,
        IPPROTO_UDP | IPPROTO_ICMP => UDP_HLEN,
        _ => return Other::Protocol,
    };
    let payload = usize::from(tot_len.saturating_sub(header_len));
    if payload < shortest || rest.len() < shortest {
        return Other::Bad(DropReason::ShortFrame);
    }
    match ipv4::protocol(ip) {
        IPPROTO_ICMP => Other::Icmp,
        // All else was right, so it is the length in the transport header.
        _ => Other::Bad(DropReason::BadL4Header),
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_filter))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::fake::{frame, packet, Half, CLIENT, MAC, SERVER, VIP};
    use super::super::wire::put;
    use super::*;

    fn flow(octets: &mut [u8]) -> Option<Flow> {
        Filter::received(MAC).flow(&frame(octets))
    }

    #[test]
    fn flows() {
        let mut octets = packet(IPPROTO_TCP, CLIENT, VIP, tcp::SYN);
        let found = flow(&mut octets).unwrap_or_default();
        assert_eq!(found.key, Key::new(IPPROTO_TCP, CLIENT, VIP));
        assert_eq!(found.flags, u16::from(tcp::SYN));
        let mut octets = packet(IPPROTO_UDP, CLIENT, VIP, 0);
        let found = flow(&mut octets).unwrap_or_default();
        assert_eq!(found.key, Key::new(IPPROTO_UDP, CLIENT, VIP));
        assert_eq!(found.flags, 0);
        let sent = Filter::sent().flow(&frame(&mut octets)).unwrap_or_default();
        assert_eq!(sent.flags, 0);
    }

    #[test]
    fn the_mac_address_decides() {
        let mut octets = packet(IPPROTO_UDP, CLIENT, VIP, 0);
        octets[5] ^= 1;
        assert!(flow(&mut octets).is_none());
        assert!(Filter::sent().flow(&frame(&mut octets)).is_some());
        assert_eq!(
            Filter::received(MAC).other(&frame(&mut octets), &Half::default().view()),
            Other::Foreign
        );
    }

    #[test]
    fn cut_off_anywhere() {
        for len in 0..64usize {
            let mut octets = packet(IPPROTO_TCP, CLIENT, VIP, tcp::SYN);
            assert!(flow(octets.get_mut(..len).unwrap_or(&mut [])).is_none());
        }
    }

    #[test]
    fn an_error_about_a_flow() {
        let mut octets = [0; QUOTE_END];
        put(
            &mut octets,
            0,
            packet(ipv4::IPPROTO_ICMP, SERVER, CLIENT, 0),
        );
        let Some(ip) = octets
            .get_mut(ETH_HLEN..)
            .and_then(|rest| rest.first_chunk_mut())
        else {
            return;
        };
        ipv4::write(
            ip,
            (QUOTE_END - ETH_HLEN) as u16,
            IPPROTO_ICMP,
            SERVER.0,
            CLIENT.0,
        );
        put(
            &mut octets,
            34,
            [icmp::ICMP_DEST_UNREACH, 3, 0, 0, 0, 0, 0, 0],
        );
        let quoted = packet(IPPROTO_UDP, CLIENT, SERVER, 0);
        put(
            &mut octets,
            42,
            super::super::wire::get::<28>(&quoted, ETH_HLEN),
        );
        let found = Filter::received(MAC).error(&frame(&mut octets));
        assert_eq!(found, Some(Key::new(IPPROTO_UDP, SERVER, CLIENT)));
        octets[34] = icmp::ICMP_ECHO;
        assert!(Filter::received(MAC).error(&frame(&mut octets)).is_none());
    }
}
