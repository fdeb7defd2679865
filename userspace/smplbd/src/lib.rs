// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbd`: follows the load and the health of servers, and tells the smplb packet switch their
//! shares.
//!
//! [`config`] is the file; [`manager`] follows servers, by `smplb-probe`; [`control`] is the loop
//! that lets `smplb-master` decide and publishes to a [`switch`], which is the kernel of this host
//! or one behind a [`relay`]. [`reconcile`] keeps the switch as the file says. [`daemon`] puts them
//! together.

#![forbid(unsafe_code)]

pub mod board;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod door;
pub mod key;
pub mod limit;
pub mod log;
pub mod manager;
pub mod metrics;
pub mod notify;
pub mod reconcile;
pub mod relay;
pub mod switch;
