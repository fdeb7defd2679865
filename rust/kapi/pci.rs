// SPDX-License-Identifier: GPL-2.0

//! What the kernel's PCI abstractions lack.

use kernel::bindings;
use kernel::device::{Bound, Core};
use kernel::dma::{Device as _, DmaMask};
use kernel::pci;
use kernel::prelude::*;

/// The other half of `enable_device_mem`.
pub(crate) fn disable(pdev: &pci::Device<Bound>) {
    // CAST: `pci::Device` is transparent.
    let pdev = core::ptr::from_ref(pdev).cast_mut().cast();
    // SAFETY: The device is bound to our driver, which enabled it.
    unsafe { bindings::pci_disable_device(pdev) };
}

/// Notes how the device is configured, for [`restore`].
pub(crate) fn save(pdev: &pci::Device<Bound>) {
    // CAST: `pci::Device` is transparent.
    let pdev = core::ptr::from_ref(pdev).cast_mut().cast();
    // Without memory for capabilities the rest is noted.
    // SAFETY: The device is bound to our driver.
    let _ = unsafe { bindings::pci_save_state(pdev) };
}

/// Whether the device is on the bus.
pub(crate) fn is_present(pdev: &pci::Device<Bound>) -> bool {
    // CAST: `pci::Device` is transparent.
    let pdev = core::ptr::from_ref(pdev).cast_mut().cast();
    // SAFETY: The device is bound to our driver.
    unsafe { bindings::pci_device_is_present(pdev) }
}

/// Whether the device was taken out, for good.
pub(crate) fn is_gone(pdev: &pci::Device<Bound>) -> bool {
    // CAST: `pci::Device` is transparent.
    let pdev: *const bindings::pci_dev = core::ptr::from_ref(pdev).cast();
    // SAFETY: The device is bound to our driver. The field changes at any time, and
    // is a machine word.
    let state = unsafe { core::ptr::read_volatile(&raw const (*pdev).error_state) };
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
    // CAST: `pci::Device` is transparent.
    let pdev = core::ptr::from_ref(pdev).cast_mut().cast();
    // SAFETY: The device is bound to our driver.
    unsafe { bindings::pci_restore_state(pdev) };
    Ok(())
}

/// Lets the device address all memory.
pub(crate) fn address_64_bits(pdev: &pci::Device<Core<'_>>) -> Result {
    // SAFETY: Called in `probe`, before anything is mapped for the device.
    unsafe { pdev.dma_set_mask_and_coherent(DmaMask::new::<64>()) }
}
