// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Channels: applications that own buffers and see descriptors (seed figures 10 to 13).
//!
//! An application and the engine that serves it share memory: the **list** ([`entry`]), which says
//! of each buffer what is in it and who owns it, and four **rings** ([`layout`]) of buffer numbers,
//! each with one producer and one consumer:
//!
//! | ring | from | carries |
//! |---|---|---|
//! | fill | application | free buffers for what is received (figure 13, step 341) |
//! | receive | engine | buffers with frames (steps 342 to 346) |
//! | transmit | application | buffers with frames (figure 12, steps 321 to 324) |
//! | completion | engine | buffers for those that were sent (steps 325 and 326) |
//!
//! Whatever the application can write is read once, checked against what the kernel knows by itself
//! ([`ledger`]), and then used. A buffer that it may not pass on stays where it is, and is counted
//! ([`bad`]).
//!
//! Buffers change places: for one that is filled, sent or received, another one may come back, so that
//! an application has as many at any time as it was given at first, wherever its frames are.

pub mod bad;
pub mod bells;
mod boxes;
pub mod end;
pub mod entry;
pub mod frames;
pub mod layout;
pub mod ledger;
pub mod lent;
pub mod shared;
pub mod uapi;
pub mod wants;
