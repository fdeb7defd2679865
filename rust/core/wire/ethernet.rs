// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Ethernet II header (IEEE 802.3, uapi `ethhdr`).

use super::get;

/// Length of the header, octets.
pub const ETH_HLEN: usize = 14;
/// IPv4.
pub const ETH_P_IP: u16 = 0x0800;
/// ARP.
pub const ETH_P_ARP: u16 = 0x0806;
/// The broadcast address.
pub const BROADCAST: [u8; 6] = [0xff; 6];

/// The header.
pub type Header = [u8; ETH_HLEN];

/// A MAC address as the low 48 bits of a word that is written to memory first octet first.
#[inline]
pub fn mac_word(mac: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = mac;
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

/// The first 8 octets as in [`mac_word`]: destination address, and 2 more octets above it.
#[inline(always)]
pub fn first_word(header: &Header) -> u64 {
    u64::from_le_bytes(get(header, 0))
}

/// Destination address.
#[inline(always)]
pub fn h_dest(header: &Header) -> [u8; 6] {
    get(header, 0)
}

/// Source address.
#[inline(always)]
pub fn h_source(header: &Header) -> [u8; 6] {
    get(header, 6)
}

/// Protocol.
#[inline(always)]
pub fn h_proto(header: &Header) -> u16 {
    u16::from_be_bytes(get(header, 12))
}

/// Writes both addresses, given as [`mac_word`]; what lies above the 48 bits of `dest` is ignored.
#[inline(always)]
pub fn set_addresses(header: &mut Header, dest: u64, source: u64) {
    super::put(header, 0, dest.to_le_bytes());
    super::put(header, 6, (source as u32).to_le_bytes());
    super::put(header, 10, ((source >> 32) as u16).to_le_bytes());
}

/// Whether the address is a multicast or broadcast one.
#[inline]
pub fn is_multicast(mac: [u8; 6]) -> bool {
    mac[0] & 1 != 0
}
