// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Frames and bursts: how the shell shows packets to the core.

use super::verdict::Verdict;

/// Most frames in one burst.
pub const BURST: usize = 64;

/// Octets from the start of a frame that the shell makes contiguous and writable, when the frame
/// has that many.
pub const HEAD: usize = 128;

/// Most ports of one switch.
pub const MAX_PORTS: usize = 64;

/// The number of a port inside its switch, below [`MAX_PORTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortId(pub u16);

/// How far the checksum of the transport header has been computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// The field holds the checksum of the packet as it will be on the wire.
    #[default]
    Complete,
    /// The field holds the sum of the pseudo header, not complemented; hardware or segmentation
    /// finishes it (the kernel's `CHECKSUM_PARTIAL`).
    Partial,
}

/// One Ethernet frame, as far as the core needs to see it.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The first octets of the frame, from the destination MAC address on, writable: all of the
    /// frame or at least [`HEAD`] octets of it.
    pub head: &'a mut [u8],
    /// Length of the whole frame in octets, Ethernet header included, without FCS. For a frame that
    /// will be segmented later (GSO) the length of the whole super-packet.
    pub len: u32,
    /// State of the transport checksum.
    pub checksum: Checksum,
    /// For a GSO frame the largest IP packet (header and payload, octets) that segmentation will
    /// make of it; 0 for any other frame.
    pub segment_len: u32,
}

/// Where the frames of a burst come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Received by the NIC of the port.
    Port(PortId),
    /// Sent by the host on the pseudo interface of the port.
    Host(PortId),
}

/// Up to [`BURST`] frames that are handled together.
pub trait Burst {
    /// Number of frames, at most [`BURST`]; frames beyond that are not looked at.
    fn len(&self) -> usize;

    /// Whether there is no frame.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frames, in order.
    fn frames(&mut self) -> impl Iterator<Item = Frame<'_>>;

    /// Has `decide` decide about each frame, in order, and keeps the verdicts. With each frame goes
    /// one of `notes`; there are as many.
    fn decide<T>(
        &mut self,
        notes: impl Iterator<Item = T>,
        decide: impl FnMut(T, Frame<'_>) -> Verdict,
    );
}
