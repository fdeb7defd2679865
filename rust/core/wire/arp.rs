// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! ARP for IPv4 over Ethernet (RFC 826, uapi `arphdr`).

use super::{get, put};

/// Length of the packet, octets.
pub const ARP_LEN: usize = 28;
/// Request.
pub const ARPOP_REQUEST: u16 = 1;
/// Reply.
pub const ARPOP_REPLY: u16 = 2;
/// Hardware type 1 (Ethernet), protocol type IPv4, address lengths 6 and 4.
const FIXED: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// The packet.
pub type Packet = [u8; ARP_LEN];

/// Whether the address types and lengths are those of IPv4 over Ethernet.
pub fn is_ipv4_ethernet(packet: &Packet) -> bool {
    get::<6>(packet, 0) == FIXED
}

/// Operation.
pub fn ar_op(packet: &Packet) -> u16 {
    u16::from_be_bytes(get(packet, 6))
}

/// Sender hardware address.
pub fn ar_sha(packet: &Packet) -> [u8; 6] {
    get(packet, 8)
}

/// Sender IPv4 address.
pub fn ar_sip(packet: &Packet) -> [u8; 4] {
    get(packet, 14)
}

/// Target IPv4 address.
pub fn ar_tip(packet: &Packet) -> [u8; 4] {
    get(packet, 24)
}

/// Writes a whole packet.
pub fn write(packet: &mut Packet, op: u16, sha: [u8; 6], sip: [u8; 4], tha: [u8; 6], tip: [u8; 4]) {
    put(packet, 0, FIXED);
    put(packet, 6, op.to_be_bytes());
    put(packet, 8, sha);
    put(packet, 14, sip);
    put(packet, 18, tha);
    put(packet, 24, tip);
}
