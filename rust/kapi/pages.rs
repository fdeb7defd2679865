// SPDX-License-Identifier: GPL-2.0

//! Pages that a program maps, and that may be freed under it.

use core::ptr::NonNull;

use super::ffi;

/// Pages that stay as long as this does, even if their owner frees them meanwhile: nobody else gets
/// them.
///
/// # Invariants
///
/// `start` begins a page, and a reference to each page of `len` octets is held.
pub(crate) struct Pages {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: References to pages may be given up by any CPU.
unsafe impl Send for Pages {}
// SAFETY: Nothing is read or written by this.
unsafe impl Sync for Pages {}

impl Pages {
    /// Those of `len` octets.
    ///
    /// # Safety
    ///
    /// They are pages of the kernel, each with a count of its own, of `alloc_pages_exact()`, and
    /// `start` begins one.
    pub(super) unsafe fn hold(start: NonNull<u8>, len: usize) -> Self {
        // SAFETY: By the safety requirement.
        unsafe { ffi::smplb_c_pages_hold(start.as_ptr().cast(), len) };
        // INVARIANT: They are held.
        Self { start, len }
    }

    /// Octets, in whole pages.
    pub(crate) fn len(&self) -> usize {
        self.len.next_multiple_of(kernel::page::PAGE_SIZE)
    }

    /// The address of an octet; `None` beyond the end.
    pub(crate) fn octet(&self, at: usize) -> Option<u64> {
        (at < self.len()).then(|| self.start.addr().get().wrapping_add(at) as u64)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_pages_drop(self.start.as_ptr().cast(), self.len) };
    }
}
