// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Connections: the table of tracked flows, shared by all engines.
//!
//! The room has these parts: [`key`] (what tells connections apart, and the hash), [`entry`] (one
//! direction, a cache line), [`tcp_state`], [`bucket`] and [`table`] (lookup, making and removing),
//! [`free`] and [`stash`] (pairs of entries not in use), [`sweep`] (forgetting, and listing).

pub mod bucket;
pub mod entry;
pub mod free;
pub mod key;
pub mod make;
pub mod stash;
pub mod sweep;
pub mod table;
pub mod tcp_state;

#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests;
