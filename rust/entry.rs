// SPDX-License-Identifier: GPL-2.0

//! The functions that the C shim calls: raw pointers in, safe types on.

mod channel;
mod native;

use core::ptr::null_mut;
use kernel::bindings::{net, net_device, netlink_ext_ack, sk_buff};
use kernel::error::from_result;
use kernel::ffi::{c_int, c_void};
use kernel::prelude::*;
use kernel::sync::{Arc, ArcBorrow};

use crate::core_::route::Hop;
use crate::kapi::extack::Extack;
use crate::kapi::ffi::{PortStats, CPU_AUTO};
use crate::kapi::net::{Devices, Net, Rtnl};
use crate::kapi::skb::Skb;
use crate::port::io::Io;
use crate::port::netdev::Rings;
use crate::port::Port;
use crate::switch::{self, Switch};

/// The port behind a pointer that [`smplb_rs_port_new`] returned.
///
/// # Safety
///
/// `port` has not been given to [`smplb_rs_port_del`], and will not be for as
/// long as the result is used.
#[inline(always)]
unsafe fn port<'a>(port: *mut c_void) -> ArcBorrow<'a, Port> {
    // SAFETY: The pointer came from `Arc::into_raw`, by the safety requirement.
    unsafe { ArcBorrow::from_raw(port.cast::<Port>().cast_const()) }
}

/// The switch behind the pointer kept per network namespace.
///
/// # Safety
///
/// `switch` came from [`switch::of`] and its namespace has not exited.
unsafe fn switch_ref<'a>(switch: *mut c_void) -> ArcBorrow<'a, Switch> {
    // SAFETY: By the safety requirement.
    unsafe { ArcBorrow::from_raw(switch.cast::<Switch>().cast_const()) }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_port_new(
    net: *mut net,
    pseudo: *mut net_device,
    lower: *mut net_device,
    cpu: u32,
    extack: *mut netlink_ext_ack,
    err: *mut c_int,
) -> *mut c_void {
    // SAFETY: The caller holds RTNL; `net` is the namespace of `pseudo`, which
    // keeps it; both devices outlive the port, which the caller ends first.
    let result = unsafe {
        let net = Net::from_raw(net);
        let devices = Devices::from_raw(pseudo, lower);
        let extack = Extack::from_raw(extack);
        let cpu = (cpu != CPU_AUTO).then_some(cpu);
        let io = |_| Ok(Io::Netdev(KBox::new(Rings::new()?, GFP_KERNEL)?));
        switch::add_port(net, devices, (cpu, 1), &extack, io, &Rtnl::held())
    };
    match result {
        Ok(port) => Arc::into_raw(port).cast_mut().cast(),
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
unsafe extern "C" fn smplb_rs_port_del(port: *mut c_void) {
    // SAFETY: The reference that `smplb_rs_port_new` gave, taken back once.
    let port = unsafe { Arc::from_raw(port.cast::<Port>().cast_const()) };
    switch::remove_port(&port);
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_port_set_cpu(
    handle: *mut c_void,
    cpu: u32,
    extack: *mut netlink_ext_ack,
) -> c_int {
    // SAFETY: The caller holds RTNL and has a port that exists.
    let (port, extack) = unsafe { (port(handle), Extack::from_raw(extack)) };
    from_result(|| {
        crate::engine::move_port(&port.into(), &[cpu], &extack)?;
        Ok(0)
    })
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_port_cpu(handle: *mut c_void) -> u32 {
    // SAFETY: The caller holds RTNL and has a port that exists.
    unsafe { port(handle) }.cpus().next().unwrap_or(CPU_AUTO)
}

/// Name, MTU, address or state of the devices may have changed.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_port_changed(handle: *mut c_void) {
    // SAFETY: The caller holds RTNL and has a port that exists.
    let port = unsafe { port(handle) };
    port.switch().port_changed(&port);
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_port_stats(handle: *mut c_void, stats: *mut PortStats) {
    // SAFETY: The caller is in an RCU section or holds RTNL, and found the port
    // attached to its device; `stats` is the caller's.
    unsafe { *stats = port(handle).stats() };
}

/// Wakes who polls a queue pair of a port, in any context.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_port_kick(handle: *mut c_void, pair: u32) {
    // SAFETY: A vector is told to watch nobody before the port ends.
    unsafe { port(handle) }.kick(pair as usize);
}

/// A frame from the NIC (figure 5, step 108), in the receive softirq.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_rx(handle: *mut c_void, skb: *mut sk_buff) {
    // SAFETY: The receive handler runs under RCU and is unregistered, which
    // waits for it, before the port ends; the packet is passed on to us.
    let (port, skb) = unsafe { (port(handle), Skb::from_raw(skb)) };
    let cpu = crate::kapi::cpu::current() as usize;
    let Some(ring) = port.rings().and_then(|rings| rings.rx.get(cpu)) else {
        return;
    };
    // SAFETY: The ring of this CPU; receive handlers run with softirqs off, so
    // that there is one of them per CPU at a time.
    match unsafe { ring.push(skb) } {
        Ok(()) => port.kick(0),
        Err(_) => ring.count_refused(1),
    }
}

/// A frame from the host; false when the ring is full, and the packet is still
/// the caller's.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_host_tx(handle: *mut c_void, skb: *mut sk_buff) -> bool {
    // SAFETY: The pseudo interface is closed before the port ends. The packet
    // is ours, or is given back below.
    let (port, skb) = unsafe { (port(handle), Skb::from_raw(skb)) };
    let Some(rings) = port.rings() else {
        return true;
    };
    // SAFETY: The transmit lock of the pseudo interface is held, and it has one
    // transmit queue.
    match unsafe { rings.host.push(skb) } {
        Ok(()) => {
            port.kick(0);
            true
        }
        Err(skb) => {
            // The caller keeps it and offers it again.
            let _ = skb.into_raw();
            false
        }
    }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_host_room(handle: *mut c_void) -> bool {
    // SAFETY: As in `smplb_rs_host_tx`.
    let port = unsafe { port(handle) };
    // SAFETY: As above.
    port.rings()
        .is_some_and(|rings| unsafe { rings.host.has_room() })
}

/// Up to `budget` frames to the host's stack; returns how many.
///
/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_stack_poll(handle: *mut c_void, budget: c_int) -> c_int {
    // SAFETY: NAPI of the pseudo interface, disabled before the port ends.
    let port = unsafe { port(handle) };
    let budget = usize::try_from(budget).unwrap_or(0);
    let Some(rings) = port.rings() else {
        return 0;
    };
    // SAFETY: NAPI polls of one interface exclude each other.
    let done = unsafe {
        rings
            .stack
            .pop_burst(budget, |skb| port.devices().receive(skb))
    };
    // Not more than `budget`, which was one.
    done as c_int
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_stack_drop(handle: *mut c_void) {
    // SAFETY: The caller holds RTNL and has a port that exists; NAPI, which
    // takes from the ring, is disabled.
    unsafe {
        let port = port(handle);
        if let Some(rings) = port.rings() {
            while rings.stack.pop_burst(64, drop) > 0 {}
        }
        if let Some(nic) = port.io().native() {
            for store in (0..nic.pairs()).filter_map(|pair| nic.store(pair)) {
                while store.take(nic.pool(), 64, |_, _| {}) > 0 {}
            }
        }
    }
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_route(
    sw: *mut c_void,
    table: u32,
    dst: u32,
    len: u32,
    add: bool,
    hop: u32,
    handle: *mut c_void,
    gateway: u32,
) {
    // SAFETY: The mirror is stopped before its switch goes; RTNL is held, so
    // that a port that was found exists.
    let (switch, id) = unsafe {
        (
            switch_ref(sw),
            (!handle.is_null()).then(|| port(handle).id()),
        )
    };
    let hop = match (hop, id) {
        (1, Some(id)) => Hop::Direct(id),
        (2, Some(id)) => Hop::Gateway(id, gateway.to_ne_bytes()),
        (3, _) => Hop::None,
        _ => Hop::Host,
    };
    switch.route_changed(table, dst, len as u8, add.then_some(hop));
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_route_flush(sw: *mut c_void) {
    // SAFETY: As in `smplb_rs_route`.
    unsafe { switch_ref(sw) }.routes_flushed();
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_route_commit(sw: *mut c_void) {
    // SAFETY: As in `smplb_rs_route`.
    unsafe { switch_ref(sw) }.publish_ports();
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_neighbour(
    handle: *mut c_void,
    addr: u32,
    mac: *const [u8; 6],
    valid: bool,
) {
    // SAFETY: The caller is in an RCU section and found the port attached to
    // its device; `mac` is the caller's copy.
    let (port, mac) = unsafe { (port(handle), *mac) };
    port.switch()
        .neighbour_changed(port.id(), addr.to_ne_bytes(), valid.then_some(mac));
}

#[no_mangle]
extern "C" fn smplb_rs_cpu_offline(cpu: u32, asleep: bool) -> c_int {
    from_result(|| {
        crate::engine::goes_offline(cpu, asleep)?;
        Ok(0)
    })
}

#[no_mangle]
extern "C" fn smplb_rs_cpu_online(cpu: u32) {
    crate::engine::comes_online(cpu);
}

#[no_mangle]
extern "C" fn smplb_rs_asleep(asleep: bool) {
    crate::engine::set_asleep(asleep);
}

/// # Safety
///
/// Only for the C shim, under the conditions that `rust/c/smplb.h` states.
#[no_mangle]
unsafe extern "C" fn smplb_rs_net_exit(sw: *mut c_void) {
    // SAFETY: The reference that the namespace held, taken back once, when its
    // pseudo interfaces are gone.
    let switch = unsafe { Arc::from_raw(sw.cast::<Switch>().cast_const()) };
    switch.stop();
}
