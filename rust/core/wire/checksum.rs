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

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_checksum))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    /// The example of RFC 1071, section 3.
    const EXAMPLE: [u8; 8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];

    #[test]
    fn the_example_of_rfc_1071() {
        assert_eq!(fold(add(0, &EXAMPLE)).to_ne_bytes(), [0xdd, 0xf2]);
        assert_eq!(finish(add(0, &EXAMPLE)).to_ne_bytes(), [0x22, 0x0d]);
        assert_eq!(fold(add(0, &[])), 0);
    }

    #[test]
    fn odd_lengths_end_with_a_zero() {
        let mut padded = [0xab; 8];
        padded[7] = 0;
        assert_eq!(fold(add(0, &[0xab; 7])), fold(add(0, &padded)));
        assert_eq!(fold(add(0, &[0xab])).to_ne_bytes(), [0xab, 0]);
    }

    #[test]
    fn the_example_of_rfc_1624() {
        let ne = |value: u16| u16::from_ne_bytes(value.to_be_bytes());
        let delta = sum16(!ne(0x5555), ne(0x3285));
        assert_eq!(update(ne(0xdd2f), delta), 0);
    }

    #[test]
    fn an_update_is_what_a_new_sum_would_be() {
        let mut octets = EXAMPLE;
        let mut word = 1u32;
        for _ in 0..1000 {
            let before = finish(add(0, &octets));
            let old = u32::from_ne_bytes(super::super::get(&octets, 4));
            word = word.wrapping_mul(0x9e37_79b1).wrapping_add(7);
            super::super::put(&mut octets, 4, word.to_ne_bytes());
            let after = update(before, fold(change32(old, word)));
            // 0 and 0xffff are the same sum.
            let same = after == finish(add(0, &octets));
            assert!(same || (after ^ finish(add(0, &octets))) == 0xffff);
        }
    }

    #[test]
    fn nothing_changes_nothing() {
        for check in [0, 1, 0x8000, 0xfffe, 0xffff] {
            assert_eq!(update(check, 0), check);
        }
        assert_eq!(sum16(0xffff, 1), 1);
        assert_eq!(sum16(0xffff, 0xffff), 0xffff);
    }
}
