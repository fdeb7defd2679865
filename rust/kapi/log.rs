// SPDX-License-Identifier: GPL-2.0

//! The kernel log, with a rate limit on everything.

use kernel::prelude::*;

use super::ffi;

/// Logs that a port, by the name of its interface, has left a CPU that goes offline.
pub(crate) fn moved(name: &[u8; 16], from: u32, to: u32) {
    // SAFETY: The name of an interface ends with a zero.
    unsafe { ffi::smplb_c_log_moved(name.as_ptr().cast(), from, to) }
}

/// Logs what failed, and why.
pub(crate) fn error(what: &'static CStr, error: Error) {
    // SAFETY: The text is a constant.
    unsafe { ffi::smplb_c_log_error(what.as_char_ptr(), error.to_errno()) }
}
