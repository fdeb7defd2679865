// SPDX-License-Identifier: GPL-2.0

//! Native ports and the kernel: their pseudo interfaces come and go with them.

use core::ptr::NonNull;
use kernel::bindings::{self, net_device};
use kernel::device::{Bound, Device};
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;

use super::extack::Extack;
use super::ffi;
use super::net::{Devices, Net, Rtnl};
use super::pool::Stock;
use super::vector::Vector;
use super::worker::{Tick, Ticker};
use crate::core_::frame::PortId;
use crate::port::io::{Io, Nic};
use crate::port::native::Health;
use crate::port::Port;
use crate::switch;

/// The pseudo interface of a NIC that the module drives, and the port behind it,
/// in the initial network namespace.
///
/// # Invariants
///
/// `dev` is registered, and has a reference to `port` in its private part.
pub(crate) struct Attached {
    dev: NonNull<net_device>,
    port: Arc<Port>,
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

/// The rings of a NIC, taken apart when this is dropped: after its port has gone
/// and the device was reset.
///
/// # Invariants
///
/// Neither engine nor host is at the rings when this is dropped.
struct Retired(Nic);

impl Drop for Retired {
    fn drop(&mut self) {
        let nic = &self.0;
        let mut stock = Stock::new(nic.pool().clone(), 0);
        nic.stop(&mut stock);
        for store in (0..nic.pairs()).filter_map(|pair| nic.store(pair)) {
            // SAFETY: By the type invariants.
            unsafe { store.stop(&mut stock) };
        }
    }
}

/// Looks after the NIC of a port.
///
/// # Invariants
///
/// `dev` is the registered interface of `port`.
struct Watch {
    dev: NonNull<net_device>,
    port: Arc<Port>,
    failed: Atomic<bool>,
}

// SAFETY: What is done with the interface may be done by any thread.
unsafe impl Send for Watch {}
// SAFETY: As above.
unsafe impl Sync for Watch {}

impl Watch {
    /// Tells the host of the link, and of a NIC that works no more; whether there
    /// is a link.
    fn look(&self) -> bool {
        let Some(nic) = self.port.io().native() else {
            return false;
        };
        match nic.look() {
            Health::Link(up) => {
                // SAFETY: Registered by the type invariants.
                unsafe { ffi::smplb_c_native_carrier(self.dev.as_ptr(), up) };
                up
            }
            Health::Failed(how) => {
                if !self.failed.xchg(true, Relaxed) {
                    // SAFETY: As above; the text is a constant.
                    unsafe { ffi::smplb_c_native_failed(self.dev.as_ptr(), how.as_char_ptr()) };
                }
                false
            }
        }
    }
}

impl Tick for Watch {
    fn tick(&self) {
        self.look();
    }
}

/// How often a NIC is looked after, milliseconds.
const LOOK_PERIOD: u32 = 250;

/// A NIC that works, and its port. The fields are dropped in their order: nobody
/// looks any more, the port goes, `reset` makes the device leave memory alone, the
/// buffers come back from its rings.
pub(crate) struct Live<R> {
    _ticker: Ticker,
    watch: Arc<Watch>,
    _attached: Attached,
    _reset: R,
    _rings: Retired,
}

impl<R> Live<R> {
    /// Makes a port of a NIC. `make` makes the rings for its number, and `start`
    /// starts the device, which is reset when `reset` is dropped.
    pub(crate) fn new(
        device: &Device<Bound>,
        shape: &Shape,
        reset: R,
        make: impl FnOnce(PortId) -> Result<Nic>,
        start: impl FnOnce() -> Result,
    ) -> Result<Self> {
        let mut rings = None;
        let attached = Attached::new(device, shape, |id| {
            let nic = make(id)?;
            // INVARIANT: Dropped after what attaches them, below and in `Self`.
            rings = Some(Retired(nic.clone()));
            start()?;
            Ok(Io::Native(nic))
        });
        let watched = attached.and_then(|attached| {
            // INVARIANT: As those of `Attached`, which goes later.
            let watch = Watch {
                dev: attached.dev,
                port: attached.port.clone(),
                failed: Atomic::new(false),
            };
            let watch = Arc::new(watch, GFP_KERNEL)?;
            Ok((Ticker::start(&watch, LOOK_PERIOD)?, watch, attached))
        });
        match (watched, rings) {
            (Ok((ticker, watch, attached)), Some(rings)) => Ok(Self {
                _ticker: ticker,
                watch,
                _attached: attached,
                _reset: reset,
                _rings: rings,
            }),
            (watched, rings) => {
                let error = watched.err().unwrap_or(EINVAL);
                // Before the buffers are taken from its rings.
                drop(reset);
                drop(rings);
                Err(error)
            }
        }
    }

    /// Looks after the NIC now; whether it has a link.
    pub(crate) fn look(&self) -> bool {
        self.watch.look()
    }
}
