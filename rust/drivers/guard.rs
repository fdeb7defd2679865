// SPDX-License-Identifier: GPL-2.0

//! What is undone when a device is given back, or cannot be claimed.
#![forbid(unsafe_code)]

use kernel::device::{Bound, Core};
use kernel::io::Io as _;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;

use super::claim::Device;
use crate::kapi::pci::{address_64_bits, disable, is_gone, is_present, restore, save};
use crate::kapi::watch::Revive;
use crate::port::io::Nic;

const PCI_COMMAND: usize = 0x04;
const PCI_COMMAND_MEMORY: u16 = 0x2;
const PCI_COMMAND_MASTER: u16 = 0x4;
const PCI_COMMAND_INTX_DISABLE: u16 = 0x400;

/// Lets the device be reached and reach memory, or not the latter. It pulls no interrupt line either way:
/// nobody would answer.
fn master(pdev: &pci::Device<Bound>, on: bool) {
    let config = pdev.config_space();
    let command = config.read16(PCI_COMMAND) & !PCI_COMMAND_MASTER & !PCI_COMMAND_INTX_DISABLE;
    let bits = if on {
        PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE
    } else {
        0
    };
    config.write16(command | bits, PCI_COMMAND);
}

/// A device that is enabled; disabled on drop.
pub(super) struct Enabled<'a>(&'a pci::Device<Bound>);

impl<'a> Enabled<'a> {
    /// Its registers can be reached, and it can reach all memory.
    pub(super) fn new(pdev: &'a pci::Device<Core<'_>>) -> Result<Self> {
        pdev.enable_device_mem()?;
        let enabled = Self(pdev);
        address_64_bits(pdev)?;
        master(pdev, true);
        save(pdev);
        Ok(enabled)
    }
}

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        master(self.0, false);
        disable(self.0);
    }
}

/// Whether the device says that it does not reach memory.
fn is_no_master(pdev: &pci::Device<Bound>) -> bool {
    // What does not answer reads all ones, or 0.
    is_present(pdev) && pdev.config_space().read16(PCI_COMMAND) & PCI_COMMAND_MASTER == 0
}

/// What it takes to stop a device that is in use, and to have it go on.
pub(super) struct Reset<'a, D: Device> {
    pdev: &'a pci::Device<Bound>,
    device: Arc<D>,
}

impl<'a, D: Device> Reset<'a, D> {
    pub(super) fn new(pdev: &'a pci::Device<Bound>, device: Arc<D>) -> Self {
        Self { pdev, device }
    }
}

impl<D: Device> Revive for Reset<'_, D> {
    fn halt(&self) -> Result {
        self.device.reset(self.pdev).inspect_err(|_| {
            // Without bus mastering it cannot reach memory either.
            master(self.pdev, false);
        })
    }

    fn end(&self) -> bool {
        // One that was taken out reaches no memory either. What nobody has may read 0, as
        // one that has been reset does.
        if is_gone(self.pdev) || (self.halt().is_ok() && is_present(self.pdev)) {
            return true;
        }
        let harmless = is_no_master(self.pdev);
        if harmless {
            dev_err!(self.pdev, "the device does not reset\n");
        } else {
            dev_err!(
                self.pdev,
                "the device does not answer: what it may still write to is never used again\n"
            );
            self.device.fate().lose();
        }
        harmless
    }

    fn revive(&self, nic: &Nic) -> Result {
        let (pdev, device) = (self.pdev, &self.device);
        restore(pdev)?;
        master(pdev, true);
        self.halt()?;
        let started = device
            .prepare(pdev)
            .and_then(|()| nic.renew(pdev))
            .and_then(|()| device.start(pdev, nic.pairs() as u16));
        started.inspect_err(|_| {
            let _ = self.halt();
        })
    }
}
