// SPDX-License-Identifier: MIT OR Apache-2.0
//! Control of the smplb kernel module over netlink.
//!
//! [`Client`] speaks the generic netlink family `smplb`, whose messages are in [`generated`],
//! written from `Documentation/netlink/specs/smplb.yaml`. [`link`] makes and removes ports by
//! rtnetlink, as `ip link add ... type smplb` does. [`Monitor`] tells of new generations.
//!
//! Everything is synchronous, and belongs to the network namespace in which the socket was made.

#![forbid(unsafe_code)]

pub mod attr;
pub mod channel;
pub mod client;
pub mod error;
pub mod extack;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
#[rustfmt::skip]
pub mod generated;
mod genl;
pub mod key;
pub mod link;
pub mod monitor;
pub mod set;
pub mod socket;

pub use client::Client;
pub use error::{Error, Refusal, Result};
pub use generated::{
    Backend, BackendDef, Command, Config, Connection, ConnectionState, Drop, DropReason, Engine,
    Generation, Mode, Pool, PoolEngine, PoolPort, Port, Scheduler, Service, ServiceDef, Stats,
};
pub use monitor::Monitor;
