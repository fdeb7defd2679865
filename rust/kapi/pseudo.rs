// SPDX-License-Identifier: GPL-2.0

//! Native ports and the kernel: their pseudo interfaces come and go with them.

use core::ptr::NonNull;
use kernel::bindings::{self, net_device};
use kernel::device::{Bound, Device};
use kernel::error::to_result;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;

use super::extack::Extack;
use super::ffi;
use super::net::{Devices, Net, Rtnl};
use super::pool::Stock;
use crate::core_::frame::PortId;
use crate::port::io::Io;
use crate::port::native::{Driver, Native};
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

/// The kernel's pointer to a device.
pub(crate) fn raw_device(device: &Device<Bound>) -> *mut bindings::device {
    // CAST: `Device` is transparent, as its own documentation has it.
    core::ptr::from_ref(device).cast_mut().cast()
}

impl Attached {
    /// Makes a port of a NIC, with the rings that `io` makes for its number.
    pub(crate) fn new(
        device: &Device<Bound>,
        mac: &[u8; 6],
        mtu: u32,
        max_mtu: u32,
        io: impl FnOnce(PortId) -> Result<Io>,
    ) -> Result<Self> {
        let rtnl = Rtnl::lock();
        // SAFETY: The device is bound until after the interface has gone; the
        // address has six octets.
        let dev =
            unsafe { ffi::smplb_c_native_alloc(raw_device(device), mac.as_ptr(), mtu, max_mtu) };
        let dev = NonNull::new(dev).ok_or(ENOMEM)?;
        let result = Self::register(dev, io, &rtnl);
        drop(rtnl);
        result.inspect_err(|_| {
            // SAFETY: Not registered, or not any more.
            unsafe { ffi::smplb_c_native_free(dev.as_ptr()) }
        })
    }

    fn register(
        dev: NonNull<net_device>,
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
        let port = switch::add_port(net, devices, None, &Extack::none(), io, rtnl)?;
        let handle = Arc::as_ptr(&port).cast_mut().cast();
        // SAFETY: RTNL is held; the port stays as long as the interface.
        let registered = to_result(unsafe { ffi::smplb_c_native_register(dev.as_ptr(), handle) });
        if let Err(e) = registered {
            switch::remove_port(&port);
            return Err(e);
        }
        port.switch().port_changed(&port);
        if let Some(vector) = port.io().vector() {
            // SAFETY: Until `drop`, which has the port.
            unsafe { vector.watch(&port) };
            // It may have fired before anybody watched.
            port.kick();
        }
        // INVARIANT: Just registered.
        Ok(Self { dev, port })
    }

    /// Tells the host whether the NIC has a link.
    pub(crate) fn set_carrier(&self, up: bool) {
        // SAFETY: Registered by the type invariants.
        unsafe { ffi::smplb_c_native_carrier(self.dev.as_ptr(), up) };
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let rtnl = Rtnl::lock();
        // SAFETY: RTNL is held; registered by the type invariants. First no host,
        // then no engine, then no interface.
        unsafe { ffi::smplb_c_native_quiesce(self.dev.as_ptr()) };
        if let Some(vector) = self.port.io().vector() {
            vector.unwatch();
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
/// Neither engine nor host is at the rings when this is dropped: it is dropped
/// after what attached them.
pub(crate) struct Retired<D: Driver>(Arc<Native<D>>);

impl<D: Driver> Retired<D> {
    /// To be dropped after the [`Attached`] that has the rings.
    ///
    /// # Safety
    ///
    /// That order is kept.
    pub(crate) unsafe fn new(native: Arc<Native<D>>) -> Self {
        // INVARIANT: By the safety requirement.
        Self(native)
    }
}

impl<D: Driver> Drop for Retired<D> {
    fn drop(&mut self) {
        let mut stock = Stock::new(self.0.pool().clone(), 0);
        self.0.stop(&mut stock);
        // SAFETY: By the type invariants.
        unsafe { self.0.store.stop(&mut stock) };
    }
}

/// The other half of `enable_device_mem`.
pub(crate) fn disable(pdev: &pci::Device<Bound>) {
    // CAST: `pci::Device` is transparent.
    let pdev = core::ptr::from_ref(pdev).cast_mut().cast();
    // SAFETY: The device is bound to our driver, which enabled it.
    unsafe { bindings::pci_disable_device(pdev) };
}

/// Lets the device address all memory.
pub(crate) fn address_64_bits(pdev: &pci::Device<kernel::device::Core<'_>>) -> Result {
    use kernel::dma::{Device as _, DmaMask};
    // SAFETY: Called in `probe`, before anything is mapped for the device.
    unsafe { pdev.dma_set_mask_and_coherent(DmaMask::new::<64>()) }
}
