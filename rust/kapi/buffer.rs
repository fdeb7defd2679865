// SPDX-License-Identifier: GPL-2.0

//! The memory of the buffer pool, and who may touch which buffer of it.

use core::ptr::NonNull;
use kernel::bindings;
use kernel::device::{Bound, Device};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::transmute::AsBytes;

use super::burst::Packet;
use super::ffi;
use super::pseudo::raw_device;
use super::ring::Parcel;
use crate::core_::frame::{Checksum, Frame};
use crate::core_::nic::queue::BufferId;
use crate::core_::nic::virtio::net_header;
use crate::core_::rewrite;

/// Octets of a buffer.
pub(crate) const SIZE: usize = 2048;

/// Octets in front of a frame: what a NIC wants there, and room for the frame to
/// begin at a cache line.
pub(crate) const HEADROOM: usize = 128;

/// Least octets in front of a frame: no NIC wants more there.
const LEAST: u16 = 16;

/// The bit of a frame's place that says that its transport checksum is partial: the
/// sum of the pseudo header, to be finished by who sends it.
const PARTIAL: u16 = 1 << 15;

/// Octets of a frame that fit, FCS not counted.
pub(crate) const FRAME: usize = SIZE - HEADROOM;

/// `SMPLB_CHUNK_SIZE`.
const CHUNK: usize = 2 << 20;

/// Buffers of a chunk.
pub(crate) const PER_CHUNK: usize = CHUNK / SIZE;

/// Memory for buffers, in chunks that are contiguous for a device.
///
/// Applications that are trusted with it map it, see [`super::lend`]: octets of any buffer may change
/// at any time then, as those that a device writes would. Any octets are a valid frame, and where and
/// how long it is, is kept elsewhere.
///
/// # Invariants
///
/// Each pointer is a chunk of [`CHUNK`] octets that this owns.
pub(crate) struct Memory {
    chunks: KVec<NonNull<u8>>,
}

// SAFETY: Memory may be used and freed on any CPU; who may touch which part of it
// is what `Buf` says.
unsafe impl Send for Memory {}
// SAFETY: As above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Allocates at least `buffers` buffers.
    pub(crate) fn new(buffers: usize) -> Result<Self> {
        let mut memory = Self {
            chunks: KVec::new(),
        };
        for _ in 0..buffers.div_ceil(PER_CHUNK) {
            memory.chunks.reserve(1, GFP_KERNEL)?;
            // SAFETY: No preconditions.
            let chunk = unsafe { ffi::smplb_c_chunk_alloc() };
            let chunk = NonNull::new(chunk.cast()).ok_or(ENOMEM)?;
            // INVARIANT: Just allocated. There is room: it was reserved.
            memory.chunks.push(chunk, GFP_KERNEL)?;
        }
        Ok(memory)
    }

    /// Number of buffers.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len() * PER_CHUNK
    }

    /// The address of the first octet of a buffer; `None` if there is no such one.
    pub(crate) fn place(&self, number: usize) -> Option<u64> {
        let chunk = self.chunks.get(number / PER_CHUNK)?.addr().get();
        Some((chunk + number % PER_CHUNK * SIZE) as u64)
    }

    /// The address of octet `at` of all buffers, one behind the other.
    pub(crate) fn octet(&self, at: usize) -> Option<u64> {
        Some(self.place(at / SIZE)? + (at % SIZE) as u64)
    }

    /// See [`Located::frame`].
    #[inline(always)]
    pub(crate) fn frame(&self, buf: Buf, place: u16, len: u16) -> Result<Buffered, Buf> {
        match self.place(buf.0 as usize) {
            // SAFETY: That is where it is.
            Some(start) => unsafe { Located::new(buf, start) }.frame(place, len),
            None => Err(unfit(buf)),
        }
    }

    /// A buffer with a copy of `octets` as its frame, likewise.
    pub(crate) fn copy(&self, buf: Buf, octets: &[u8]) -> Result<Buffered, Buf> {
        self.filled(buf, octets.len(), |to| {
            to.copy_from_slice(octets);
            true
        })
    }

    /// A buffer with a frame of `len` octets that `fill` writes, padded to the least
    /// Ethernet length; gives the buffer back when they do not fit in, or `fill` says
    /// that it cannot.
    pub(crate) fn filled(
        &self,
        buf: Buf,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> bool,
    ) -> Result<Buffered, Buf> {
        let whole = len.max(60);
        if whole > FRAME {
            return Err(buf);
        }
        let mut frame = self.frame(buf, HEADROOM as u16, whole as u16)?;
        let (data, padding) = frame.octets_mut().split_at_mut(len);
        padding.fill(0);
        match fill(data) {
            true => Ok(frame),
            false => Err(frame.into_buf()),
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for chunk in &self.chunks {
            // SAFETY: By the type invariants.
            unsafe { ffi::smplb_c_chunk_free(chunk.as_ptr().cast()) };
        }
    }
}

/// Tells the compiler which way is the usual one.
#[cold]
fn unfit(buf: Buf) -> Buf {
    buf
}

/// A buffer that the holder owns: nobody else, and no device, touches it.
///
/// There is nothing to drop it into: it goes back to the pool, to a ring or to a
/// NIC, or the pool never has all its buffers again.
///
/// # Invariants
///
/// There is no second `Buf` with the same number, and no NIC that has it.
#[repr(transparent)]
#[must_use]
pub(crate) struct Buf(u32);

impl Buf {
    /// Takes a buffer over.
    ///
    /// # Safety
    ///
    /// The number came from [`Buf::into_id`], and this is done once with it; or
    /// nobody has had the number yet.
    #[inline(always)]
    pub(crate) unsafe fn from_id(id: BufferId) -> Self {
        // INVARIANT: By the safety requirement.
        Self(id.0)
    }

    /// Gives a buffer up.
    #[inline(always)]
    pub(crate) fn into_id(self) -> BufferId {
        BufferId(self.0)
    }

    /// Its number.
    #[inline(always)]
    pub(crate) fn id(&self) -> BufferId {
        BufferId(self.0)
    }
}

/// A buffer that the holder owns, and where it is.
///
/// # Invariants
///
/// `start` is the first octet of the buffer, whose memory stays as long as a buffer of
/// it is owned.
#[must_use]
pub(crate) struct Located {
    buf: Buf,
    start: *mut u8,
}

impl Located {
    /// A buffer at the address that [`Memory::place`] told.
    ///
    /// # Safety
    ///
    /// It did so for this buffer.
    #[inline(always)]
    pub(crate) unsafe fn new(buf: Buf, place: u64) -> Self {
        // INVARIANT: By the safety requirement.
        Self {
            buf,
            start: place as usize as *mut u8,
        }
    }

    /// The buffer with a frame of `len` octets, `place` octets from its start and
    /// perhaps [`PARTIAL`]; gives the buffer back when that does not fit in.
    #[inline(always)]
    pub(crate) fn frame(self, place: u16, len: u16) -> Result<Buffered, Buf> {
        let offset = place & !PARTIAL;
        if offset < LEAST || usize::from(offset) + usize::from(len) > SIZE {
            return Err(unfit(self.buf));
        }
        // INVARIANT: The frame lies in the buffer.
        Ok(Buffered {
            // SAFETY: `offset` is at most the size of the buffer.
            data: unsafe { self.start.add(usize::from(offset)) },
            buf: self.buf,
            place,
            len,
        })
    }

    /// The buffer's number, which is given up, and the address of its octet `offset`.
    #[inline(always)]
    pub(crate) fn into_parts(self, offset: u16) -> (BufferId, u64) {
        let addr = self.start.addr() + usize::from(offset);
        (self.buf.into_id(), addr as u64)
    }
}

impl From<Located> for Buf {
    #[inline(always)]
    fn from(located: Located) -> Self {
        located.buf
    }
}

/// A frame in a buffer that the holder owns.
///
/// # Invariants
///
/// `data` is as many octets behind the start of the buffer as `place` says without
/// [`PARTIAL`]; the memory stays as long as a buffer of it is owned. That is at least
/// [`LEAST`], and with `len` at most [`SIZE`].
#[must_use]
pub(crate) struct Buffered {
    // No `NonNull`: a value that cannot be is tested for again and again.
    data: *mut u8,
    buf: Buf,
    place: u16,
    len: u16,
}

// SAFETY: The memory may be touched on any CPU by who owns the buffer.
unsafe impl Send for Buffered {}

impl Buffered {
    /// The frame.
    #[inline(always)]
    pub(crate) fn octets_mut(&mut self) -> &mut [u8] {
        // SAFETY: By the type invariants these octets are inside of the buffer,
        // and the buffer is ours as long as `self` is borrowed.
        unsafe { core::slice::from_raw_parts_mut(self.data, self.len.into()) }
    }

    /// The buffer, without the frame.
    #[inline(always)]
    pub(crate) fn into_buf(self) -> Buf {
        self.buf
    }

    /// The buffer.
    #[inline(always)]
    pub(crate) fn buf(&self) -> &Buf {
        &self.buf
    }

    /// Octets of the frame.
    #[inline(always)]
    pub(crate) fn len(&self) -> u16 {
        self.len
    }

    /// The address of the octet `before` the frame.
    #[inline(always)]
    pub(crate) fn addr(&self, before: u16) -> u64 {
        self.data.addr().wrapping_sub(before.into()) as u64
    }

    /// Pads the frame to the least Ethernet length.
    #[inline(always)]
    pub(crate) fn pad(&mut self) {
        if self.len < 60 {
            self.trim(self.len);
        }
    }

    /// Shortens the frame to `len` octets, or pads it to the least Ethernet
    /// length.
    pub(crate) fn trim(&mut self, len: u16) {
        let room = (SIZE - usize::from(self.place & !PARTIAL)) as u16;
        let old = self.len;
        // INVARIANT: Not beyond the buffer.
        self.len = len.min(old).max(60).min(room);
        let from = usize::from(len.min(old));
        if let Some(padding) = self.octets_mut().get_mut(from..) {
            padding.fill(0);
        }
    }

    /// Fills the octets in front of the frame with `header`.
    #[inline(always)]
    pub(crate) fn set_header<H: AsBytes + Copy>(&mut self, header: H) {
        const { assert!(size_of::<H>() <= LEAST as usize) };
        // SAFETY: By the type invariants, that many octets in front of the frame
        // are in the buffer, which is ours.
        unsafe {
            self.data
                .sub(size_of::<H>())
                .cast::<H>()
                .write_unaligned(header)
        };
    }

    /// The `N` octets in front of the frame.
    pub(crate) fn header<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= LEAST as usize) };
        // SAFETY: As in `set_header`.
        unsafe { self.data.sub(N).cast::<[u8; N]>().read_unaligned() }
    }

    /// Makes the frame begin `n` octets later.
    pub(crate) fn pull(&mut self, n: u16) -> bool {
        let Some(len) = self.len.checked_sub(n) else {
            return false;
        };
        // SAFETY: The frame has that many octets.
        // INVARIANT: Its end is where it was.
        self.data = unsafe { self.data.add(n.into()) };
        self.place += n;
        self.len = len;
        true
    }

    /// Whether the transport checksum is partial.
    #[inline(always)]
    pub(crate) fn is_partial(&self) -> bool {
        self.place & PARTIAL != 0
    }

    /// Says whether the transport checksum is partial.
    #[inline(always)]
    pub(crate) fn set_partial(&mut self, partial: bool) {
        // INVARIANT: The frame stays where it is.
        self.place = self.place & !PARTIAL | if partial { PARTIAL } else { 0 };
    }

    /// If the transport checksum is partial, where it starts, octets from the start of
    /// the frame, and where its field is from there.
    pub(crate) fn partial(&mut self) -> Option<(u16, u16)> {
        match self.is_partial() {
            true => rewrite::checksum_place(self.octets_mut()),
            false => None,
        }
    }

    /// Finishes the transport checksum if it is partial.
    #[inline(always)]
    pub(crate) fn finish_checksum(&mut self) {
        if self.is_partial() {
            self.complete();
        }
    }

    #[inline(never)]
    fn complete(&mut self) {
        if let Some((start, offset)) = self.partial() {
            net_header::complete(self.octets_mut(), start, offset);
        }
        self.set_partial(false);
    }
}

impl Packet for Buffered {
    #[inline(always)]
    fn frame(&mut self) -> Frame<'_> {
        let len = self.len.into();
        let checksum = match self.is_partial() {
            true => Checksum::Partial,
            false => Checksum::Complete,
        };
        Frame {
            head: self.octets_mut(),
            len,
            checksum,
            segment_len: 0,
        }
    }
}

// SAFETY: A buffer may be handled on any CPU. Its word has no more than its
// number, and where the frame is.
unsafe impl Parcel for Placed {
    #[inline(always)]
    fn into_word(self) -> usize {
        let id = self.buf.into_id();
        let place = usize::from(self.place) << 32 | usize::from(self.len) << 48;
        id.0 as usize | place | usize::from(self.marked) << 63
    }

    #[inline(always)]
    unsafe fn from_word(word: usize) -> Self {
        Self {
            // SAFETY: By the safety requirement, the number was given up by
            // `into_word`, and the word is used once.
            buf: unsafe { Buf::from_id(BufferId(word as u32)) },
            place: (word >> 32) as u16,
            // Of 15 bits: a buffer is not that large.
            len: (word >> 48) as u16 & 0x7fff,
            marked: word >> 63 != 0,
        }
    }
}

/// A buffer and where its frame is, on its way through a ring.
pub(crate) struct Placed {
    /// The buffer.
    pub(crate) buf: Buf,
    /// Octets from its start to the frame, and perhaps [`PARTIAL`].
    pub(crate) place: u16,
    /// Octets of the frame.
    pub(crate) len: u16,
    /// What producer and consumer of the ring have agreed that it means.
    pub(crate) marked: bool,
}

impl From<Buffered> for Placed {
    #[inline(always)]
    fn from(frame: Buffered) -> Self {
        let (place, len) = (frame.place, frame.len);
        Self {
            buf: frame.into_buf(),
            place,
            len,
            marked: false,
        }
    }
}

/// The memory of the pool as one device sees it.
///
/// # Invariants
///
/// Each distance is that of the chunk with the same number, mapped for `device`,
/// which is bound to a driver of ours.
pub(crate) struct Mapping {
    memory: Arc<Memory>,
    device: *mut bindings::device,
    /// Of each chunk, how far behind its address in the kernel the device finds it.
    distances: KVec<u64>,
    /// That distance when it is the same for all, as without an IOMMU.
    common: Option<u64>,
}

// SAFETY: The device and its mappings may be used by any thread.
unsafe impl Send for Mapping {}
// SAFETY: As above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps all of the memory. To be dropped before `device` is unbound. With
    /// `physical`, the device knows physical addresses only, whatever stands
    /// between it and memory.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` when what the device reads or writes would have to be copied.
    pub(crate) fn new(memory: Arc<Memory>, device: &Device<Bound>, physical: bool) -> Result<Self> {
        let mut mapping = Self {
            memory,
            device: raw_device(device),
            distances: KVec::new(),
            common: None,
        };
        for nth in 0..mapping.memory.chunks.len() {
            let chunk = mapping.memory.chunks.get(nth).ok_or(EINVAL)?.as_ptr();
            mapping.distances.reserve(1, GFP_KERNEL)?;
            let mut address = 0;
            // SAFETY: The device is bound; the chunk stays as long as `memory`.
            to_result(unsafe {
                ffi::smplb_c_chunk_map(raw_device(device), chunk.cast(), physical, &mut address)
            })?;
            // INVARIANT: Just mapped.
            let distance = address.wrapping_sub(chunk.addr() as u64);
            mapping.distances.push(distance, GFP_KERNEL)?;
        }
        let first = mapping.distances.first().copied();
        mapping.common = first.filter(|first| mapping.distances.iter().all(|other| other == first));
        Ok(mapping)
    }

    /// How far behind any octet's address in the kernel the device finds it, if that
    /// is the same for all.
    #[inline(always)]
    pub(crate) fn common(&self) -> Option<u64> {
        self.common
    }

    /// Where the device finds the first octet of each [`PER_CHUNK`] buffers.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = u64> + '_ {
        let chunks = self.memory.chunks.iter().zip(&self.distances);
        chunks.map(|(chunk, distance)| distance.wrapping_add(chunk.addr().get() as u64))
    }

    /// Where the device finds the octet at `addr`, which is in a buffer.
    #[inline(always)]
    pub(crate) fn address(&self, buffer: BufferId, addr: u64) -> u64 {
        let distance = self.distances.get(buffer.0 as usize / PER_CHUNK).copied();
        distance.unwrap_or_default().wrapping_add(addr)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        for (chunk, distance) in self.memory.chunks.iter().zip(&self.distances) {
            let address = distance.wrapping_add(chunk.addr().get() as u64);
            // SAFETY: By the type invariants; the device is still bound.
            unsafe { ffi::smplb_c_chunk_unmap(self.device, address) };
        }
    }
}
