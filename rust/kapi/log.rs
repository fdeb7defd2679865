// SPDX-License-Identifier: GPL-2.0

//! The kernel log, with a rate limit on everything.

use kernel::prelude::*;

use super::ffi;

/// Logs what failed, and why.
pub(crate) fn error(what: &'static CStr, error: Error) {
    // SAFETY: The text is a constant.
    unsafe { ffi::smplb_c_log_error(what.as_char_ptr(), error.to_errno()) }
}
