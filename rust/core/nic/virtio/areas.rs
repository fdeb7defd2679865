// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Where the parts of a virtqueue are in its memory.

/// The three areas of a virtqueue (VIRTIO 1.2, 2.6) in one piece of memory, which must be aligned to
/// 64 octets, and at first 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Areas {
    /// Octets from the start of the memory to the descriptors (`queue_desc`).
    pub desc: usize,
    /// To what the driver writes besides (`queue_driver`).
    pub driver: usize,
    /// To what the device writes besides (`queue_device`).
    pub device: usize,
    /// Octets of the memory.
    pub len: usize,
}

/// The next multiple of a cache line.
const fn line(len: usize) -> usize {
    len.wrapping_add(63) & !63
}

impl Areas {
    /// Octets of a descriptor, of both formats.
    const DESC: usize = 16;

    /// Areas of a ring of `size` descriptors, with so many octets in the two smaller areas. Octet
    /// `aligned` of the device's area is where a cache line begins.
    pub(super) const fn new(size: u16, driver: usize, device: usize, aligned: usize) -> Self {
        let driver_at = line((size as usize).wrapping_mul(Self::DESC));
        // What the two sides write never shares a cache line.
        let driver_end = line(driver_at.wrapping_add(driver));
        let device_at = line(driver_end.wrapping_add(aligned)).wrapping_sub(aligned);
        Self {
            desc: 0,
            driver: driver_at,
            device: device_at,
            len: line(device_at.wrapping_add(device)),
        }
    }
}
