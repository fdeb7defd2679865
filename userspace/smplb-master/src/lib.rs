// SPDX-License-Identifier: MIT OR Apache-2.0
//! The master of the seeds (figure 4): from raw load data of servers to the optimum distribution.
//!
//! Pure: no clock, no chance, no input or output. Time is passed in as [`Duration`](std::time::Duration)
//! since any fixed moment.
//!
//! A [`Master`] serves one service. It is told of [`Report`]s, results of health checks, [`Word`]s of
//! agents and counts of connections, in any order; [`Master::tick`] then says whether there are weights
//! to publish.

#![forbid(unsafe_code)]

mod damper;
mod distribution;
mod ejection;
mod evidence;
mod learner;
mod master;
mod median;
mod member;
mod mind;
mod noise;
mod overload;
mod pool;
mod proposal;
mod pulse;
pub mod report;
mod server;
mod settings;
mod slow_start;
mod stuck;
mod view;
mod weights;
mod word;

pub use master::{Master, Rejected};
pub use proposal::{Cause, HoldReason, Input, Outcome, Proposal};
pub use report::{Implausible, Report};
pub use server::Server;
pub use settings::{Algorithm, PanicMode, Settings, SettingsError, Source};
pub use view::{Counters, ServerView, State, View};
pub use word::{Admin, Word};
