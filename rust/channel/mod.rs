// SPDX-License-Identifier: GPL-2.0

//! Channels: applications on isolated CPUs that send and receive by memory that
//! they share with an engine (seed figures 10 to 13). What the two may do to each
//! other is decided in [`crate::core_::channel`].
#![forbid(unsafe_code)]

mod audience;
mod buffers;
mod deliver;
mod desk;
mod handle;
mod make;
mod outgoing;
mod rent;

pub(crate) use audience::{Audience, Channels};
pub(crate) use deliver::Delivery;
pub(crate) use desk::Desk;
pub(crate) use handle::Channel;
pub(crate) use make::open;
pub(crate) use outgoing::{Carrier, Outgoing};
pub(crate) use rent::rent;
