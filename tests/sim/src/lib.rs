// SPDX-License-Identifier: MIT OR Apache-2.0
//! A simulator of servers, of what comes to them, and of ways to distribute it, which drives the
//! real master and the real slot lists of the switch.
//!
//! Servers are queues ([`server`]), requests a Poisson process whose rate may change ([`arrival`]),
//! and [`world`] lets both meet through a [`policy`]. Everything random comes from a seed, so a run
//! can be repeated exactly, and two policies can be given the same requests. [`experiment`] holds
//! the experiments: tests assert their figures, and the program draws them.

#![forbid(unsafe_code)]

pub mod agent;
pub mod arrival;
pub mod event;
pub mod experiment;
pub mod measure;
pub mod plot;
pub mod policy;
pub mod server;
pub mod theory;
pub mod world;
