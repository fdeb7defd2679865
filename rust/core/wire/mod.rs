// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Headers as they are on the wire, one file per protocol.
//!
//! A header is a fixed-size array of octets, taken from a frame after its length was checked once,
//! so that reading a field needs no further check. Functions are named after the fields of the uapi
//! headers (`iphdr`, `tcphdr`, …) and return host byte order; what is named `raw` keeps the order
//! of the wire.

pub mod arp;
pub mod checksum;
pub mod ethernet;
pub mod icmp;
pub mod ipv4;
pub mod tcp;
pub mod udp;

/// Reads `N` octets at `at`; zeros if they are not there.
#[inline(always)]
pub(super) fn get<const N: usize>(octets: &[u8], at: usize) -> [u8; N] {
    match octets.get(at..).and_then(|rest| rest.first_chunk::<N>()) {
        Some(field) => *field,
        None => [0; N],
    }
}

/// Writes octets at `at`, if there is room.
#[inline(always)]
pub(super) fn put<const N: usize>(octets: &mut [u8], at: usize, field: [u8; N]) {
    if let Some(place) = octets
        .get_mut(at..)
        .and_then(|rest| rest.first_chunk_mut::<N>())
    {
        *place = field;
    }
}
