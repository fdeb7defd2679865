// SPDX-License-Identifier: GPL-2.0

//! The PCI transport of VIRTIO 1.2, section 4.1: where the registers are, reset,
//! features, queues, doorbells.
#![forbid(unsafe_code)]

use kernel::device::{Bound, Core};
use kernel::io::poll::read_poll_timeout;
use kernel::io::Io;
use kernel::page::PAGE_SIZE;
use kernel::pci::{self, DevresBar};
use kernel::prelude::*;
use kernel::time::Delta;

use super::caps::{windows, Window, CAP_COMMON, CAP_DEVICE, CAP_NOTIFY};

/// Offsets in the common configuration.
mod common {
    pub(super) const DFSELECT: usize = 0;
    pub(super) const DF: usize = 4;
    pub(super) const GFSELECT: usize = 8;
    pub(super) const GF: usize = 12;
    pub(super) const MSIX: usize = 16;
    pub(super) const STATUS: usize = 20;
    pub(super) const CFGGENERATION: usize = 21;
    pub(super) const Q_SELECT: usize = 22;
    pub(super) const Q_SIZE: usize = 24;
    pub(super) const Q_MSIX: usize = 26;
    pub(super) const Q_ENABLE: usize = 28;
    pub(super) const Q_NOFF: usize = 30;
    pub(super) const Q_DESC: usize = 32;
    pub(super) const Q_AVAIL: usize = 40;
    pub(super) const Q_USED: usize = 48;
    pub(super) const LEN: usize = 56;
}

pub(crate) mod status {
    pub(crate) const ACKNOWLEDGE: u8 = 1;
    pub(crate) const DRIVER: u8 = 2;
    pub(crate) const DRIVER_OK: u8 = 4;
    pub(crate) const FEATURES_OK: u8 = 8;
    pub(crate) const NEEDS_RESET: u8 = 64;
}

pub(crate) mod feature {
    pub(crate) const NET_CSUM: u64 = 1 << 0;
    pub(crate) const NET_GUEST_CSUM: u64 = 1 << 1;
    pub(crate) const NET_MTU: u64 = 1 << 3;
    pub(crate) const NET_MAC: u64 = 1 << 5;
    pub(crate) const NET_STATUS: u64 = 1 << 16;
    pub(crate) const NET_CTRL_VQ: u64 = 1 << 17;
    pub(crate) const NET_CTRL_RX: u64 = 1 << 18;
    pub(crate) const NET_MQ: u64 = 1 << 22;
    pub(crate) const RING_EVENT_IDX: u64 = 1 << 29;
    pub(crate) const VERSION_1: u64 = 1 << 32;
    pub(crate) const ACCESS_PLATFORM: u64 = 1 << 33;
    pub(crate) const RING_PACKED: u64 = 1 << 34;
    pub(crate) const NET_RSS: u64 = 1 << 60;
}

/// Offsets in the configuration of a network device (VIRTIO 1.2, 5.1.4).
pub(crate) mod config {
    pub(crate) const MAC: usize = 0;
    pub(crate) const STATUS: usize = 6;
    pub(crate) const STATUS_LINK_UP: u8 = 1;
    pub(crate) const MAX_PAIRS: usize = 8;
    pub(crate) const MTU: usize = 10;
    pub(crate) const RSS_MAX_KEY_SIZE: usize = 17;
    pub(crate) const RSS_HASH_TYPES: usize = 20;
}

/// `VIRTIO_MSI_NO_VECTOR`.
const NO_VECTOR: u16 = 0xffff;

/// The registers, usable for as long as the device is bound.
pub(crate) struct Transport {
    bars: [Option<DevresBar>; 6],
    common: Window,
    notify: Window,
    multiplier: usize,
    device: Option<Window>,
}

/// A register block of a device that is bound.
struct Block<'a> {
    bar: &'a pci::Bar<'a>,
    at: Window,
}

impl Block<'_> {
    fn place(&self, offset: usize, octets: usize) -> Result<usize> {
        if offset.saturating_add(octets) > self.at.len {
            return Err(EINVAL);
        }
        self.at.offset.checked_add(offset).ok_or(EINVAL)
    }
    fn read8(&self, offset: usize) -> Result<u8> {
        self.bar.try_read8(self.place(offset, 1)?)
    }
    fn read16(&self, offset: usize) -> Result<u16> {
        self.bar.try_read16(self.place(offset, 2)?)
    }
    fn read32(&self, offset: usize) -> Result<u32> {
        self.bar.try_read32(self.place(offset, 4)?)
    }
    fn write8(&self, offset: usize, value: u8) -> Result {
        self.bar.try_write8(value, self.place(offset, 1)?)
    }
    fn write16(&self, offset: usize, value: u16) -> Result {
        self.bar.try_write16(value, self.place(offset, 2)?)
    }
    fn write32(&self, offset: usize, value: u32) -> Result {
        self.bar.try_write32(value, self.place(offset, 4)?)
    }
    fn write64(&self, offset: usize, value: u64) -> Result {
        self.write32(offset, value as u32)?;
        self.write32(offset + 4, (value >> 32) as u32)
    }
}

impl Transport {
    pub(crate) fn new(pdev: &pci::Device<Core<'_>>) -> Result<Self> {
        let (found, multiplier) = windows(pdev)?;
        let mut bars = [const { None }; 6];
        for window in found.iter().flatten() {
            let Some(place) = bars.get_mut(window.bar) else {
                continue;
            };
            if place.is_none() {
                let bar = pdev.iomap_region(window.bar as u32, c"smplb_virtio")?;
                *place = Some(bar.into_devres()?);
            }
        }
        let at = |kind: u8| found.get(usize::from(kind)).copied().flatten();
        let common = at(CAP_COMMON).ok_or(ENODEV)?;
        if common.len < common::LEN {
            return Err(ENODEV);
        }
        Ok(Self {
            bars,
            common,
            notify: at(CAP_NOTIFY).ok_or(ENODEV)?,
            multiplier,
            device: at(CAP_DEVICE),
        })
    }

    fn block<'a>(&'a self, pdev: &'a pci::Device<Bound>, at: Window) -> Result<Block<'a>> {
        let bar = self
            .bars
            .get(at.bar)
            .and_then(Option::as_ref)
            .ok_or(ENODEV)?;
        Ok(Block {
            bar: bar.access(pdev.as_ref())?,
            at,
        })
    }

    fn common<'a>(&'a self, pdev: &'a pci::Device<Bound>) -> Result<Block<'a>> {
        self.block(pdev, self.common)
    }

    /// Resets the device and waits until it has done so: it touches no memory
    /// afterwards.
    pub(crate) fn reset(&self, pdev: &pci::Device<Bound>) -> Result {
        let common = self.common(pdev)?;
        common.write8(common::STATUS, 0)?;
        let status = read_poll_timeout(
            || common.read8(common::STATUS),
            // One that is not there any more need not be waited for.
            |&status| status == 0 || status == u8::MAX,
            Delta::from_millis(1),
            Delta::from_secs(1),
        )?;
        match status {
            0 => Ok(()),
            _ => Err(ENODEV),
        }
    }

    pub(crate) fn status(&self, pdev: &pci::Device<Bound>) -> Result<u8> {
        self.common(pdev)?.read8(common::STATUS)
    }

    pub(crate) fn add_status(&self, pdev: &pci::Device<Bound>, bit: u8) -> Result {
        let common = self.common(pdev)?;
        let old = common.read8(common::STATUS)?;
        common.write8(common::STATUS, old | bit)
    }

    pub(crate) fn offered(&self, pdev: &pci::Device<Bound>) -> Result<u64> {
        let common = self.common(pdev)?;
        common.write32(common::DFSELECT, 0)?;
        let low = common.read32(common::DF)?;
        common.write32(common::DFSELECT, 1)?;
        let high = common.read32(common::DF)?;
        Ok(u64::from(low) | u64::from(high) << 32)
    }

    pub(crate) fn accept(&self, pdev: &pci::Device<Bound>, features: u64) -> Result {
        let common = self.common(pdev)?;
        common.write32(common::GFSELECT, 0)?;
        common.write32(common::GF, features as u32)?;
        common.write32(common::GFSELECT, 1)?;
        common.write32(common::GF, (features >> 32) as u32)?;
        self.add_status(pdev, status::FEATURES_OK)?;
        if self.status(pdev)? & status::FEATURES_OK == 0 {
            return Err(ENODEV);
        }
        Ok(())
    }

    pub(crate) fn no_config_vector(&self, pdev: &pci::Device<Bound>) -> Result {
        self.common(pdev)?.write16(common::MSIX, NO_VECTOR)
    }

    pub(crate) fn queue_size(&self, pdev: &pci::Device<Bound>, queue: u16) -> Result<u16> {
        let common = self.common(pdev)?;
        common.write16(common::Q_SELECT, queue)?;
        common.read16(common::Q_SIZE)
    }

    /// Makes a queue known to the device; returns its doorbell.
    pub(crate) fn enable_queue(
        &self,
        pdev: &pci::Device<Bound>,
        queue: u16,
        size: u16,
        areas: [u64; 3],
        vector: Option<u16>,
    ) -> Result<Doorbell> {
        let common = self.common(pdev)?;
        common.write16(common::Q_SELECT, queue)?;
        common.write16(common::Q_SIZE, size)?;
        let vector = vector.unwrap_or(NO_VECTOR);
        common.write16(common::Q_MSIX, vector)?;
        if common.read16(common::Q_MSIX)? != vector {
            // The device has no resources for it (4.1.5.1.2).
            return Err(ENOSPC);
        }
        common.write64(common::Q_DESC, areas[0])?;
        common.write64(common::Q_AVAIL, areas[1])?;
        common.write64(common::Q_USED, areas[2])?;
        let offset = usize::from(common.read16(common::Q_NOFF)?).saturating_mul(self.multiplier);
        if offset.saturating_add(2) > self.notify.len {
            return Err(EINVAL);
        }
        common.write16(common::Q_ENABLE, 1)?;
        Ok(Doorbell {
            bar: self.notify.bar,
            offset: self.notify.offset.saturating_add(offset),
            queue,
        })
    }

    /// The physical address of a doorbell; `None` if there is something else on its page than
    /// doorbells.
    pub(crate) fn physical(
        &self,
        pdev: &pci::Device<Bound>,
        bell: &Doorbell,
    ) -> Result<Option<u64>> {
        let start = pdev.resource_start(bell.bar as u32)?;
        let at = |offset: usize| start.saturating_add(offset as u64);
        let page = at(bell.offset) / PAGE_SIZE as u64 * PAGE_SIZE as u64;
        let window =
            at(self.notify.offset)..=at(self.notify.offset.saturating_add(self.notify.len));
        let inside = window.contains(&page) && window.contains(&(page + PAGE_SIZE as u64));
        Ok(inside.then(|| at(bell.offset)))
    }

    /// Octets of the device's own configuration, from `offset` on.
    pub(crate) fn config(
        &self,
        pdev: &pci::Device<Bound>,
        offset: usize,
        out: &mut [u8],
    ) -> Result {
        let common = self.common(pdev)?;
        let device = self.block(pdev, self.device.ok_or(ENODEV)?)?;
        loop {
            let before = common.read8(common::CFGGENERATION)?;
            for (i, octet) in out.iter_mut().enumerate() {
                *octet = device.read8(offset.saturating_add(i))?;
            }
            if common.read8(common::CFGGENERATION)? == before {
                return Ok(());
            }
        }
    }

    /// A register of 8 bits, from a thread that only knows that the device was
    /// bound; `None` when it is not any more.
    fn try_read8(&self, at: Window, offset: usize) -> Option<u8> {
        let bar = self.bars.get(at.bar)?.as_ref()?.try_access()?;
        Block { bar: &bar, at }.read8(offset).ok()
    }

    /// The status, as [`Self::status`]; `None` when the device is gone. One that
    /// is not there any more answers all ones.
    pub(crate) fn try_status(&self) -> Option<u8> {
        self.try_read8(self.common, common::STATUS)
            .filter(|&status| status != u8::MAX)
    }

    /// An octet of the device's own configuration.
    pub(crate) fn try_config8(&self, offset: usize) -> Option<u8> {
        self.try_read8(self.device?, offset)
    }

    /// Rings; also from a thread that only knows that the device was bound.
    #[inline]
    pub(crate) fn ring(&self, bell: &Doorbell) {
        let Some(bar) = self
            .bars
            .get(bell.bar)
            .and_then(Option::as_ref)
            .and_then(|bar| bar.try_access())
        else {
            return;
        };
        // The place was checked when the queue was made.
        let _ = (&*bar).try_write16(bell.queue, bell.offset);
    }
}

/// Where a queue is rung.
#[derive(PartialEq, Eq)]
pub(crate) struct Doorbell {
    bar: usize,
    offset: usize,
    queue: u16,
}
