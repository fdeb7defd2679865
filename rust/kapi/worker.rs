// SPDX-License-Identifier: GPL-2.0

//! What runs on the control CPU for a switch: the sweep of old connections and
//! the mirror of the kernel's routes.

use core::ptr::NonNull;
use kernel::ffi::c_void;
use kernel::prelude::*;
use kernel::sync::Arc;

use super::ffi;
use super::net::Net;
use crate::switch::Switch;

/// What a [`Ticker`] calls.
pub(crate) trait Tick: Send + Sync {
    /// Called every period, in process context.
    fn tick(&self);
}

/// Calls [`Tick::tick`] periodically until it is dropped.
///
/// # Invariants
///
/// The pointer is a ticker that has not been stopped.
pub(crate) struct Ticker(NonNull<c_void>);

// SAFETY: A ticker may be stopped from any thread.
unsafe impl Send for Ticker {}

/// # Safety
///
/// `data` points at a `T` that lives for the time of the call.
unsafe extern "C" fn call<T: Tick>(data: *mut c_void) {
    // SAFETY: The ticker is stopped before its object goes, see `start`.
    unsafe { &*data.cast::<T>() }.tick();
}

impl Ticker {
    /// Starts to call `object` every `period_ms` milliseconds. The object owns
    /// the ticker, so that it outlives it.
    pub(crate) fn start<T: Tick + 'static>(object: &Arc<T>, period_ms: u32) -> Result<Self> {
        // SAFETY: It borrows nothing, and owns the ticker.
        unsafe { Self::start_borrowing(object, period_ms) }
    }

    /// The same for an object that borrows something.
    ///
    /// # Safety
    ///
    /// The ticker is dropped before `object` and what that borrows.
    pub(crate) unsafe fn start_borrowing<T: Tick>(object: &Arc<T>, period_ms: u32) -> Result<Self> {
        let data = Arc::as_ptr(object).cast_mut().cast();
        // SAFETY: `call::<T>` gets the object it expects.
        let ticker = unsafe { ffi::smplb_c_ticker_start(call::<T>, data, period_ms) };
        // INVARIANT: Just started.
        NonNull::new(ticker).map(Self).ok_or(ENOMEM)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // SAFETY: By the type invariants. Waits for a call under way.
        unsafe { ffi::smplb_c_ticker_stop(self.0.as_ptr()) }
    }
}

/// Tells a switch the routes of its network namespace until it is dropped.
///
/// # Invariants
///
/// The pointer is a mirror of `net` that has not been stopped.
pub(crate) struct Mirror {
    net: Net,
    mirror: NonNull<c_void>,
}

// SAFETY: A mirror may be stopped from any thread that does not hold RTNL.
unsafe impl Send for Mirror {}

impl Mirror {
    /// Begins with the routes there are. The switch owns the mirror, so that it
    /// outlives it.
    pub(crate) fn start(net: Net, switch: &Arc<Switch>) -> Result<Self> {
        let mut mirror = Arc::as_ptr(switch).cast_mut().cast::<c_void>();
        // SAFETY: The switch is passed in and the mirror handed out by the same
        // variable, as the function wants it.
        kernel::error::to_result(unsafe { ffi::smplb_c_mirror_start(net.as_raw(), &mut mirror) })?;
        // INVARIANT: Just started.
        Ok(Self {
            net,
            mirror: NonNull::new(mirror).ok_or(ENOMEM)?,
        })
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; the namespace exists, as its switch
        // ends with it. RTNL is not held.
        unsafe { ffi::smplb_c_mirror_stop(self.net.as_raw(), self.mirror.as_ptr()) }
    }
}

/// What is registered with the kernel for all namespaces, in this order, and
/// taken back in reverse.
pub(crate) struct Registrations(());

impl Registrations {
    /// Registers the watch over CPUs, the namespaces' place for a switch, the
    /// listener for neighbours and the link kind.
    pub(crate) fn new() -> Result<Self> {
        let check = kernel::error::to_result;
        // SAFETY: Called once, by the module's `init`; each is undone below or
        // in `drop`.
        unsafe {
            check(ffi::smplb_c_cpus_register())?;
            if let Err(e) = check(ffi::smplb_c_pernet_register()) {
                ffi::smplb_c_cpus_unregister();
                return Err(e);
            }
            if let Err(e) = check(ffi::smplb_c_mirror_register()) {
                ffi::smplb_c_pernet_unregister();
                ffi::smplb_c_cpus_unregister();
                return Err(e);
            }
            if let Err(e) = check(ffi::smplb_c_link_register()) {
                ffi::smplb_c_mirror_unregister();
                ffi::smplb_c_pernet_unregister();
                ffi::smplb_c_cpus_unregister();
                return Err(e);
            }
        }
        Ok(Self(()))
    }
}

impl Drop for Registrations {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe {
            ffi::smplb_c_link_unregister();
            ffi::smplb_c_mirror_unregister();
            ffi::smplb_c_pernet_unregister();
            ffi::smplb_c_cpus_unregister();
        }
    }
}
