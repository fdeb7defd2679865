// SPDX-License-Identifier: MIT OR Apache-2.0

//! ARP (RFC 826), for applications that have a NIC for themselves: nobody else answers.

use std::net::Ipv4Addr;

/// EtherType of ARP, and what a request for the hardware address of an IPv4 address begins with.
const REQUEST: [u8; 10] = [8, 6, 0, 1, 8, 0, 6, 4, 0, 1];
/// Where that begins in a frame, behind two MAC addresses.
const TYPE: usize = 12;
/// Where sender and target are, each a MAC address and one of IPv4.
const SENDER: usize = 22;
const TARGET: usize = 32;
const END: usize = 42;

/// Makes the answer of a request for the MAC address of `addr`; false if it is none.
pub fn answer(frame: &mut [u8], addr: Ipv4Addr, mac: [u8; 6]) -> bool {
    if frame.len() < END
        || frame[TYPE..SENDER] != REQUEST
        || frame[TARGET + 6..END] != addr.octets()
    {
        return false;
    }
    let asks: [u8; 10] = std::array::from_fn(|i| frame[SENDER + i]);
    frame[..6].copy_from_slice(&asks[..6]);
    frame[6..TYPE].copy_from_slice(&mac);
    frame[SENDER - 1] = 2;
    frame[SENDER..SENDER + 6].copy_from_slice(&mac);
    frame[SENDER + 6..TARGET].copy_from_slice(&addr.octets());
    frame[TARGET..END].copy_from_slice(&asks);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: ([u8; 6], [u8; 4]) = ([2, 0, 0, 0, 0, 1], [10, 0, 0, 1]);
    const THEM: ([u8; 6], [u8; 4]) = ([2, 0, 0, 0, 0, 9], [10, 0, 0, 9]);

    fn packet(
        to: [u8; 6],
        from: ([u8; 6], [u8; 4]),
        op: u8,
        target: ([u8; 6], [u8; 4]),
    ) -> Vec<u8> {
        let header = [8, 6, 0, 1, 8, 0, 6, 4, 0, op];
        [
            &to[..],
            &from.0,
            &header,
            &from.0,
            &from.1,
            &target.0,
            &target.1,
        ]
        .concat()
    }

    #[test]
    fn who_asks_gets_an_answer() {
        let mut frame = packet([0xff; 6], THEM, 1, ([0; 6], US.1));
        assert!(answer(&mut frame, US.1.into(), US.0));
        assert_eq!(frame, packet(THEM.0, US, 2, THEM));
        // That is no question.
        assert!(!answer(&mut frame, THEM.1.into(), US.0));
        let mut other = packet([0xff; 6], THEM, 1, ([0; 6], [10, 0, 0, 2]));
        assert!(!answer(&mut other, US.1.into(), US.0));
        assert!(!answer(&mut other[..41], [10, 0, 0, 2].into(), US.0));
    }
}
