// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplb-agent`: tells the load balancer how loaded this server is.
//!
//! Figures come from the [`system`] and from any number of [`source`]s (nginx, a Prometheus
//! endpoint, a file, a command). The [`sampler`] puts them together as a [`report`], and the
//! [`server`] streams it, as ORCA (Open Request Cost Aggregation), to whoever asks. [`daemon`]
//! runs all of it on one thread.

#![forbid(unsafe_code)]

pub mod agent_check;
pub mod cli;
pub mod config;
pub mod daemon;
mod log;
mod print;
pub mod report;
pub mod sampler;
pub mod server;
pub mod source;
pub mod system;
