// SPDX-License-Identifier: GPL-2.0

//! Netlink extended acknowledgements: the reason beside the error number.

use core::ptr::NonNull;
use kernel::bindings::netlink_ext_ack;
use kernel::prelude::*;

use super::ffi;
use super::log;
use super::netlink::Attr;

/// Where the reason for a refusal goes.
///
/// # Invariants
///
/// When present, the pointer is valid for as long as the request is handled.
pub(crate) struct Extack(Option<NonNull<netlink_ext_ack>>);

impl Extack {
    /// Wraps the kernel's pointer, which may be null.
    ///
    /// # Safety
    ///
    /// `extack` is null or valid for the life of the result.
    pub(crate) unsafe fn from_raw(extack: *mut netlink_ext_ack) -> Self {
        // INVARIANT: By the safety requirement.
        Self(NonNull::new(extack))
    }

    /// Nowhere: reasons go to the log, since nobody asked by netlink.
    pub(crate) fn none() -> Self {
        // INVARIANT: There is no pointer.
        Self(None)
    }

    /// Refuses with `error`, telling `reason` and the attribute it is about.
    pub(crate) fn refuse_attr(
        &self,
        error: Error,
        reason: &'static CStr,
        attr: Option<Attr<'_>>,
    ) -> Error {
        if let (Some(extack), Some(attr)) = (self.0, attr) {
            // SAFETY: Both are valid while the request is handled.
            unsafe { ffi::smplb_c_extack_attr(extack.as_ptr(), attr.as_raw()) };
        }
        self.refuse(error, reason)
    }

    /// Refuses since the attribute of type `attr` is missing.
    pub(crate) fn missing(&self, attr: u32, reason: &'static CStr) -> Error {
        if let Some(extack) = self.0 {
            // SAFETY: Valid by the type invariants.
            unsafe { ffi::smplb_c_extack_missing(extack.as_ptr(), attr) };
        }
        self.refuse(EINVAL, reason)
    }

    /// Refuses with `error`, telling `reason`.
    pub(crate) fn refuse(&self, error: Error, reason: &'static CStr) -> Error {
        if let Some(extack) = self.0 {
            // SAFETY: Valid by the type invariants; the text is a constant, and the module
            // stays loaded while one of its requests is handled.
            unsafe { ffi::smplb_c_extack_set(extack.as_ptr(), reason.as_char_ptr()) };
        } else {
            log::error(reason, error);
        }
        error
    }
}
