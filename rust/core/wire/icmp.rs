// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! ICMP header (RFC 792, uapi `icmphdr`).

use super::{checksum, get, put};

/// Length of the header, octets.
pub const ICMP_HLEN: usize = 8;
/// Echo reply.
pub const ICMP_ECHOREPLY: u8 = 0;
/// Destination unreachable.
pub const ICMP_DEST_UNREACH: u8 = 3;
/// Echo request.
pub const ICMP_ECHO: u8 = 8;
/// Time exceeded.
pub const ICMP_TIME_EXCEEDED: u8 = 11;
/// Parameter problem.
pub const ICMP_PARAMETERPROB: u8 = 12;
/// Code of destination unreachable: fragmentation needed and DF set.
pub const ICMP_FRAG_NEEDED: u8 = 4;

/// The header.
pub type Header = [u8; ICMP_HLEN];

/// Type.
#[inline]
pub fn icmp_type(header: &Header) -> u8 {
    header[0]
}

/// Code.
#[inline]
pub fn code(header: &Header) -> u8 {
    header[1]
}

/// Checksum as it lies in memory.
#[inline]
pub fn raw_check(header: &Header) -> u16 {
    u16::from_ne_bytes(get(header, 2))
}

/// Writes the checksum as it lies in memory.
#[inline]
pub fn set_raw_check(header: &mut Header, check: u16) {
    put(header, 2, check.to_ne_bytes());
}

/// Turns an echo request into the reply, checksum updated incrementally.
pub fn turn_echo(header: &mut Header) {
    let old = u32::from(u16::from_ne_bytes([ICMP_ECHO, 0]));
    let new = u32::from(u16::from_ne_bytes([ICMP_ECHOREPLY, 0]));
    let delta = checksum::fold(checksum::change32(old, new));
    let check = checksum::update(raw_check(header), delta);
    header[0] = ICMP_ECHOREPLY;
    set_raw_check(header, check);
}

/// Writes the header of an error message that quotes `quoted`, checksum complete. `mtu` belongs to
/// [`ICMP_FRAG_NEEDED`] (RFC 1191) and is 0 in others.
pub fn write_error(header: &mut Header, icmp_type: u8, code: u8, mtu: u16, quoted: &[u8]) {
    let [high, low] = mtu.to_be_bytes();
    *header = [icmp_type, code, 0, 0, 0, 0, high, low];
    let check = checksum::finish(checksum::add(checksum::add(0, header), quoted));
    set_raw_check(header, check);
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_icmp))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_turned() {
        let mut header = [ICMP_ECHO, 0, 0, 0, 0x12, 0x34, 0, 7];
        let check = checksum::finish(checksum::add(0, &header));
        set_raw_check(&mut header, check);
        turn_echo(&mut header);
        assert_eq!(icmp_type(&header), ICMP_ECHOREPLY);
        assert_eq!(checksum::finish(checksum::add(0, &header)), 0);
    }

    #[test]
    fn an_error_has_its_checksum() {
        let mut header = [0xff; ICMP_HLEN];
        let quoted = [0x45; 28];
        write_error(
            &mut header,
            ICMP_DEST_UNREACH,
            ICMP_FRAG_NEEDED,
            1400,
            &quoted,
        );
        assert_eq!(get::<2>(&header, 6), 1400u16.to_be_bytes());
        assert_eq!(code(&header), ICMP_FRAG_NEEDED);
        assert_eq!(
            checksum::finish(checksum::add(checksum::add(0, &header), &quoted)),
            0
        );
    }
}
