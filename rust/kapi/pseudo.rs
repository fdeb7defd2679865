// SPDX-License-Identifier: GPL-2.0

//! Native ports and the kernel: their pseudo interfaces come and go with them.

use core::ptr::NonNull;
use kernel::bindings::{self, net_device};
use kernel::device::{Bound, Device};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::Arc;

use super::extack::Extack;
use super::ffi;
use super::net::{Devices, Net, Rtnl};
use super::vector::Vector;
use crate::core_::frame::PortId;
use crate::port::io::Io;
use crate::port::Port;
use crate::switch;

/// The pseudo interface of a NIC that the module drives, and the port behind it,
/// in the initial network namespace.
///
/// # Invariants
///
/// `dev` is registered, and has a reference to `port` in its private part.
pub(crate) struct Attached {
    pub(super) dev: NonNull<net_device>,
    pub(super) port: Arc<Port>,
}

// SAFETY: Interfaces may be registered and unregistered by any thread.
unsafe impl Send for Attached {}

/// What a pseudo interface is at first.
pub(crate) struct Shape {
    pub(crate) mac: [u8; 6],
    pub(crate) mtu: u32,
    pub(crate) max_mtu: u32,
    /// One for each queue pair of the NIC.
    pub(crate) queues: u16,
}

/// The kernel's pointer to a device.
pub(crate) fn raw_device(device: &Device<Bound>) -> *mut bindings::device {
    // CAST: `Device` is transparent, as its own documentation has it.
    core::ptr::from_ref(device).cast_mut().cast()
}

impl Attached {
    /// Makes a port of a NIC, with the rings that `io` makes for its number.
    pub(crate) fn new(
        device: &Device<Bound>,
        shape: &Shape,
        io: impl FnOnce(PortId) -> Result<Io>,
    ) -> Result<Self> {
        let (mac, queues) = (shape.mac.as_ptr(), shape.queues.into());
        let rtnl = Rtnl::lock();
        // SAFETY: The device is bound until after the interface has gone; the
        // address has six octets.
        let dev = unsafe {
            let device = raw_device(device);
            ffi::smplb_c_native_alloc(device, mac, shape.mtu, shape.max_mtu, queues)
        };
        let dev = NonNull::new(dev).ok_or(ENOMEM)?;
        let result = Self::register(dev, shape.queues.into(), io, &rtnl);
        drop(rtnl);
        result.inspect_err(|_| {
            // SAFETY: Not registered, or not any more.
            unsafe { ffi::smplb_c_native_free(dev.as_ptr()) }
        })
    }

    fn register(
        dev: NonNull<net_device>,
        parts: usize,
        io: impl FnOnce(PortId) -> Result<Io>,
        rtnl: &Rtnl,
    ) -> Result<Self> {
        // SAFETY: The initial namespace is always there. The interface outlives
        // the port, see `drop`.
        let (net, devices) = unsafe {
            (
                Net::from_raw(ffi::smplb_c_init_net()),
                Devices::from_raw(dev.as_ptr(), core::ptr::null_mut()),
            )
        };
        let port = switch::add_port(net, devices, (None, parts), &Extack::none(), io, rtnl)?;
        let handle = Arc::as_ptr(&port).cast_mut().cast();
        // SAFETY: RTNL is held; the port stays as long as the interface.
        let registered = to_result(unsafe { ffi::smplb_c_native_register(dev.as_ptr(), handle) });
        if let Err(e) = registered {
            switch::remove_port(&port);
            return Err(e);
        }
        port.switch().port_changed(&port);
        for pair in 0..port.parts() {
            if let Some(vector) = port.io().native().and_then(|nic| nic.vector(pair)) {
                // SAFETY: Until `drop`, which has the port.
                unsafe { vector.watch(&port) };
                // It may have fired before anybody watched.
                port.kick(pair);
            }
        }
        // INVARIANT: Just registered.
        Ok(Self { dev, port })
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let rtnl = Rtnl::lock();
        // SAFETY: RTNL is held; registered by the type invariants. First no host,
        // then no engine, then no interface.
        unsafe { ffi::smplb_c_native_quiesce(self.dev.as_ptr()) };
        if let Some(nic) = self.port.io().native() {
            let vectors = (0..nic.pairs()).filter_map(|pair| nic.vector(pair));
            vectors.for_each(Vector::unwatch);
        }
        switch::remove_port(&self.port);
        // SAFETY: As above.
        unsafe { ffi::smplb_c_native_unregister(self.dev.as_ptr()) };
        drop(rtnl);
        // SAFETY: Unregistered, which giving up RTNL has completed.
        unsafe { ffi::smplb_c_native_free(self.dev.as_ptr()) };
    }
}
