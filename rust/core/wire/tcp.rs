// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! TCP header (RFC 9293, uapi `tcphdr`).

use super::{checksum, get, put};

/// Length of the header without options, octets.
pub const TCP_HLEN: usize = 20;
/// Flag: no more data from sender.
pub const FIN: u8 = 0x01;
/// Flag: synchronize sequence numbers.
pub const SYN: u8 = 0x02;
/// Flag: reset the connection.
pub const RST: u8 = 0x04;
/// Flag: the acknowledgment field is significant.
pub const ACK: u8 = 0x10;

/// The header.
pub type Header = [u8; TCP_HLEN];

/// Sequence number.
pub fn seq(header: &Header) -> u32 {
    u32::from_be_bytes(get(header, 4))
}

/// Acknowledgment number.
pub fn ack_seq(header: &Header) -> u32 {
    u32::from_be_bytes(get(header, 8))
}

/// Length of the header with options, octets.
#[inline(always)]
pub fn header_len(header: &Header) -> u32 {
    u32::from(header[12] >> 2) & 0x3c
}

/// Flags, without those of RFC 3168 and 9768.
#[inline(always)]
pub fn flags(header: &Header) -> u8 {
    header[13]
}

/// Checksum as it lies in memory.
#[inline(always)]
pub fn raw_check(header: &Header) -> u16 {
    u16::from_ne_bytes(get(header, 16))
}

/// Writes a reset segment, checksum complete. Ports are as they lie in memory, source first.
pub fn write_reset(
    header: &mut Header,
    raw_ports: u32,
    seq: u32,
    ack: Option<u32>,
    saddr: [u8; 4],
    daddr: [u8; 4],
) {
    let flags = if ack.is_some() { RST | ACK } else { RST };
    put(header, 0, raw_ports.to_ne_bytes());
    put(header, 4, seq.to_be_bytes());
    put(header, 8, ack.unwrap_or(0).to_be_bytes());
    put(header, 12, [5 << 4, flags, 0, 0, 0, 0, 0, 0]);
    let pseudo = checksum::pseudo(saddr, daddr, super::ipv4::IPPROTO_TCP, TCP_HLEN as u16);
    let check = checksum::finish(checksum::add(pseudo, header));
    put(header, 16, check.to_ne_bytes());
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_tcp))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn a_reset_is_read_back() {
        let (saddr, daddr) = ([192, 0, 2, 1], [198, 51, 100, 7]);
        for ack in [None, Some(0x0102_0304)] {
            let mut header = [0xff; TCP_HLEN];
            write_reset(&mut header, 0x1234_5678, 0xa1b2_c3d4, ack, saddr, daddr);
            assert_eq!(seq(&header), 0xa1b2_c3d4);
            assert_eq!(ack_seq(&header), ack.unwrap_or(0));
            assert_eq!(flags(&header), if ack.is_some() { RST | ACK } else { RST });
            assert_eq!(header_len(&header), 20);
            let pseudo = checksum::pseudo(saddr, daddr, 6, 20);
            assert_eq!(checksum::finish(checksum::add(pseudo, &header)), 0);
        }
    }

    #[test]
    fn all_lengths() {
        for words in 0..16u8 {
            let mut header = [0; TCP_HLEN];
            header[12] = words << 4 | 0xf;
            assert_eq!(header_len(&header), u32::from(words) << 2);
        }
    }
}
