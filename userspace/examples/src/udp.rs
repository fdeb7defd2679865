// SPDX-License-Identifier: MIT OR Apache-2.0

//! UDP packets in Ethernet frames, by the wire formats of smoltcp.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, UdpPacket,
};

/// Octets of the headers.
pub const HEADERS: usize = 14 + 20 + 8;

/// From whom a packet comes, and to whom it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// MAC addresses of source and destination.
    pub macs: ([u8; 6], [u8; 6]),
    /// Addresses and ports of source and destination.
    pub addrs: (SocketAddrV4, SocketAddrV4),
}

/// The flow of a frame, and where its payload is; `None` unless it is a whole UDP packet.
pub fn parse(frame: &[u8]) -> Option<(Flow, std::ops::Range<usize>)> {
    let ether = EthernetFrame::new_checked(frame).ok()?;
    if ether.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let ip = Ipv4Packet::new_checked(ether.payload()).ok()?;
    if ip.next_header() != IpProtocol::Udp || ip.more_frags() || ip.frag_offset() != 0 {
        return None;
    }
    let udp = UdpPacket::new_checked(ip.payload()).ok()?;
    let flow = Flow {
        macs: (ether.src_addr().0, ether.dst_addr().0),
        addrs: (
            SocketAddrV4::new(ip.src_addr(), udp.src_port()),
            SocketAddrV4::new(ip.dst_addr(), udp.dst_port()),
        ),
    };
    let start = 14 + usize::from(ip.header_len()) + 8;
    Some((flow, start..start + udp.payload().len()))
}

/// Writes the headers in front of the payload of a frame, which begins at [`HEADERS`].
pub fn write_headers(frame: &mut [u8], flow: &Flow) {
    let len = frame.len();
    let mut ether = EthernetFrame::new_unchecked(frame);
    ether.set_src_addr(EthernetAddress(flow.macs.0));
    ether.set_dst_addr(EthernetAddress(flow.macs.1));
    ether.set_ethertype(EthernetProtocol::Ipv4);
    let (from, to) = flow.addrs;
    let mut ip = Ipv4Packet::new_unchecked(ether.payload_mut());
    ip.set_version(4);
    ip.set_header_len(20);
    ip.set_dscp(0);
    ip.set_ecn(0);
    ip.set_total_len((len - 14) as u16);
    ip.set_ident(0);
    ip.clear_flags();
    ip.set_dont_frag(true);
    ip.set_frag_offset(0);
    ip.set_hop_limit(64);
    ip.set_next_header(IpProtocol::Udp);
    ip.set_src_addr(*from.ip());
    ip.set_dst_addr(*to.ip());
    ip.fill_checksum();
    let mut udp = UdpPacket::new_unchecked(ip.payload_mut());
    udp.set_src_port(from.port());
    udp.set_dst_port(to.port());
    udp.set_len((len - 34) as u16);
    let addr = |addr: &Ipv4Addr| smoltcp::wire::IpAddress::Ipv4(*addr);
    udp.fill_checksum(&addr(from.ip()), &addr(to.ip()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let flow = Flow {
            macs: ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]),
            addrs: (
                "192.0.2.1:5000".parse().unwrap(),
                "192.0.2.2:7".parse().unwrap(),
            ),
        };
        let mut frame = vec![0; HEADERS + 5];
        frame[HEADERS..].copy_from_slice(b"hello");
        write_headers(&mut frame, &flow);
        // Padding is no payload.
        frame.resize(60, 0);
        assert_eq!(parse(&frame), Some((flow, HEADERS..HEADERS + 5)));
        let ip = Ipv4Packet::new_checked(&frame[14..]).unwrap();
        assert!(ip.verify_checksum());
        let udp = UdpPacket::new_checked(ip.payload()).unwrap();
        assert!(udp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()));
        // A fragment, another protocol, and less than there should be.
        for (at, value) in [(20, 0x20), (23, 6), (13, 6)] {
            let mut other = frame.clone();
            other[at] = value;
            assert_eq!(parse(&other), None, "octet {at}");
        }
        assert_eq!(parse(&frame[..44]), None);
    }
}
