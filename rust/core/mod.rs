// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The pure core of the switch: every decision about a packet, and the tables it is based on.
//!
//! It holds no memory, reads no clock and draws no random number: the shell lends slices, passes
//! the time and the randomness in, and lends words that several CPUs may share ([`env::Atom`]). The
//! same folder is a module of the kernel module and, through `userspace/smplb-core`, of a cargo
//! crate; hence only relative paths inside it.
//!
//! A shell builds a [`pipeline::Switch`] once per burst and calls [`pipeline::process_burst`].

#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects
)]

mod bits;
pub mod channel;
pub mod config;
pub mod connection;
pub mod counters;
mod decide;
mod deliver;
pub mod engine;
pub mod env;
pub mod filter;
pub mod frame;
pub mod limiter;
pub mod neighbour;
pub mod nic;
pub mod pipeline;
pub mod recent;
pub mod reply;
pub mod rewrite;
pub mod ring;
mod round;
pub mod route;
mod run;
pub mod schedule;
pub mod verdict;
pub mod wire;

#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod fake;
