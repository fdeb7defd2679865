// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the example applications share.

pub mod arp;
pub mod mac;
pub mod phy;
pub mod rtp;
pub mod serving;
pub mod udp;
pub mod wait;
