// SPDX-License-Identifier: GPL-2.0

//! What C calls for native ports.

use super::port;
use crate::kapi::ffi;
use kernel::bindings::napi_struct;
use kernel::ffi::{c_int, c_void};

/// A frame from the host to the rings of a queue pair, copied; false when there is
/// no buffer for it now.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_native_host_tx(
    handle: *mut c_void,
    pair: u32,
    frame: *const c_void,
    len: u32,
) -> bool {
    // SAFETY: The pseudo interface is closed before the port ends.
    let port = unsafe { port(handle) };
    let Some(nic) = port.io().native() else {
        return true;
    };
    let pair = pair as usize;
    let Some(store) = nic.store(pair) else {
        return true;
    };
    // SAFETY: The caller's frame, which nobody changes meanwhile.
    let frame = unsafe { core::slice::from_raw_parts(frame.cast(), len as usize) };
    // SAFETY: The lock of the pseudo interface's transmit queue with the number of
    // the pair is held.
    match unsafe { store.send(nic.pool(), frame) } {
        Ok(true) => {
            port.kick(pair);
            true
        }
        Ok(false) => false,
        // The interface's MTU keeps such frames away.
        Err(_) => true,
    }
}

/// Whether a frame from the host to the rings of a queue pair would be taken now.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_native_host_room(handle: *mut c_void, pair: u32) -> bool {
    // SAFETY: As in `smplb_rs_native_host_tx`.
    let port = unsafe { port(handle) };
    let nic = port.io().native();
    let store = nic.and_then(|nic| nic.store(pair as usize));
    store.is_none_or(|store| store.has_room())
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
    let Some(nic) = port.io().native() else {
        return 0;
    };
    let budget = usize::try_from(budget).unwrap_or(0);
    let mut done = 0;
    for pair in nic.in_turn() {
        let Some(store) = nic.store(pair) else {
            continue;
        };
        // SAFETY: NAPI polls of one interface exclude each other.
        done += unsafe {
            store.take(nic.pool(), budget - done, |frame, target| {
                let (start, offset) = frame.partial().unwrap_or_default();
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
                    None => {
                        let pair = pair as u32;
                        ffi::smplb_c_native_receive(napi, pair, data, len, start, offset)
                    }
                };
            })
        };
    }
    // Not more than `budget`, which was one.
    done as c_int
}
