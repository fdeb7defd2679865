// SPDX-License-Identifier: GPL-2.0

//! BAR 0 of a device, where its registers are.

use crate::core_::nic::intel::regs::Register;
use kernel::device::{Bound, Core};
use kernel::io::poll::read_poll_timeout;
use kernel::io::Io as _;
use kernel::pci::{self, DevresBar};
use kernel::prelude::*;
use kernel::time::Delta;

/// Where the registers are, for as long as the device is bound.
pub(super) struct Bar(DevresBar);

impl Bar {
    pub(super) fn new(pdev: &pci::Device<Core<'_>>) -> Result<Self> {
        let bar = pdev.iomap_region(0, c"smplb_intel")?;
        Ok(Self(bar.into_devres()?))
    }

    /// The registers of a device that is bound.
    pub(super) fn of<'a>(&'a self, pdev: &'a pci::Device<Bound>) -> Result<Registers<'a>> {
        Ok(Registers(self.0.access(pdev.as_ref())?))
    }

    /// The registers, from a thread that only knows that the device was bound;
    /// `None` when it is not any more.
    pub(super) fn try_with<T>(&self, with: impl FnOnce(Registers<'_>) -> T) -> Option<T> {
        let bar = self.0.try_access()?;
        Some(with(Registers(&bar)))
    }

    /// Writes an index to a tail register.
    #[inline]
    pub(super) fn ring(&self, tail: Register, index: u16) {
        if let Some(bar) = self.0.try_access() {
            // The registers before it were written when the ring was made.
            let _ = (&*bar).try_write32(index.into(), tail.0 as usize);
        }
    }
}

/// The registers of a device that is bound.
pub(crate) struct Registers<'a>(&'a pci::Bar<'a>);

impl Registers<'_> {
    pub(super) fn read(&self, register: Register) -> Result<u32> {
        self.0.try_read32(register.0 as usize)
    }

    pub(super) fn write(&self, register: Register, value: u32) -> Result {
        self.0.try_write32(value, register.0 as usize)
    }

    /// Sets and clears bits.
    pub(super) fn change(&self, register: Register, set: u32, clear: u32) -> Result {
        self.write(register, self.read(register)? & !clear | set)
    }

    /// Waits until `bits` of a register are `value`, for at most that many
    /// milliseconds.
    pub(super) fn wait(&self, register: Register, bits: u32, value: u32, most: i64) -> Result {
        read_poll_timeout(
            || self.read(register),
            |word| word & bits == value,
            Delta::from_micros(100),
            Delta::from_millis(most),
        )?;
        Ok(())
    }
}
