// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What is told of frames that go through a channel.

use super::bad::{Bad, Limits};

/// What becomes of a frame that an application sends, in a buffer `B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent<B> {
    /// It is under way; the application gets this buffer for it, maybe the same.
    For(B),
    /// It is under way, and the application gets another buffer for it after all of the burst, by
    /// [`End::repay`](super::end::End::repay).
    Kept,
    /// The application may not send this, and gets it back.
    Refused(Bad, B),
}

/// Where a received frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Octets from the start of its buffer.
    pub offset: u16,
    /// Octets of the frame.
    pub len: u16,
    /// The port that received it.
    pub port: u16,
}

impl Limits {
    /// Where a copy of a frame of `len` octets is put, behind the headroom; `None` if no buffer is as
    /// large.
    #[inline(always)]
    pub fn place(&self, len: usize, port: u16) -> Option<Received> {
        let len = u16::try_from(len).ok()?;
        (len <= self.longest).then_some(Received {
            offset: self.headroom,
            len,
            port,
        })
    }
}

/// What was taken from a transmit ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Numbers, whatever became of them.
    pub seen: u32,
    /// Frames that were sent,
    pub sent: u32,
    /// and their octets.
    pub octets: u64,
}

/// What was put on a receive ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Frames,
    pub frames: u32,
    /// and their octets.
    pub octets: u64,
}
