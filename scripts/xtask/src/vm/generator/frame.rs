// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frames of a generator: UDP over IPv4, without FCS.

use std::net::SocketAddrV4;
use std::ops::Range;

/// Octets of a frame: the smallest.
pub const LEN: usize = 60;
/// Where frames come from, and answers go to.
const SOURCE: [u8; 6] = [2, 0, 0, 0, 0, 1];
const ETH_HLEN: usize = 14;
const IP_HLEN: usize = 20;
const UDP_HLEN: usize = 8;
const UDP: u8 = 17;
/// Where a frame has its number: the first octets of the payload.
const NUMBER: Range<usize> =
    ETH_HLEN + IP_HLEN + UDP_HLEN..ETH_HLEN + IP_HLEN + UDP_HLEN + size_of::<u64>();

/// A frame to `mac`.
pub fn make(mac: [u8; 6], source: SocketAddrV4, dest: SocketAddrV4, number: u64) -> [u8; LEN] {
    let mut frame = [0; LEN];
    frame[NUMBER].copy_from_slice(&number.to_be_bytes());
    let (ethernet, rest) = frame.split_at_mut(ETH_HLEN);
    ethernet[..6].copy_from_slice(&mac);
    ethernet[6..12].copy_from_slice(&SOURCE);
    ethernet[12] = 8;

    let (ip, udp) = rest.split_at_mut(IP_HLEN);
    let udp_len = udp.len() as u16;
    ip[0] = 0x45;
    ip[2..4].copy_from_slice(&(udp_len + IP_HLEN as u16).to_be_bytes());
    ip[8..10].copy_from_slice(&[64, UDP]);
    ip[12..16].copy_from_slice(&source.ip().octets());
    ip[16..20].copy_from_slice(&dest.ip().octets());
    let check = checksum(ip, 0);
    ip[10..12].copy_from_slice(&check.to_be_bytes());

    udp[..2].copy_from_slice(&source.port().to_be_bytes());
    udp[2..4].copy_from_slice(&dest.port().to_be_bytes());
    udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
    let pseudo = u32::from(u16::from(UDP) + udp_len) + sum(&ip[12..20]);
    let check = match checksum(udp, pseudo) {
        0 => 0xffff,
        check => check,
    };
    udp[6..8].copy_from_slice(&check.to_be_bytes());
    frame
}

/// The number of the frame that this one answers; nothing if it is another one.
pub fn answered(frame: &[u8]) -> Option<u64> {
    let ours = frame.starts_with(&SOURCE)
        && frame.get(12..ETH_HLEN)? == [8, 0]
        && frame.get(ETH_HLEN + 9) == Some(&UDP);
    let number = frame.get(NUMBER).filter(|_| ours)?;
    number.try_into().map(u64::from_be_bytes).ok()
}

/// RFC 1071; the octets are an even number.
fn sum(octets: &[u8]) -> u32 {
    let words = octets.chunks_exact(2);
    words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum()
}

fn checksum(octets: &[u8], start: u32) -> u16 {
    let mut sum = sum(octets) + start;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_valid() {
        let source = "10.1.0.2:1025".parse().unwrap();
        let dest = "192.0.2.10:9".parse().unwrap();
        let mac = [0x52, 0x54, 0, 0, 0, 10];
        let frame = make(mac, source, dest, 77);
        assert_eq!(frame[..6], mac);
        let (ip, udp) = frame[ETH_HLEN..].split_at(IP_HLEN);
        // A checksum over itself is 0 (RFC 1071, section 1).
        assert_eq!(checksum(ip, 0), 0);
        assert_eq!(checksum(udp, 17 + 26 + sum(&ip[12..20])), 0);
        assert_eq!(ip[12..20], [10, 1, 0, 2, 192, 0, 2, 10]);
        assert_eq!(udp[..4], [4, 1, 0, 9]);
    }

    #[test]
    fn answers_are_told_from_the_rest() {
        let at = "10.1.0.1:9".parse().unwrap();
        let frame = make(SOURCE, at, at, 77);
        assert_eq!(answered(&frame), Some(77));
        assert_eq!(answered(&frame[..NUMBER.end - 1]), None);
        assert_eq!(answered(&make([2; 6], at, at, 77)), None);
        let mut arp = frame;
        arp[13] = 6;
        assert_eq!(answered(&arp), None);
        let mut tcp = frame;
        tcp[ETH_HLEN + 9] = 6;
        assert_eq!(answered(&tcp), None);
    }
}
