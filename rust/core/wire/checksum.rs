// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
//!
//! A one's complement sum does not depend on the byte order in which its words are read, only the
//! result has that order too. Everything here is in the order of the wire, read as the CPU reads
//! it.

/// Adds the 16-bit words of `octets` to a sum; an odd last octet counts as if a zero followed.
pub fn add(mut sum: u64, octets: &[u8]) -> u64 {
    let mut words = octets.chunks_exact(4);
    for word in &mut words {
        sum = sum.wrapping_add(u64::from(u32::from_ne_bytes(super::get(word, 0))));
    }
    let rest = words.remainder();
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum.wrapping_add(u64::from(u32::from_ne_bytes(last)))
}

/// Folds a sum of 32-bit words (fewer than 2^32 of them) into 16 bits.
#[inline(always)]
pub fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff).wrapping_add(sum >> 32);
    let sum = (sum & 0xffff).wrapping_add(sum >> 16);
    let sum = (sum & 0xffff).wrapping_add(sum >> 16);
    (sum & 0xffff).wrapping_add(sum >> 16) as u16
}

/// The one's complement sum of two words.
#[inline(always)]
pub fn sum16(a: u16, b: u16) -> u16 {
    let (sum, carry) = a.overflowing_add(b);
    sum.wrapping_add(u16::from(carry))
}

/// The checksum of a sum.
#[inline]
pub fn finish(sum: u64) -> u16 {
    !fold(sum)
}

/// What a change of a 32-bit field adds to a sum: ~m + m' of RFC 1624, not folded.
#[inline]
pub fn change32(old: u32, new: u32) -> u64 {
    u64::from(!old).wrapping_add(u64::from(new))
}

/// The checksum after the summed words changed by `delta`: RFC 1624, equation 3,
/// HC' = ~(~HC + ~m + m'), which in one's complement is HC - delta.
#[inline(always)]
pub fn update(check: u16, delta: u16) -> u16 {
    let (difference, borrow) = check.overflowing_sub(delta);
    difference.wrapping_sub(u16::from(borrow))
}

/// The sum of the pseudo header of TCP and UDP (RFC 9293, section 3.1; RFC 768). `len` is that of
/// the transport header and payload in octets.
pub fn pseudo(saddr: [u8; 4], daddr: [u8; 4], protocol: u8, len: u16) -> u64 {
    let [high, low] = len.to_be_bytes();
    add(add(add(0, &saddr), &daddr), &[0, protocol, high, low])
}
