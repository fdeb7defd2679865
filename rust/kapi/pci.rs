// SPDX-License-Identifier: GPL-2.0

//! What the kernel's PCI abstractions lack.

use kernel::bindings;
use kernel::device::{Bound, Core};
use kernel::dma::{Device as _, DmaMask};
use kernel::pci;
use kernel::prelude::*;

fn raw(pdev: &pci::Device<Bound>) -> *mut bindings::pci_dev {
    // CAST: `pci::Device` is transparent.
    core::ptr::from_ref(pdev).cast_mut().cast()
}

/// The other half of `enable_device_mem`.
pub(crate) fn disable(pdev: &pci::Device<Bound>) {
    // SAFETY: The device is bound to our driver, which enabled it.
    unsafe { bindings::pci_disable_device(raw(pdev)) };
}

/// Notes how the device is configured, for [`restore`].
pub(crate) fn save(pdev: &pci::Device<Bound>) {
    // Without memory for capabilities the rest is noted.
    // SAFETY: The device is bound to our driver.
    let _ = unsafe { bindings::pci_save_state(raw(pdev)) };
}

/// Whether the device is on the bus.
pub(crate) fn is_present(pdev: &pci::Device<Bound>) -> bool {
    // SAFETY: The device is bound to our driver.
    unsafe { bindings::pci_device_is_present(raw(pdev)) }
}

/// Whether the device was taken out, for good.
pub(crate) fn is_gone(pdev: &pci::Device<Bound>) -> bool {
    // SAFETY: The device is bound to our driver. The field changes at any time, and
    // is a machine word.
    let state = unsafe { core::ptr::read_volatile(&raw const (*raw(pdev)).error_state) };
    state == bindings::pci_channel_io_perm_failure
}

/// Configures the device as it was: BARs, capabilities, MSI-X.
///
/// # Errors
///
/// `ENODEV` when it is not on the bus.
pub(crate) fn restore(pdev: &pci::Device<Bound>) -> Result {
    if !is_present(pdev) {
        return Err(ENODEV);
    }
    // SAFETY: The device is bound to our driver.
    unsafe { bindings::pci_restore_state(raw(pdev)) };
    Ok(())
}

/// Lets the device address all memory.
pub(crate) fn address_64_bits(pdev: &pci::Device<Core<'_>>) -> Result {
    // SAFETY: Called in `probe`, before anything is mapped for the device.
    unsafe { pdev.dma_set_mask_and_coherent(DmaMask::new::<64>()) }
}
