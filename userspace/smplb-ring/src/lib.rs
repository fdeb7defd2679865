// SPDX-License-Identifier: MIT OR Apache-2.0

//! Channels of the smplb packet switch: an application on a CPU of its own sends and receives
//! Ethernet frames by reading and writing memory that it shares with an engine. There is no system
//! call, no interrupt and no copy on its side.
//!
//! ```no_run
//! use smplb_ring::{Channel, Options, Want};
//!
//! # fn main() -> Result<(), smplb_ring::Error> {
//! let mut channel = Channel::open(&Options::default())?;
//! channel.want(Want::udp("192.0.2.1:7".parse().unwrap()))?;
//! let mut frames = Vec::new();
//! loop {
//!     channel.rx_burst(&mut frames);
//!     // A frame that was received can be sent: it leaves by the port that it came from.
//!     channel.tx_burst(&mut frames);
//!     frames.clear();
//! }
//! # }
//! ```
//!
//! A [`Frame`] owns its buffer. Dropped, it is free again; sent, it is gone until the engine has
//! completed it. The types keep to these rules, so that the kernel never sees a buffer twice.
//! Applications are tested without the module by [`mock`].

mod channel;
mod device;
mod error;
mod frame;
mod memory;
pub mod mock;
mod pair;
mod rings;
mod want;

pub use channel::{Channel, Options};
pub use error::Error;
pub use frame::Frame;
pub use pair::Pair;
pub use smplb_core::channel::bad::Bad;
pub use smplb_core::channel::uapi::Stats;
pub use want::{Port, Want};
