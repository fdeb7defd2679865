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
    // Right exactly if the sum is a multiple of 0xffff, and not 0. A number is a multiple of an odd
    // one exactly if its product with the inverse of that (mod 2^64) is not more than what 2^64 - 1
    // divided by it is; and 0xffff * 0x0001_0001_0001_0001 is -1.
    const QUOTIENT: u64 = u64::MAX / 0xffff;
    const INVERSE: u64 = QUOTIENT.wrapping_neg();
    sum.wrapping_mul(INVERSE) <= QUOTIENT && sum != 0
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

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_ipv4))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    fn header() -> Header {
        let mut header = [0; IP_HLEN];
        write(
            &mut header,
            40,
            IPPROTO_TCP,
            [192, 0, 2, 1],
            [198, 51, 100, 7],
        );
        header
    }

    /// Every header that differs only in its identification has the checksum of RFC 1071, whatever
    /// the sum of its halves is on the way.
    #[test]
    fn every_right_checksum_is_taken_for_right() {
        for id in 0..=u16::MAX {
            let mut header = header();
            put(&mut header, 4, id.to_be_bytes());
            set_raw_check(&mut header, 0);
            let check = checksum::finish(checksum::add(0, &header));
            set_raw_check(&mut header, check);
            assert!(check_ok(&header));
            set_raw_check(&mut header, check ^ 1);
            assert!(!check_ok(&header));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let header = header();
        assert_eq!(version_ihl(&header), VERSION_IHL);
        assert_eq!(tot_len(&header), 40);
        assert_eq!(ttl(&header), TTL);
        assert_eq!(protocol(&header), IPPROTO_TCP);
        assert_eq!(saddr(&header), [192, 0, 2, 1]);
        assert_eq!(daddr(&header), [198, 51, 100, 7]);
        assert_eq!(raw_saddr(raw_addrs(&header)), [192, 0, 2, 1]);
        assert_eq!(raw_daddr(raw_addrs(&header)), [198, 51, 100, 7]);
        assert!(!is_fragment(&header));
        assert!(check_ok(&header));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for bit in 0..160usize {
            let mut header = header();
            if let Some(octet) = header.get_mut(bit >> 3) {
                *octet ^= 1 << (bit & 7);
            }
            assert!(!check_ok(&header));
        }
    }

    #[test]
    fn the_check_is_that_of_the_plain_sum() {
        let mut header = [0x45; IP_HLEN];
        let mut word = 1u32;
        for _ in 0..1000 {
            for at in [0usize, 4, 8, 12, 16] {
                word = word.wrapping_mul(0x9e37_79b1).wrapping_add(7);
                put(&mut header, at, word.to_ne_bytes());
            }
            assert!(check_ok(&header) == (checksum::fold(checksum::add(0, &header)) == 0xffff));
            set_raw_check(&mut header, 0);
            let check = checksum::finish(checksum::add(0, &header));
            set_raw_check(&mut header, check);
            assert!(check_ok(&header));
        }
    }

    #[test]
    fn addresses_of_one_machine() {
        for addr in [
            [1, 0, 0, 0],
            [10, 0, 0, 1],
            [126, 1, 1, 1],
            [128, 0, 0, 1],
            [223, 9, 9, 9],
        ] {
            assert!(is_unicast(addr));
        }
        for addr in [
            [0, 1, 2, 3],
            [127, 0, 0, 1],
            [224, 0, 0, 1],
            [240, 0, 0, 1],
            [255; 4],
        ] {
            assert!(!is_unicast(addr));
        }
    }
}
