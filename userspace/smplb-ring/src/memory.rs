// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory that is shared with the kernel. All `unsafe` about it is here.

use std::alloc::{alloc_zeroed, dealloc, handle_alloc_error, Layout};
use std::marker::PhantomData;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};
use smplb_core::channel::shared::Shared;
use smplb_core::channel::uapi::Map;
use smplb_core::StdAtom;

/// Memory that both sides of a channel write: a part of its file, or, without a kernel, of the heap.
///
/// # Invariants
///
/// `start` is `len` octets that this owns, aligned to 8, mapped or allocated as `source` says.
#[derive(Debug)]
pub(crate) struct Memory {
    start: NonNull<u8>,
    len: usize,
    source: Source,
}

// SAFETY: It may be freed by any thread.
unsafe impl Send for Memory {}
// SAFETY: Words are atomic; octets are touched by who owns their buffer, by the safety requirement of
// `octets`.
unsafe impl Sync for Memory {}

#[derive(Debug)]
enum Source {
    Mapped,
    Allocated(Layout),
}

impl Memory {
    /// Maps a part, to read and, if `writable`, to write.
    pub(crate) fn map(file: impl AsFd, part: Map, writable: bool) -> Result<Arc<Self>, Errno> {
        let len = usize::try_from(part.len).map_err(|_| Errno::OVERFLOW)?;
        let prot = match writable {
            true => ProtFlags::READ | ProtFlags::WRITE,
            false => ProtFlags::READ,
        };
        // SAFETY: A new mapping, where the kernel likes it.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                len,
                prot,
                MapFlags::SHARED,
                file,
                part.offset,
            )?
        };
        // INVARIANT: Just mapped.
        let start = NonNull::new(start.cast()).ok_or(Errno::FAULT)?;
        Ok(Arc::new(Self {
            start,
            len,
            source: Source::Mapped,
        }))
    }

    /// Zeroed memory of the heap.
    pub(crate) fn allocate(len: usize) -> Arc<Self> {
        let layout = Layout::from_size_align(len.max(8), 8).expect("a size that there can be");
        // SAFETY: The size is not 0.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else {
            handle_alloc_error(layout)
        };
        // INVARIANT: Just allocated.
        Arc::new(Self {
            start,
            len: layout.size(),
            source: Source::Allocated(layout),
        })
    }

    /// What a loop goes through: where it is and how long is at hand, not behind a pointer.
    pub(crate) fn view(&self) -> View<'_> {
        // INVARIANT: By those of `Memory`, which is borrowed as long.
        View {
            start: self.start,
            len: self.len,
            memory: PhantomData,
        }
    }

    /// A word of 16 bits.
    pub(crate) fn word16(&self, i: usize) -> &AtomicU16 {
        self.view().word(i)
    }

    /// The first `count` words of 64 bits.
    pub(crate) fn atoms(&self, count: usize) -> &[StdAtom] {
        assert!(count * size_of::<StdAtom>() <= self.len);
        // SAFETY: Inside and aligned, as in `word`; a `StdAtom` is an `AtomicU64` and nothing else.
        unsafe { slice::from_raw_parts(self.start.as_ptr().cast(), count) }
    }

    /// Octets of a buffer.
    ///
    /// # Safety
    ///
    /// The caller owns them: no other reference to them is used while this is, and the kernel does
    /// not touch them.
    #[allow(
        clippy::mut_from_ref,
        reason = "who owns a buffer is told by who has its number"
    )]
    #[inline]
    pub(crate) unsafe fn octets(&self, at: usize, len: usize) -> &mut [u8] {
        assert!(at.checked_add(len).is_some_and(|end| end <= self.len));
        // SAFETY: Inside of the mapping, and the caller's.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr().add(at), len) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        match self.source {
            // SAFETY: By the type invariants. It cannot fail for a mapping that is there.
            Source::Mapped => _ = unsafe { munmap(self.start.as_ptr().cast(), self.len) },
            // SAFETY: By the type invariants.
            Source::Allocated(layout) => unsafe { dealloc(self.start.as_ptr(), layout) },
        }
    }
}

/// [`Memory`] that is borrowed.
///
/// # Invariants
///
/// `start` is `len` octets that live as long as `'a`, aligned to 8.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    start: NonNull<u8>,
    len: usize,
    memory: PhantomData<&'a Memory>,
}

impl<'a> View<'a> {
    fn word<T>(self, i: usize) -> &'a T {
        let at = i * size_of::<T>();
        assert!(at + size_of::<T>() <= self.len, "outside of the mapping");
        // SAFETY: Inside of the mapping, by the check, and aligned, by the type invariants. `T` is
        // an atomic integer or two of them, and the other side accesses it atomically, too.
        unsafe { &*self.start.as_ptr().add(at).cast::<T>() }
    }

    fn word32(self, i: usize) -> &'a AtomicU32 {
        self.word(i)
    }

    fn word64(self, i: usize) -> &'a AtomicU64 {
        self.word(i)
    }

    fn pair(self, i: usize) -> &'a [AtomicU64; 2] {
        self.word(i)
    }

    /// `count` words of 32 bits, from word `i` on.
    pub(crate) fn words32(self, i: usize, count: usize) -> &'a [AtomicU32] {
        let end = i.checked_add(count).and_then(|end| end.checked_mul(4));
        assert!(
            end.is_some_and(|end| end <= self.len),
            "outside of the mapping"
        );
        // SAFETY: Inside of the mapping, by the check, and aligned, by the type invariants. The other
        // side accesses them atomically, too.
        unsafe { slice::from_raw_parts(self.start.as_ptr().add(i * 4).cast(), count) }
    }
}

impl Shared for View<'_> {
    type View<'a>
        = Self
    where
        Self: 'a;

    fn view(&self) -> Self {
        *self
    }

    fn load32(&self, i: usize) -> u32 {
        self.word32(i).load(Ordering::Relaxed)
    }

    fn load64(&self, i: usize) -> u64 {
        self.word64(i).load(Ordering::Relaxed)
    }

    fn store32(&self, i: usize, value: u32) {
        self.word32(i).store(value, Ordering::Relaxed);
    }

    fn store64(&self, i: usize, value: u64) {
        self.word64(i).store(value, Ordering::Relaxed);
    }

    fn load_pair(&self, i: usize) -> [u64; 2] {
        let [first, second] = self.pair(i);
        [
            first.load(Ordering::Relaxed),
            second.load(Ordering::Relaxed),
        ]
    }

    fn store_pair(&self, i: usize, values: [u64; 2]) {
        let pair = self.pair(i);
        pair[0].store(values[0], Ordering::Relaxed);
        pair[1].store(values[1], Ordering::Relaxed);
    }

    fn load32_acquire(&self, i: usize) -> u32 {
        self.word32(i).load(Ordering::Acquire)
    }

    fn store32_release(&self, i: usize, value: u32) {
        self.word32(i).store(value, Ordering::Release);
    }
}

/// [`Memory`] as the rings take it.
#[derive(Clone, Debug)]
pub(crate) struct Words(pub(crate) Arc<Memory>);

impl Shared for Words {
    type View<'a> = View<'a>;

    fn view(&self) -> View<'_> {
        self.0.view()
    }

    fn load32(&self, i: usize) -> u32 {
        self.view().load32(i)
    }

    fn load64(&self, i: usize) -> u64 {
        self.view().load64(i)
    }

    fn store32(&self, i: usize, value: u32) {
        self.view().store32(i, value);
    }

    fn store64(&self, i: usize, value: u64) {
        self.view().store64(i, value);
    }

    fn load32_acquire(&self, i: usize) -> u32 {
        self.view().load32_acquire(i)
    }

    fn store32_release(&self, i: usize, value: u32) {
        self.view().store32_release(i, value);
    }
}
