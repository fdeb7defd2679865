// SPDX-License-Identifier: GPL-2.0

//! The file that an application has opened a channel by.

use core::ptr::NonNull;
use kernel::ffi::c_void;
use kernel::prelude::*;

use super::ffi;

/// A file of `/dev/smplb`.
///
/// # Invariants
///
/// It is open for as long as [`Door::wake`] is called.
pub(crate) struct Door(NonNull<c_void>);

// SAFETY: Who waits may be woken by any CPU.
unsafe impl Send for Door {}
// SAFETY: As above.
unsafe impl Sync for Door {}

impl Door {
    /// That of an open file.
    ///
    /// # Safety
    ///
    /// The file stays open until its channel is shut, and nobody is woken by it afterwards.
    pub(crate) unsafe fn from_raw(door: *mut c_void) -> Result<Self> {
        // INVARIANT: By the safety requirement.
        NonNull::new(door).map(Self).ok_or(EINVAL)
    }

    /// The application may map its doorbells.
    pub(crate) fn show_bells(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_door_bells(self.0.as_ptr()) }
    }

    /// It may not any more, nor has it those that are mapped at `at`, of `len` octets. May sleep.
    pub(crate) fn hide_bells(&self, at: u64, len: u64) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_door_no_bells(self.0.as_ptr(), at, len) }
    }

    /// Wakes who waits for the file.
    pub(crate) fn wake(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_door_wake(self.0.as_ptr()) }
    }
}

/// The device node while the module is loaded.
pub(crate) struct Node(());

impl Node {
    /// Makes it.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: Once, by the module's `init`; undone in `drop`.
        kernel::error::to_result(unsafe { ffi::smplb_c_door_register() })?;
        Ok(Self(()))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { ffi::smplb_c_door_unregister() };
    }
}
