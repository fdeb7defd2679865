// SPDX-License-Identifier: GPL-2.0

//! The interrupt of a NIC, which wakes an engine that sleeps.

use core::ptr::NonNull;
use kernel::device::Core;
use kernel::error::from_err_ptr;
use kernel::ffi::c_void;
use kernel::pci;
use kernel::prelude::*;

use super::ffi;
use crate::port::Port;

/// The vector of a device, masked unless an engine has armed it.
///
/// # Invariants
///
/// The pointer is a vector that has not been freed, of a device that is bound
/// for as long.
pub(crate) struct Vector(NonNull<c_void>);

// SAFETY: The functions of a vector may be called by any thread.
unsafe impl Send for Vector {}
// SAFETY: As above; they exclude each other where they have to.
unsafe impl Sync for Vector {}

impl Vector {
    /// The one of `pdev`.
    ///
    /// # Errors
    ///
    /// The device has no MSI-X, or the machine no vector left.
    ///
    /// # Safety
    ///
    /// It is dropped before the device is disabled.
    pub(crate) unsafe fn new(pdev: &pci::Device<Core<'_>>) -> Result<Self> {
        // CAST: `pci::Device` is transparent.
        let pdev = core::ptr::from_ref(pdev).cast_mut().cast();
        // SAFETY: The device is bound, enabled by its probe, which may sleep.
        let vector = from_err_ptr(unsafe { ffi::smplb_c_vector_new(pdev) })?;
        // INVARIANT: Just made; it goes first by the safety requirement.
        NonNull::new(vector).map(Self).ok_or(ENOMEM)
    }

    /// Has the device interrupt once.
    pub(crate) fn arm(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_vector_arm(self.0.as_ptr()) }
    }

    /// Masks it.
    pub(crate) fn disarm(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_vector_disarm(self.0.as_ptr()) }
    }

    /// Wakes the engine of `port` from now on.
    ///
    /// # Safety
    ///
    /// [`Self::unwatch`] is called before the port ends.
    pub(crate) unsafe fn watch(&self, port: &Port) {
        let port = core::ptr::from_ref(port).cast_mut().cast();
        // SAFETY: By the type invariants and the safety requirement.
        unsafe { ffi::smplb_c_vector_watch(self.0.as_ptr(), port) }
    }

    /// Wakes nobody any more. May sleep.
    pub(crate) fn unwatch(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_vector_watch(self.0.as_ptr(), core::ptr::null_mut()) }
    }
}

impl Drop for Vector {
    fn drop(&mut self) {
        // SAFETY: Once, by the type invariants.
        unsafe { ffi::smplb_c_vector_free(self.0.as_ptr()) }
    }
}
