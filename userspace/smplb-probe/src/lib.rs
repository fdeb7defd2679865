// SPDX-License-Identifier: MIT OR Apache-2.0
//! Followers of servers: what asks a server, again and again, how it is.
//!
//! [`orca`] follows the load reports of a server, [`agent_check`] the words of an agent that speaks
//! HAProxy's protocol, and [`check`] looks from outside whether the server works. Each has a `follow`
//! that runs until it is dropped, or until nobody listens to its [`Event`]s any more.
//!
//! A server is not trusted. Whatever it sends or does not send, a follower holds a bounded amount of
//! memory, takes a bounded amount of time for it, and names what went wrong by a [`Trouble`]. Whether
//! the figures of a report are plausible is for [`smplb_master`] to judge.

#![forbid(unsafe_code)]

pub mod agent_check;
pub mod backoff;
pub mod check;
mod connect;
pub mod event;
pub mod orca;
mod outlet;
pub mod target;
mod tls;
pub mod trouble;
mod wire;

pub use check::Check;
pub use event::Event;
pub use target::{Target, Tls};
pub use trouble::Trouble;
