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

/// The last 8 octets of the header of an IPv4 packet, as in [`mac_word`]: source address, protocol.
#[inline]
pub fn ip_word(source: [u8; 6]) -> u64 {
    mac_word(source) | u64::from(ETH_P_IP.to_be()) << 48
}

/// Writes the header of an IPv4 packet. `dest` is what [`mac_word`] makes of the address, and what
/// lies above that is ignored; `source` is what [`ip_word`] makes.
#[inline(always)]
pub fn set(header: &mut Header, dest: u64, source: u64) {
    super::put(header, 0, dest.to_le_bytes());
    super::put(header, 6, source.to_le_bytes());
}

/// Whether the address is a multicast or broadcast one.
#[inline]
pub fn is_multicast(mac: [u8; 6]) -> bool {
    mac[0] & 1 != 0
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_ethernet))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let (dest, source) = ([1, 2, 3, 4, 5, 6], [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc]);
        let mut header = [0xee; ETH_HLEN];
        set(&mut header, mac_word(dest) | 0xdead << 48, ip_word(source));
        assert_eq!(h_dest(&header), dest);
        assert_eq!(h_source(&header), source);
        assert_eq!(h_proto(&header), ETH_P_IP);
        assert_eq!(first_word(&header) & 0xffff_ffff_ffff, mac_word(dest));
        assert!(is_multicast(dest) && !is_multicast(source) && is_multicast(BROADCAST));
    }
}
