// SPDX-License-Identifier: GPL-2.0

//! Where a device says its registers are (VIRTIO 1.2, section 4.1.4).
#![forbid(unsafe_code)]

use kernel::device::Bound;
use kernel::io::Io;
use kernel::pci;
use kernel::prelude::*;

const PCI_STATUS: usize = 0x06;
const PCI_STATUS_CAP_LIST: u16 = 0x10;
const PCI_CAPABILITY_LIST: usize = 0x34;
const PCI_CAP_ID_VNDR: u8 = 0x09;

/// `VIRTIO_PCI_CAP_COMMON_CFG`.
pub(super) const CAP_COMMON: u8 = 1;
/// `VIRTIO_PCI_CAP_NOTIFY_CFG`.
pub(super) const CAP_NOTIFY: u8 = 2;
/// `VIRTIO_PCI_CAP_DEVICE_CFG`.
pub(super) const CAP_DEVICE: u8 = 4;

/// A range of registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) bar: usize,
    pub(super) offset: usize,
    pub(super) len: usize,
}

/// The first range of each kind that can be used, and what the offset of a
/// queue's doorbell is multiplied with.
pub(super) fn windows(pdev: &pci::Device<Bound>) -> Result<([Option<Window>; 5], usize)> {
    let config = pdev.config_space();
    let mut found: [Option<Window>; 5] = [None; 5];
    let mut multiplier = 0;
    if config.read16(PCI_STATUS) & PCI_STATUS_CAP_LIST == 0 {
        return Err(ENODEV);
    }
    let mut pos = usize::from(config.read8(PCI_CAPABILITY_LIST) & !3);
    // A list that is a ring must end, too.
    for _ in 0..48 {
        if pos < 0x40 {
            break;
        }
        let id = config.try_read8(pos)?;
        let next = usize::from(config.try_read8(pos + 1)? & !3);
        if id == PCI_CAP_ID_VNDR {
            let kind = config.try_read8(pos + 3)?;
            let window = Window {
                bar: config.try_read8(pos + 4)?.into(),
                offset: config.try_read32(pos + 8)? as usize,
                len: config.try_read32(pos + 12)? as usize,
            };
            if let Some(place) = found.get_mut(usize::from(kind)) {
                // Other BARs are reserved: such a capability is to be ignored.
                if place.is_none() && window.bar < 6 && window.len != 0 {
                    *place = Some(window);
                    if kind == CAP_NOTIFY {
                        multiplier = config.try_read32(pos + 16)? as usize;
                    }
                }
            }
        }
        pos = next;
    }
    Ok((found, multiplier))
}
