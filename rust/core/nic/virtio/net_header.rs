// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The header in front of each frame of a virtio network device (`virtio_net_hdr_v1`; VIRTIO 1.2,
//! 5.1.6).

use super::super::super::wire::checksum;
use super::super::queue::Condition;

/// Length of the header, octets.
pub const LEN: usize = 12;

/// The header.
pub type Header = [u8; LEN];

/// `flags`: the transport checksum is partial, see `csum_start` and `csum_offset`.
pub const VIRTIO_NET_HDR_F_NEEDS_CSUM: u8 = 1;
/// `flags`: the device has checked the transport checksum.
pub const VIRTIO_NET_HDR_F_DATA_VALID: u8 = 2;

/// The bits of `flags` and `gso_type` of which one is set if something is to be done about a received
/// frame.
pub const ASKS: [u8; 2] = [VIRTIO_NET_HDR_F_NEEDS_CSUM, 0xff];

/// The header of a frame whose checksums are complete.
pub const PLAIN: Header = [0; LEN];

/// The header of a frame that is to be sent in this condition. A [`Condition::Partial`] needs a
/// device with `VIRTIO_NET_F_CSUM`; without that, [`complete`] the frame.
#[inline(always)]
pub fn make(condition: Condition) -> Header {
    let Condition::Partial { start, offset } = condition else {
        return PLAIN;
    };
    let ([s0, s1], [o0, o1]) = (start.to_le_bytes(), offset.to_le_bytes());
    let flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    [flags, 0, 0, 0, 0, 0, s0, s1, o0, o1, 0, 0]
}

/// What the header of a received frame of `len` octets says. Anything else than a whole frame, or a
/// checksum outside it, is [`Condition::Damaged`]: the device may not send such frames.
#[inline(always)]
pub fn read(header: &Header, len: u16) -> Condition {
    let &[flags, gso_type, _, _, _, _, s0, s1, o0, o1, _, _] = header;
    if gso_type != 0 {
        return Condition::Damaged;
    }
    if flags & VIRTIO_NET_HDR_F_NEEDS_CSUM != 0 {
        let (start, offset) = (u16::from_le_bytes([s0, s1]), u16::from_le_bytes([o0, o1]));
        let end = u32::from(start)
            .wrapping_add(u32::from(offset))
            .wrapping_add(2);
        return if end <= u32::from(len) {
            Condition::Partial { start, offset }
        } else {
            Condition::Damaged
        };
    }
    if flags & VIRTIO_NET_HDR_F_DATA_VALID != 0 {
        Condition::Good
    } else {
        Condition::Unchecked
    }
}

/// Finishes the partial checksum of a frame: `frame` is all of it. Returns whether the field lies
/// inside.
pub fn complete(frame: &mut [u8], start: u16, offset: u16) -> bool {
    let Some(part) = frame.get_mut(usize::from(start)..) else {
        return false;
    };
    let check = match checksum::finish(checksum::add(0, part)) {
        // A UDP checksum of 0 would mean that there is none; for TCP both mean the same.
        0 => u16::MAX,
        check => check,
    };
    let field = part
        .get_mut(usize::from(offset)..)
        .and_then(|rest| rest.first_chunk_mut::<2>());
    match field {
        Some(field) => {
            *field = check.to_ne_bytes();
            true
        }
        None => false,
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_net_header))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::super::fake::{packet, CLIENT, VIP};
    use super::super::super::super::wire::tcp::ACK;
    use super::*;

    #[test]
    fn what_is_made_is_read() {
        let partial = Condition::Partial {
            start: 34,
            offset: 16,
        };
        assert_eq!(read(&make(partial), 60), partial);
        assert_eq!(read(&make(partial), 52), partial);
        assert_eq!(read(&make(partial), 51), Condition::Damaged);
        assert_eq!(read(&make(Condition::Good), 60), Condition::Unchecked);
        assert_eq!(make(Condition::Unchecked), PLAIN);
    }

    #[test]
    fn what_devices_say() {
        let mut header = PLAIN;
        header[0] = VIRTIO_NET_HDR_F_DATA_VALID;
        assert_eq!(read(&header, 0), Condition::Good);
        header[1] = 1;
        assert_eq!(read(&header, 60), Condition::Damaged);
        header = [u8::MAX; LEN];
        header[1] = 0;
        assert_eq!(read(&header, u16::MAX), Condition::Damaged);
    }

    #[test]
    fn a_partial_checksum_is_finished() {
        let whole = packet(6, CLIENT, VIP, ACK);
        let mut frame = whole;
        let pseudo = checksum::pseudo(CLIENT.0, VIP.0, 6, 30);
        let [a, b] = checksum::fold(pseudo).to_ne_bytes();
        frame[50] = a;
        frame[51] = b;
        assert!(complete(&mut frame, 34, 16));
        assert_eq!(frame, whole);
        assert!(!complete(&mut frame, 34, 29));
        assert!(!complete(&mut frame, 65, 0));
    }
}
