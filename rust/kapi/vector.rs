// SPDX-License-Identifier: GPL-2.0

//! The interrupts of a NIC, which wake engines that sleep: one for each queue
//! pair.

use core::ptr::NonNull;
use kernel::device::Core;
use kernel::error::from_err_ptr;
use kernel::ffi::c_void;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;

use super::ffi;
use crate::port::Port;

/// All vectors of a device.
///
/// # Invariants
///
/// The pointer is from `smplb_c_vectors_new` and has not been freed, of a device
/// that is bound for as long.
struct All(NonNull<c_void>);

// SAFETY: They may be freed by any thread.
unsafe impl Send for All {}
// SAFETY: Nothing is done with them but to free them.
unsafe impl Sync for All {}

impl Drop for All {
    fn drop(&mut self) {
        // SAFETY: Once, by the type invariants.
        unsafe { ffi::smplb_c_vectors_free(self.0.as_ptr()) }
    }
}

/// The vector of a queue pair, masked unless an engine has armed it.
///
/// # Invariants
///
/// The pointer is one of the vectors of `_all`.
pub(crate) struct Vector {
    vector: NonNull<c_void>,
    _all: Arc<All>,
}

// SAFETY: The functions of a vector may be called by any thread.
unsafe impl Send for Vector {}
// SAFETY: As above; they exclude each other where they have to.
unsafe impl Sync for Vector {}

impl Vector {
    /// Those for `count` queue pairs of `pdev`, in their order.
    ///
    /// # Errors
    ///
    /// The device has no MSI-X, or it or the machine not as many vectors.
    ///
    /// # Safety
    ///
    /// All are dropped before the device is disabled.
    pub(crate) unsafe fn all(pdev: &pci::Device<Core<'_>>, count: u16) -> Result<KVec<Self>> {
        let mut vectors = KVec::with_capacity(count.into(), GFP_KERNEL)?;
        // CAST: `pci::Device` is transparent.
        let pdev = core::ptr::from_ref(pdev).cast_mut().cast();
        // SAFETY: The device is bound, enabled by its probe, which may sleep.
        let all = from_err_ptr(unsafe { ffi::smplb_c_vectors_new(pdev, count.into()) })?;
        // INVARIANT: Just made; it goes first by the safety requirement.
        let all = Arc::new(All(NonNull::new(all).ok_or(ENOMEM)?), GFP_KERNEL)?;
        for pair in 0..count {
            // SAFETY: Of as many as were made.
            let vector = unsafe { ffi::smplb_c_vector_of(all.0.as_ptr(), pair.into()) };
            // INVARIANT: As above.
            let vector = Self {
                vector: NonNull::new(vector).ok_or(EINVAL)?,
                _all: all.clone(),
            };
            vectors.push(vector, GFP_KERNEL)?;
        }
        Ok(vectors)
    }

    /// Has the device interrupt once.
    pub(crate) fn arm(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_vector_arm(self.vector.as_ptr()) }
    }

    /// Masks it.
    pub(crate) fn disarm(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_vector_disarm(self.vector.as_ptr()) }
    }

    /// Wakes the engine that polls the pair of `port` from now on.
    ///
    /// # Safety
    ///
    /// [`Self::unwatch`] is called before the port ends.
    pub(crate) unsafe fn watch(&self, port: &Port) {
        let port = core::ptr::from_ref(port).cast_mut().cast();
        // SAFETY: By the type invariants and the safety requirement.
        unsafe { ffi::smplb_c_vector_watch(self.vector.as_ptr(), port) }
    }

    /// Wakes nobody any more. May sleep.
    pub(crate) fn unwatch(&self) {
        // SAFETY: By the type invariants.
        unsafe { ffi::smplb_c_vector_watch(self.vector.as_ptr(), core::ptr::null_mut()) }
    }
}
