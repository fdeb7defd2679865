// SPDX-License-Identifier: GPL-2.0

//! What has to be done before the machine sleeps and when it has woken up. The
//! kernel's PCI abstractions for Rust have no such callbacks of a driver.

use core::ptr::NonNull;
use kernel::ffi::c_void;
use kernel::prelude::*;
use kernel::sync::Arc;

use super::ffi;

/// What a [`Sleeper`] calls, in process context.
pub(crate) trait Sleep: Send + Sync {
    /// The machine is about to sleep: processes still run.
    fn fall_asleep(&self);

    /// It has woken up, or has not slept after all.
    fn wake_up(&self);
}

/// Calls a [`Sleep`] until it is dropped.
///
/// # Invariants
///
/// The pointer is a sleeper that has not been stopped.
pub(crate) struct Sleeper(NonNull<c_void>);

// SAFETY: A sleeper may be stopped from any thread.
unsafe impl Send for Sleeper {}

/// # Safety
///
/// `data` points at a `T` that lives for the time of the call.
unsafe extern "C" fn call<T: Sleep>(data: *mut c_void, asleep: bool) {
    // SAFETY: The sleeper is stopped before its object goes.
    let object = unsafe { &*data.cast::<T>() };
    match asleep {
        true => object.fall_asleep(),
        false => object.wake_up(),
    }
}

impl Sleeper {
    /// Calls `object` from now on. The owner of the object owns this, too.
    ///
    /// # Safety
    ///
    /// It is dropped before `object` and what that borrows.
    pub(crate) unsafe fn start_borrowing<T: Sleep>(object: &Arc<T>) -> Result<Self> {
        let data = Arc::as_ptr(object).cast_mut().cast();
        // SAFETY: `call::<T>` gets the object it expects, by the safety requirement.
        let sleeper = unsafe { ffi::smplb_c_sleeper_start(call::<T>, data) };
        // INVARIANT: Just started.
        NonNull::new(sleeper).map(Self).ok_or(ENOMEM)
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        // SAFETY: By the type invariants. Waits for a call under way.
        unsafe { ffi::smplb_c_sleeper_stop(self.0.as_ptr()) }
    }
}
