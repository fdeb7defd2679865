// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! IPv4 header without options (RFC 791, uapi `iphdr`).

use super::{checksum, get, put};

/// Length of the header without options, octets.
pub const IP_HLEN: usize = 20;
/// ICMP.
pub const IPPROTO_ICMP: u8 = 1;
/// TCP.
pub const IPPROTO_TCP: u8 = 6;
/// UDP.
pub const IPPROTO_UDP: u8 = 17;
/// Flag: do not fragment.
pub const IP_DF: u16 = 0x4000;
/// Flag: more fragments follow.
pub const IP_MF: u16 = 0x2000;
/// Mask of the fragment offset.
pub const IP_OFFSET: u16 = 0x1fff;
/// Version 4, header of 5 words.
pub const VERSION_IHL: u8 = 0x45;
/// Time to live of packets made here.
pub const TTL: u8 = 64;

/// The header.
pub type Header = [u8; IP_HLEN];

/// Version and header length.
#[inline(always)]
pub fn version_ihl(header: &Header) -> u8 {
    header[0]
}

/// Length of header and payload, octets.
#[inline(always)]
pub fn tot_len(header: &Header) -> u16 {
    u16::from_be_bytes(get(header, 2))
}

/// Flags and fragment offset (8-octet units).
#[inline(always)]
pub fn frag_off(header: &Header) -> u16 {
    u16::from_be_bytes(get(header, 6))
}

/// Whether it is a fragment of a larger packet.
#[inline(always)]
pub fn is_fragment(header: &Header) -> bool {
    frag_off(header) & (IP_MF | IP_OFFSET) != 0
}

/// Time to live.
#[inline(always)]
pub fn ttl(header: &Header) -> u8 {
    header[8]
}

/// Protocol of the payload.
#[inline(always)]
pub fn protocol(header: &Header) -> u8 {
    header[9]
}

/// Source address.
#[inline(always)]
pub fn saddr(header: &Header) -> [u8; 4] {
    get(header, 12)
}

/// Destination address.
#[inline(always)]
pub fn daddr(header: &Header) -> [u8; 4] {
    get(header, 16)
}

/// Both addresses, source first, as they lie in memory.
#[inline(always)]
pub fn raw_addrs(header: &Header) -> u64 {
    u64::from_ne_bytes(get(header, 12))
}

/// The source address of [`raw_addrs`].
pub fn raw_saddr(addrs: u64) -> [u8; 4] {
    get(&addrs.to_ne_bytes(), 0)
}

/// The destination address of [`raw_addrs`].
pub fn raw_daddr(addrs: u64) -> [u8; 4] {
    get(&addrs.to_ne_bytes(), 4)
}

/// Header checksum as it lies in memory.
#[inline(always)]
pub fn raw_check(header: &Header) -> u16 {
    u16::from_ne_bytes(get(header, 10))
}

/// Whether the header checksum is right.
#[inline(always)]
pub fn check_ok(header: &Header) -> bool {
    let double = |at| u64::from_ne_bytes(get(header, at));
    let (sum, carry) = double(0).overflowing_add(double(8));
    let sum = sum.wrapping_add(u64::from(carry));
    let (sum, carry) = sum.overflowing_add(u64::from(u32::from_ne_bytes(get(header, 16))));
    let sum = sum.wrapping_add(u64::from(carry));
    // The sum is a multiple of 0xffff, and not 0, exactly if its halves are each other's complement when folded.
    let (sum, carry) = (sum as u32).overflowing_add((sum >> 32) as u32);
    let sum = sum.wrapping_add(u32::from(carry));
    let (low, high) = (sum as u16, (sum >> 16) as u16);
    low == !high
}

/// Writes both addresses as they lie in memory.
#[inline(always)]
pub fn set_raw_addrs(header: &mut Header, addrs: u64) {
    put(header, 12, addrs.to_ne_bytes());
}

/// Writes the checksum as it lies in memory.
#[inline(always)]
pub fn set_raw_check(header: &mut Header, check: u16) {
    put(header, 10, check.to_ne_bytes());
}

/// Writes the time to live.
#[inline(always)]
pub fn set_ttl(header: &mut Header, ttl: u8) {
    header[8] = ttl;
}

/// Writes a whole header: no options, no fragment, `IP_DF`, checksum complete.
pub fn write(header: &mut Header, tot_len: u16, protocol: u8, saddr: [u8; 4], daddr: [u8; 4]) {
    let [high, low] = tot_len.to_be_bytes();
    let [flags, offset] = IP_DF.to_be_bytes();
    put(
        header,
        0,
        [
            VERSION_IHL,
            0,
            high,
            low,
            0,
            0,
            flags,
            offset,
            TTL,
            protocol,
            0,
            0,
        ],
    );
    put(header, 12, saddr);
    put(header, 16, daddr);
    let check = checksum::finish(checksum::add(0, header));
    set_raw_check(header, check);
}

/// Whether the address can be that of one machine, other than this one by loopback: not in
/// 0.0.0.0/8, 127.0.0.0/8,
/// 224.0.0.0/4 or 240.0.0.0/4.
pub fn is_unicast(addr: [u8; 4]) -> bool {
    !matches!(addr[0], 0 | 127 | 224..=255)
}
