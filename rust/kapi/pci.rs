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

/// Lets the device address all memory.
pub(crate) fn address_64_bits(pdev: &pci::Device<Core<'_>>) -> Result {
    // SAFETY: Called in `probe`, before anything is mapped for the device.
    unsafe { pdev.dma_set_mask_and_coherent(DmaMask::new::<64>()) }
}
