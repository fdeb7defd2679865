// SPDX-License-Identifier: GPL-2.0

//! Memory that programs map and write at any time.

use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::page::PAGE_SIZE;
use kernel::prelude::*;
use kernel::sync::atomic::{Acquire, Atomic, Relaxed, Release};
use kernel::sync::Arc;

use super::atom::KAtom;
use super::ffi;
use super::skb::Skb;
use crate::core_::channel::shared::Shared;

/// Zeroed pages of the kernel that programs may map.
///
/// # Invariants
///
/// `start` is memory of `len` octets that this owns, and begins at a page. Everything in it is read
/// and written atomically, or as octets of which any is as good as another: programs write there at
/// any time.
pub(crate) struct SharedMemory {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: It may be used and freed on any CPU.
unsafe impl Send for SharedMemory {}
// SAFETY: By the type invariants.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// At least `len` octets.
    pub(crate) fn new(len: usize) -> Result<Arc<Self>> {
        let len = len.max(1).next_multiple_of(PAGE_SIZE);
        // SAFETY: No preconditions.
        let start = unsafe { ffi::smplb_c_shared_alloc(len) };
        let start = NonNull::new(start.cast()).ok_or(ENOMEM)?;
        // INVARIANT: Just allocated. It is freed if there is no memory for the `Arc`.
        Ok(Arc::new(Self { start, len }, GFP_KERNEL)?)
    }

    /// Octets.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The address of an octet, for who maps it into a program; `None` beyond the end.
    pub(crate) fn octet(&self, at: usize) -> Option<u64> {
        Some(self.place(at, 1)?.addr() as u64)
    }

    /// The address of `len` octets `at` the start, if they are inside.
    #[inline(always)]
    fn place(&self, at: usize, len: usize) -> Option<*mut u8> {
        let end = at.checked_add(len)?;
        // SAFETY: Not beyond the memory, by the type invariants.
        (end <= self.len).then(|| unsafe { self.start.as_ptr().add(at) })
    }

    /// The first `count` words of 64 bits.
    #[inline(always)]
    pub(crate) fn atoms(&self, count: usize) -> &[KAtom] {
        let count = count.min(self.len / size_of::<KAtom>());
        // SAFETY: Inside and aligned, as in `word32`. A `KAtom` is an `Atomic<u64>` and nothing
        // else.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr().cast(), count) }
    }

    /// Copies octets out; false if they are not inside.
    #[inline(always)]
    pub(crate) fn copy_out(&self, at: usize, to: &mut [u8]) -> bool {
        let Some(from) = self.place(at, to.len()) else {
            return false;
        };
        // SAFETY: Both sides have that many octets, and are different memory. Octets that a program
        // writes meanwhile may come as they were or as they are.
        unsafe { core::ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len()) };
        true
    }

    /// Copies octets in; false if there is no room for them.
    #[inline(always)]
    pub(crate) fn copy_in(&self, at: usize, from: &[u8]) -> bool {
        let Some(to) = self.place(at, from.len()) else {
            return false;
        };
        // SAFETY: As in `copy_out`.
        unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to, from.len()) };
        true
    }

    /// A packet of the kernel's kind with a copy of octets.
    pub(crate) fn to_skb(&self, at: usize, len: usize) -> Result<Skb> {
        let frame = self.place(at, len).ok_or(EINVAL)?;
        // SAFETY: That many octets, of which a copy is made.
        unsafe { Skb::from_octets(frame, len as u32) }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: By the type invariants. No program maps it: the file that it did so by holds a
        // reference.
        unsafe { ffi::smplb_c_shared_free(self.start.as_ptr().cast()) };
    }
}

/// [`SharedMemory`] that is borrowed: its words.
///
/// # Invariants
///
/// Those of the memory, which is borrowed for `'a`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    start: NonNull<u8>,
    len: usize,
    memory: PhantomData<&'a SharedMemory>,
}

impl<'a> View<'a> {
    #[inline(always)]
    fn word32(self, i: usize) -> Option<&'a Atomic<u32>> {
        // SAFETY: Inside of memory that lives for `'a`, and aligned, as that begins at a page. All
        // access to it is atomic, by the type invariants.
        (i < self.len / 4)
            .then(|| unsafe { Atomic::from_ptr(self.start.as_ptr().cast::<u32>().add(i)) })
    }

    #[inline(always)]
    fn word64(self, i: usize) -> Option<&'a Atomic<u64>> {
        // SAFETY: As in `word32`.
        (i < self.len / 8)
            .then(|| unsafe { Atomic::from_ptr(self.start.as_ptr().cast::<u64>().add(i)) })
    }

    #[inline(always)]
    fn pair(self, i: usize) -> Option<[&'a Atomic<u64>; 2]> {
        (i < self.len / 16).then(|| {
            // SAFETY: As in `word32`, for both words.
            unsafe {
                let first = self.start.as_ptr().cast::<u64>().add(2 * i);
                [Atomic::from_ptr(first), Atomic::from_ptr(first.add(1))]
            }
        })
    }
}

impl Shared for View<'_> {
    type View<'a>
        = Self
    where
        Self: 'a;

    #[inline(always)]
    fn view(&self) -> Self {
        *self
    }

    #[inline(always)]
    fn load32(&self, i: usize) -> u32 {
        self.word32(i).map_or(0, |word| word.load(Relaxed))
    }

    #[inline(always)]
    fn load64(&self, i: usize) -> u64 {
        self.word64(i).map_or(0, |word| word.load(Relaxed))
    }

    #[inline(always)]
    fn store32(&self, i: usize, value: u32) {
        if let Some(word) = self.word32(i) {
            word.store(value, Relaxed);
        }
    }

    #[inline(always)]
    fn store64(&self, i: usize, value: u64) {
        if let Some(word) = self.word64(i) {
            word.store(value, Relaxed);
        }
    }

    #[inline(always)]
    fn load_pair(&self, i: usize) -> [u64; 2] {
        self.pair(i)
            .map_or([0; 2], |words| words.map(|word| word.load(Relaxed)))
    }

    #[inline(always)]
    fn store_pair(&self, i: usize, values: [u64; 2]) {
        if let Some(words) = self.pair(i) {
            let [first, second] = values;
            words[0].store(first, Relaxed);
            words[1].store(second, Relaxed);
        }
    }

    #[inline(always)]
    fn load32_acquire(&self, i: usize) -> u32 {
        self.word32(i).map_or(0, |word| word.load(Acquire))
    }

    #[inline(always)]
    fn store32_release(&self, i: usize, value: u32) {
        if let Some(word) = self.word32(i) {
            word.store(value, Release);
        }
    }
}

impl Shared for Arc<SharedMemory> {
    type View<'a> = View<'a>;

    #[inline(always)]
    fn view(&self) -> View<'_> {
        // INVARIANT: Borrowed, by the signature.
        View {
            start: self.start,
            len: self.len,
            memory: PhantomData,
        }
    }

    #[inline(always)]
    fn load32(&self, i: usize) -> u32 {
        self.view().load32(i)
    }

    #[inline(always)]
    fn load64(&self, i: usize) -> u64 {
        self.view().load64(i)
    }

    #[inline(always)]
    fn store32(&self, i: usize, value: u32) {
        self.view().store32(i, value);
    }

    #[inline(always)]
    fn store64(&self, i: usize, value: u64) {
        self.view().store64(i, value);
    }

    #[inline(always)]
    fn load32_acquire(&self, i: usize) -> u32 {
        self.view().load32_acquire(i)
    }

    #[inline(always)]
    fn store32_release(&self, i: usize, value: u32) {
        self.view().store32_release(i, value);
    }
}
