// SPDX-License-Identifier: MIT OR Apache-2.0

use std::cell::RefCell;
use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;

use smplb_core::channel::entry::{Entry, Owner};

use crate::memory::Memory;

/// Octets of a buffer, and of what is free in front of a frame, as the module has them.
pub(crate) const SIZE: usize = 2048;
pub(crate) const HEADROOM: u16 = 128;

/// Most frames of one burst.
pub(crate) const BURST: u32 = 64;

/// Octets of the shortest Ethernet frame, without FCS.
const SHORTEST: usize = 60;

/// The buffers of a channel, and which of them are free.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) memory: Arc<Memory>,
    /// Octets of a buffer.
    pub(crate) size: usize,
    /// The least offset of a frame.
    pub(crate) headroom: u16,
    /// Octets of the longest frame.
    pub(crate) longest: u16,
    /// Buffers that nobody uses.
    pub(crate) free: RefCell<Vec<u32>>,
}

/// An Ethernet frame in a buffer that the application owns, from the destination MAC address on,
/// without FCS. Dropping it frees the buffer.
///
/// # Invariants
///
/// No other frame, no ring and not the kernel has the buffer.
pub struct Frame {
    pool: Rc<Pool>,
    buffer: u32,
    offset: u16,
    len: u16,
    port: u16,
}

impl Frame {
    /// # Safety
    ///
    /// Nobody else has the buffer, and the frame is inside of it.
    pub(crate) unsafe fn new(
        pool: &Rc<Pool>,
        buffer: u32,
        (offset, len): (u16, u16),
        port: u16,
    ) -> Self {
        // INVARIANT: By the safety requirement.
        Self {
            pool: Rc::clone(pool),
            buffer,
            offset,
            len,
            port,
        }
    }

    /// What the kernel is told of it, when it is to send it.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            buffer: self.buffer,
            offset: self.offset,
            len: self.len,
            owner: Owner::Nic as u16,
            port: self.port,
            ..Entry::default()
        }
    }

    /// Gives the buffer up, which somebody else is to have.
    pub(crate) fn give_up(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used any more, nor dropped.
        drop(unsafe { std::ptr::read(&this.pool) });
    }

    /// Whether its buffer is one of `pool`.
    pub(crate) fn is_of(&self, pool: &Rc<Pool>) -> bool {
        Rc::ptr_eq(&self.pool, pool)
    }

    /// Octets in front of it in its buffer.
    pub(crate) fn offset(&self) -> usize {
        self.offset.into()
    }

    /// A frame of `len` octets, which have any value, in a free buffer of `pool`; `None` if there is none,
    /// or it is too small.
    pub(crate) fn take(pool: &Rc<Pool>, len: usize, port: u16) -> Option<Self> {
        if len > pool.longest.into() {
            return None;
        }
        let buffer = pool.free.borrow_mut().pop()?;
        // SAFETY: It was free, and is not any more; such a frame fits in.
        Some(unsafe { Self::new(pool, buffer, (pool.headroom, len as u16), port) })
    }

    /// A copy in a buffer of `pool`; `None` if none is free, or it is too small.
    pub(crate) fn copy_to(&self, pool: &Rc<Pool>) -> Option<Self> {
        let mut copy = Self::take(pool, self.len(), self.port)?;
        copy.as_mut().copy_from_slice(self.as_ref());
        Some(copy)
    }

    /// Makes it as long as Ethernet frames are at least.
    pub(crate) fn pad(&mut self) {
        let len = self.len();
        if len < SHORTEST && self.set_len(SHORTEST) {
            self.as_mut()[len..].fill(0);
        }
    }

    /// Where it is in the memory of the pool.
    fn at(&self) -> usize {
        self.buffer as usize * self.pool.size + self.offset()
    }

    /// The port that it came from, or is to leave by.
    #[inline]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Has it leave by another port, see [`Channel::port`](crate::Channel::port).
    #[inline]
    pub fn set_port(&mut self, port: u16) {
        self.port = port;
    }

    /// Octets.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.into()
    }

    /// Whether there is no octet.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Octets that it can have.
    pub fn room(&self) -> usize {
        (self.pool.size - usize::from(self.offset)).min(self.pool.longest.into())
    }

    /// Makes it shorter or longer; octets that are new have any value. False if the buffer is too
    /// small.
    pub fn set_len(&mut self, len: usize) -> bool {
        if len > self.room() {
            return false;
        }
        self.len = len as u16;
        true
    }
}

impl AsRef<[u8]> for Frame {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        // SAFETY: By the type invariants, and nobody writes while `self` is borrowed.
        unsafe { self.pool.memory.octets(self.at(), self.len()) }
    }
}

impl AsMut<[u8]> for Frame {
    #[inline]
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: By the type invariants; `self` is borrowed alone.
        unsafe { self.pool.memory.octets(self.at(), self.len()) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.pool.free.borrow_mut().push(self.buffer);
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("buffer", &self.buffer)
            .field("len", &self.len)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
