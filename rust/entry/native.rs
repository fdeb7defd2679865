// SPDX-License-Identifier: GPL-2.0

//! What C calls for native ports.

use super::port;
use crate::kapi::ffi;
use crate::port::io::Nic;
use kernel::bindings::napi_struct;
use kernel::ffi::{c_int, c_void};

/// A frame from the host, copied; false when there is no buffer for it now.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_native_host_tx(
    handle: *mut c_void,
    frame: *const c_void,
    len: u32,
) -> bool {
    // SAFETY: The pseudo interface is closed before the port ends.
    let port = unsafe { port(handle) };
    let Some((store, pool)) = port.io().native().map(Nic::store) else {
        return true;
    };
    // SAFETY: The caller's frame, which nobody changes meanwhile.
    let frame = unsafe { core::slice::from_raw_parts(frame.cast(), len as usize) };
    // SAFETY: The transmit lock of the pseudo interface is held, and it has one
    // transmit queue.
    match unsafe { store.send(pool, frame) } {
        Ok(true) => {
            port.kick();
            true
        }
        Ok(false) => false,
        // The interface's MTU keeps such frames away.
        Err(_) => true,
    }
}

/// Up to `budget` frames to the host's stack, copied; returns how many.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_native_stack_poll(
    handle: *mut c_void,
    napi: *mut napi_struct,
    budget: c_int,
) -> c_int {
    // SAFETY: NAPI of the pseudo interface, disabled before the port ends.
    let port = unsafe { port(handle) };
    let Some((store, pool)) = port.io().native().map(Nic::store) else {
        return 0;
    };
    let budget = usize::try_from(budget).unwrap_or(0);
    // SAFETY: NAPI polls of one interface exclude each other.
    let done = unsafe {
        store.take(pool, budget, |frame, target| {
            let octets = frame.octets_mut();
            let (data, len) = (octets.as_ptr().cast(), octets.len() as u32);
            // Without memory the packet is lost, as on any interface: TCP and
            // ARP try again.
            // SAFETY: Called in the NAPI poll, with octets that are borrowed.
            let _ = match target {
                Some((addr, ifindex)) => {
                    let addr = u32::from_ne_bytes(addr);
                    ffi::smplb_c_native_resolve(napi, data, len, addr, ifindex)
                }
                None => ffi::smplb_c_native_receive(napi, data, len, false),
            };
        })
    };
    // Not more than `budget`, which was one.
    done as c_int
}
