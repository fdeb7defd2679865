// SPDX-License-Identifier: GPL-2.0

//! What C calls for channels.

use core::ptr::null_mut;
use kernel::bindings::net;
use kernel::error::from_result;
use kernel::ffi::{c_int, c_void};
use kernel::prelude::*;
use kernel::sync::{Arc, ArcBorrow};

use crate::channel::{self, Channel};
use crate::core_::channel::uapi;
use crate::core_::channel::wants::Want;
use crate::core_::wire::ipv4::{IPPROTO_TCP, IPPROTO_UDP};
use crate::kapi::door::Door;
use crate::kapi::net::{Net, Rtnl};
use crate::port::Port;

/// The channel behind a pointer that [`smplb_rs_channel_open`] returned.
///
/// # Safety
///
/// `channel` has not been given to [`smplb_rs_channel_close`], and will not be for as
/// long as the result is used.
unsafe fn channel<'a>(channel: *mut c_void) -> ArcBorrow<'a, Channel> {
    // SAFETY: The pointer came from `Arc::into_raw`, by the safety requirement.
    unsafe { ArcBorrow::from_raw(channel.cast::<Channel>().cast_const()) }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_open(
    net: *mut net,
    trusts: bool,
    door: *mut c_void,
    open: *mut uapi::Open,
    err: *mut c_int,
) -> *mut c_void {
    let make = || {
        // SAFETY: That of the current process, which does not leave it meanwhile.
        let net = unsafe { Net::from_raw(net) };
        // SAFETY: The channel is shut before the file goes, see `smplb_rs_channel_close`; nobody
        // wakes by one that is shut.
        let door = unsafe { Door::from_raw(door)? };
        // SAFETY: The caller's copy.
        channel::open((net, trusts), door, unsafe { &mut *open })
    };
    match make() {
        Ok(channel) => Arc::into_raw(channel).cast_mut().cast(),
        Err(e) => {
            // SAFETY: The caller's variable.
            unsafe { *err = e.to_errno() };
            null_mut()
        }
    }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_close(channel: *mut c_void) {
    // SAFETY: The reference that `smplb_rs_channel_open` gave, taken back once.
    let channel = unsafe { Arc::from_raw(channel.cast::<Channel>().cast_const()) };
    let switch = channel.desk().switch().clone();
    switch.channels().leave(&channel);
}

/// Whether what is asked for is of a port.
fn is_of_port(asked: &uapi::Want) -> bool {
    matches!(asked.kind, uapi::WANT_PORT | uapi::WANT_ETHERTYPE)
}

/// The port with a pseudo interface, which exists as long as the lock of network configuration is
/// held.
fn port(channel: &Channel, ifindex: u32) -> Result<Arc<Port>> {
    let switch = channel.desk().switch();
    switch
        .find_port(|info| info.ifindex == ifindex)
        .ok_or(ENODEV)
}

fn want(channel: &Channel, asked: &uapi::Want) -> Result<Want> {
    let (addr, port_number) = (asked.addr, u16::from_be_bytes(asked.port));
    // What is left must be 0.
    let mut rest = *asked;
    rest.kind = 0;
    let want = match asked.kind {
        uapi::WANT_PORT => {
            rest.ifindex = 0;
            Want::Port(port(channel, asked.ifindex)?.id())
        }
        uapi::WANT_LOCAL => {
            (rest.addr, rest.port, rest.protocol) = ([0; 4], [0; 2], 0);
            if ![IPPROTO_TCP, IPPROTO_UDP].contains(&asked.protocol) {
                return Err(EINVAL);
            }
            Want::Local {
                protocol: asked.protocol,
                addr,
                port: port_number,
            }
        }
        uapi::WANT_ADDRESS => {
            rest.addr = [0; 4];
            Want::Address(addr)
        }
        uapi::WANT_ETHERTYPE => {
            (rest.ifindex, rest.ethertype) = (0, [0; 2]);
            let ethertype = u16::from_be_bytes(asked.ethertype);
            Want::EtherType(port(channel, asked.ifindex)?.id(), ethertype)
        }
        _ => return Err(EINVAL),
    };
    match rest == uapi::Want::default() {
        true => Ok(want),
        false => Err(EINVAL),
    }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_want(
    handle: *mut c_void,
    asked: *const uapi::Want,
    on: bool,
) -> c_int {
    // SAFETY: The file is open; the caller's copy.
    let (channel, asked) = unsafe { (channel(handle), *asked) };
    from_result(|| {
        // Until it is known what is wanted of a port, that does not go.
        let _rtnl = is_of_port(&asked).then(Rtnl::lock);
        let want = want(&channel, &asked)?;
        let channels = channel.desk().switch().channels();
        match on {
            true => channels.want(&channel, want)?,
            false => channels.unwant(&channel, want)?,
        }
        Ok(0)
    })
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_kick(handle: *mut c_void) -> c_int {
    // SAFETY: The file is open.
    match unsafe { channel(handle) }.kick() {
        true => 0,
        false => ESHUTDOWN.to_errno(),
    }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_port(handle: *mut c_void, told: *mut uapi::Port) -> c_int {
    // SAFETY: The file is open; the caller's copy.
    let (channel, told) = unsafe { (channel(handle), &mut *told) };
    from_result(|| {
        let _rtnl = Rtnl::lock();
        let port = port(&channel, told.ifindex)?;
        let info = port.devices().info();
        *told = uapi::Port {
            ifindex: info.ifindex,
            mtu: info.mtu,
            port: port.id().0,
            mac: info.mac,
        };
        Ok(0)
    })
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_stats(handle: *mut c_void, stats: *mut uapi::Stats) {
    // SAFETY: The file is open; the caller's variable.
    unsafe { *stats = channel(handle).stats() };
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_pair(handle: *mut c_void, asked: *mut uapi::Pair) -> c_int {
    // SAFETY: The file is open; the caller's copy.
    let (channel, asked) = unsafe { (channel(handle), &mut *asked) };
    from_result(|| {
        let (id, keeper) = {
            let _rtnl = Rtnl::lock();
            // The port itself may go with its NIC afterwards.
            let port = port(&channel, asked.ifindex)?;
            (port.id(), port.keeper().clone())
        };
        channel::rent(channel.into(), (id, keeper), asked)?;
        Ok(0)
    })
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_bell(handle: *mut c_void, offset: u64) -> u64 {
    // SAFETY: The file is open, and stays so while something of it is mapped.
    unsafe { channel(handle) }.bell_at(offset).unwrap_or(0)
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_memory(
    handle: *mut c_void,
    offset: u64,
    len: u64,
    at: u64,
    readonly: *mut bool,
) -> *mut c_void {
    // SAFETY: The file is open, and stays so while something of it is mapped.
    let channel = unsafe { channel(handle) };
    match channel.mapped(offset) {
        Some((part, only)) if part.len() as u64 == len => {
            // SAFETY: The caller's variable.
            unsafe { *readonly = only };
            let octet = part.octet(at as usize);
            octet.map_or(null_mut(), |octet| octet as *mut c_void)
        }
        _ => null_mut(),
    }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_channel_ready(handle: *mut c_void) -> u32 {
    // SAFETY: The file is open.
    unsafe { channel(handle) }.ready()
}
