// SPDX-License-Identifier: GPL-2.0

//! Packets as the kernel's stack and drivers know them (`struct sk_buff`).

use core::ptr::NonNull;
use kernel::bindings::{self, sk_buff};
use kernel::prelude::*;

use super::burst::Packet;
use super::ffi;
use crate::core_::frame::{Checksum, Frame};
use crate::core_::rewrite;

/// Octets of an Ethernet header.
pub(crate) const ETH_HLEN: usize = 14;

/// Octets at the start of a frame that the core reads or writes: Ethernet, IPv4
/// and TCP headers without options. Not more: what a packet of the host shares
/// with its socket begins behind its headers, and is not ours to write.
const HEAD: usize = rewrite::WHOLE;

/// Octets of an ICMP error with what it quotes, which the core builds in place
/// of a packet that is too large.
const ICMP_ERROR: usize = ETH_HLEN + 20 + 8 + 28;

/// An owned packet; dropping it frees it.
///
/// # Invariants
///
/// The pointer is a packet that nobody else owns.
#[repr(transparent)]
pub(crate) struct Skb(NonNull<sk_buff>);

// SAFETY: A packet may be handled and freed on any CPU.
unsafe impl Send for Skb {}

impl Skb {
    /// Takes over the packet behind `skb`.
    ///
    /// # Safety
    ///
    /// `skb` is a packet that the caller owns and does not use afterwards.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(skb: *mut sk_buff) -> Self {
        // INVARIANT: By the safety requirement.
        // SAFETY: A packet that someone owns is not null.
        Self(unsafe { NonNull::new_unchecked(skb) })
    }

    /// Gives the packet to the caller, who frees it.
    #[inline(always)]
    pub(crate) fn into_raw(self) -> *mut sk_buff {
        let skb = self.0.as_ptr();
        core::mem::forget(self);
        skb
    }

    /// A new frame with the given octets, padded to the least Ethernet length.
    pub(crate) fn from_frame(frame: &[u8]) -> Result<Self> {
        let len = u32::try_from(frame.len())?;
        // SAFETY: The pointer and length are those of `frame`.
        unsafe { Self::from_octets(frame.as_ptr(), len) }
    }

    /// The same for octets that others may write meanwhile.
    ///
    /// # Safety
    ///
    /// There are `len` octets at `frame`.
    pub(crate) unsafe fn from_octets(frame: *const u8, len: u32) -> Result<Self> {
        // SAFETY: By the safety requirement.
        let skb = unsafe { ffi::smplb_c_frame_alloc(frame.cast(), len) };
        // INVARIANT: New, and ours.
        NonNull::new(skb).map(Self).ok_or(ENOMEM)
    }

    #[inline(always)]
    fn raw(&self) -> &sk_buff {
        // SAFETY: By the type invariants the packet is alive and ours.
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    fn raw_mut(&mut self) -> &mut sk_buff {
        // SAFETY: By the type invariants the packet is alive and only ours.
        unsafe { self.0.as_mut() }
    }

    /// Shows `take` the frames that the packet is on the wire, one after the
    /// other: none when there is no memory for that.
    pub(crate) fn into_frames(self, mut take: impl FnMut(&[u8])) {
        // SAFETY: The packet is ours, and passed on.
        let mut next = unsafe { ffi::smplb_c_skb_plain(self.into_raw()) };
        while !next.is_null() {
            // SAFETY: A packet of a list of ours.
            let skb = unsafe { Self::from_raw(next) };
            let raw = skb.raw();
            // SAFETY: `next` is how lists of packets are linked.
            next = unsafe { raw.__bindgen_anon_1.__bindgen_anon_1.next };
            // SAFETY: It is in one piece: that many octets from `data` on.
            take(unsafe { core::slice::from_raw_parts(raw.data, raw.len as usize) });
        }
    }

    /// Octets from `data` on.
    #[inline(always)]
    pub(crate) fn len(&self) -> u32 {
        self.raw().len
    }

    /// Moves `data` back over the Ethernet header that lies before it.
    #[inline(always)]
    pub(crate) fn push_ethernet(&mut self) {
        let skb = self.raw_mut();
        // The driver's eth_type_trans() pulled exactly these octets.
        skb.data = skb.data.wrapping_sub(ETH_HLEN);
        skb.len = skb.len.wrapping_add(ETH_HLEN as u32);
    }

    /// Moves `data` past the Ethernet header.
    #[inline(always)]
    pub(crate) fn pull_ethernet(&mut self) {
        let skb = self.raw_mut();
        skb.data = skb.data.wrapping_add(ETH_HLEN);
        skb.len = skb.len.wrapping_sub(ETH_HLEN as u32);
    }

    /// Makes the headers linear and ours to write, `data` being at the
    /// Ethernet header. Nothing to do for most packets. A packet larger than
    /// `least_mtu` may become an ICMP error, which needs a little more.
    #[inline(always)]
    pub(crate) fn prepare(&mut self, least_mtu: u32) -> Result {
        let skb = self.raw();
        if skb.cloned() == 0 && skb.data_len == 0 {
            return Ok(());
        }
        self.prepare_shared(least_mtu)
    }

    #[inline(never)]
    fn prepare_shared(&mut self, least_mtu: u32) -> Result {
        // SAFETY: The packet is ours.
        to_result(unsafe { ffi::smplb_c_skb_prepare(self.0.as_ptr(), HEAD as u32) })?;
        let frame = self.frame();
        let packet = match frame.segment_len {
            0 => frame.len.saturating_sub(ETH_HLEN as u32),
            segment => segment,
        };
        if packet <= least_mtu {
            return Ok(());
        }
        // SAFETY: As above.
        to_result(unsafe { ffi::smplb_c_skb_prepare(self.0.as_ptr(), ICMP_ERROR as u32) })
    }

    /// Octets from `data` on that are linear and ours to write, the packet being
    /// prepared. What a clone shares with others begins at `hdr_len` from the
    /// start of the buffer (see `skb_clone_writable()`).
    #[inline(always)]
    fn writable(&self) -> usize {
        let skb = self.raw();
        let linear = skb.len.wrapping_sub(skb.data_len) as usize;
        if skb.cloned() == 0 {
            return linear;
        }
        let headroom = (skb.data as usize).wrapping_sub(skb.head as usize);
        linear.min(usize::from(skb.hdr_len).saturating_sub(headroom))
    }

    /// Forgets a checksum over the whole packet as it came in: its headers may
    /// have changed.
    #[inline(always)]
    pub(crate) fn forget_checksum(&mut self) {
        // SAFETY: The union holds the headers group in every packet.
        let headers = unsafe { self.raw_mut().__bindgen_anon_4.headers.as_mut() };
        if u32::from(headers.ip_summed()) == bindings::CHECKSUM_COMPLETE {
            headers.set_ip_summed(bindings::CHECKSUM_NONE as u8);
        }
    }

    /// Forgets what held for the packet as it came in: the checksum, the flow
    /// hash and the time.
    #[inline(always)]
    pub(crate) fn forget_receive_state(&mut self) {
        self.forget_checksum();
        let skb = self.raw_mut();
        // SAFETY: The union holds the headers group in every packet.
        let headers = unsafe { skb.__bindgen_anon_4.headers.as_mut() };
        headers.hash = 0;
        headers.set_l4_hash(0);
        headers.set_sw_hash(0);
        // Time of receipt, or a time to send that an earlier sender wanted.
        skb.__bindgen_anon_2.tstamp = 0;
    }

    /// Shortens the frame to an answer of `len` octets.
    ///
    /// # Errors
    ///
    /// The packet could not be changed, and is freed.
    pub(crate) fn trim_to_answer(self, len: u16) -> Result<Self> {
        let raw = self.into_raw();
        // SAFETY: `raw` is ours. On failure it has been freed.
        let err = unsafe { ffi::smplb_c_frame_trim(raw, u32::from(len)) };
        to_result(err)?;
        // SAFETY: Still ours.
        Ok(unsafe { Self::from_raw(raw) })
    }
}

impl Packet for Skb {
    /// The frame as the core sees it, `data` being at the Ethernet header and
    /// the packet prepared.
    #[inline(always)]
    fn frame(&mut self) -> Frame<'_> {
        let writable = self.writable();
        let skb = self.raw_mut();
        let len = skb.len;
        // SAFETY: `skb_shared_info` lies at `end`, an offset from `head` on
        // 64-bit machines, for the life of the packet's buffer.
        let shared = unsafe {
            &*skb
                .head
                .add(skb.end as usize)
                .cast::<bindings::skb_shared_info>()
        };
        // SAFETY: These octets from `data` on are linear, and nobody else has
        // them, see `writable`.
        let head = unsafe { core::slice::from_raw_parts_mut(skb.data, writable) };
        let segment_len = if shared.gso_size == 0 {
            0
        } else {
            let tcp = bindings::SKB_GSO_TCPV4 as u32 | bindings::SKB_GSO_TCPV6 as u32;
            segment_len(head, u32::from(shared.gso_size), shared.gso_type & tcp != 0)
        };
        // SAFETY: The union holds the headers group in every packet.
        let headers = unsafe { skb.__bindgen_anon_4.headers.as_ref() };
        let mut checksum = Checksum::Complete;
        if u32::from(headers.ip_summed()) == bindings::CHECKSUM_PARTIAL {
            // SAFETY: In such a packet it is these two of the union.
            let place = unsafe { headers.__bindgen_anon_1.__bindgen_anon_1 };
            let headroom = skb.data.addr() - skb.head.addr();
            let start = usize::from(place.csum_start).checked_sub(headroom);
            // A tunnel leaves its payload's checksum to the NIC, and has its own complete
            // unless it is cut into segments.
            let both = bindings::SKB_GSO_UDP_TUNNEL_CSUM as u32;
            if start == Some(rewrite::L4) || shared.gso_type & both != 0 {
                checksum = Checksum::Partial;
            }
        }
        Frame {
            head,
            len,
            checksum,
            segment_len,
        }
    }
}

/// The largest L3 length of the segments that an IPv4 GSO packet will become:
/// its headers plus one segment of payload. The driver or the stack has parsed
/// these headers, since it made the packet one with segments; a header that is
/// not there counts with its largest size.
fn segment_len(head: &[u8], gso_size: u32, tcp: bool) -> u32 {
    let at = |offset: usize| head.get(offset).copied();
    let l3 = at(ETH_HLEN).map_or(60, |b| u32::from(b & 0x0f) * 4);
    let l4 = if tcp {
        at(ETH_HLEN.saturating_add(l3 as usize).saturating_add(12))
            .map_or(60, |b| u32::from(b >> 4) * 4)
    } else {
        8
    };
    l3.saturating_add(l4).saturating_add(gso_size)
}

impl Drop for Skb {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the type invariants the packet is ours, and it is not used
        // afterwards.
        unsafe {
            bindings::sk_skb_reason_drop(
                core::ptr::null(),
                self.0.as_ptr(),
                bindings::skb_drop_reason_SKB_DROP_REASON_NOT_SPECIFIED,
            );
        }
    }
}

/// `Ok` for zero, the error for a negative number.
fn to_result(err: i32) -> Result {
    kernel::error::to_result(err)
}

#[kernel::macros::kunit_tests(smplb_skb)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_padded_and_can_be_seen_and_written() -> Result {
        let mut skb = Skb::from_frame(&[0x11; 42])?;
        assert_eq!(skb.len(), 60);
        assert!(skb.prepare(1500).is_ok());
        let frame = skb.frame();
        assert_eq!(frame.len, 60);
        assert_eq!(frame.segment_len, 0);
        assert!(frame.head.get(41) == Some(&0x11) && frame.head.get(42) == Some(&0));
        frame.head.fill(0x22);
        skb.pull_ethernet();
        assert_eq!(skb.len(), 46);
        skb.push_ethernet();
        assert!(skb.frame().head.first() == Some(&0x22));
        Ok(())
    }

    #[test]
    fn an_answer_is_shortened_to_the_least_frame() -> Result {
        let skb = Skb::from_frame(&[7; 1000])?;
        let mut answer = skb.trim_to_answer(54)?;
        assert_eq!(answer.len(), 60);
        assert!(answer.frame().head.get(53..55) == Some(&[7, 0][..]));
        Ok(())
    }

    #[test]
    fn segments_are_measured_by_their_headers() {
        let mut head = [0; 74];
        head[ETH_HLEN] = 0x45;
        head[ETH_HLEN + 20 + 12] = 0x80;
        assert_eq!(segment_len(&head, 1448, true), 1500);
        assert_eq!(segment_len(&head, 1472, false), 1500);
        assert_eq!(segment_len(&head[..20], 1400, true), 20 + 60 + 1400);
    }
}
