// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Native NIC rings: the engines that write and read the descriptors of real NICs, and the account
//! of the one pool of buffers those descriptors point at.
//!
//! An engine owns the driver's side of one ring. The ring's memory is shared with a device and
//! reached through [`dma::Dma`]; what the device wrote there is read once, checked against a private
//! [`shadow`], and only then used. A device that lies breaks its own queue, with a named
//! [`queue::Fault`], and nothing else.
//!
//! Per burst there is one index to read, one barrier of each kind, one index to publish and at most
//! one doorbell; the shell rings it, since registers are not reachable from here.

pub mod backoff;
pub mod census;
pub mod dma;
pub mod intel;
pub mod magazine;
pub mod pool;
pub mod queue;
pub mod shadow;
pub mod stall;
pub mod virtio;

#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod fake;
