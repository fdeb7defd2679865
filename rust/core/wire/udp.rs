// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! UDP header (RFC 768, uapi `udphdr`).

use super::get;

/// Length of the header, octets.
pub const UDP_HLEN: usize = 8;

/// The header; also the first 8 octets of a TCP header.
pub type Header = [u8; UDP_HLEN];

/// Length of header and payload, octets.
#[inline(always)]
pub fn len(header: &Header) -> u32 {
    u32::from(u16::from_be_bytes(get(header, 4)))
}

/// Checksum as it lies in memory; 0 means that there is none.
#[inline(always)]
pub fn raw_check(header: &Header) -> u16 {
    u16::from_ne_bytes(get(header, 6))
}

/// Source and destination port as they lie in memory, of UDP or TCP.
#[inline(always)]
pub fn raw_ports(header: &Header) -> u32 {
    u32::from_ne_bytes(get(header, 0))
}

/// Destination port, of UDP or TCP.
#[inline(always)]
pub fn dest(header: &Header) -> u16 {
    u16::from_be_bytes(get(header, 2))
}
