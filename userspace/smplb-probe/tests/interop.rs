// SPDX-License-Identifier: MIT OR Apache-2.0
//! Followers against servers that others wrote. What they need is installed once, below the folder
//! for tests of cargo's target; without npm or pip a test says so and is skipped.

#[path = "interop/agent_check.rs"]
mod agent_check;
#[path = "interop/node.rs"]
mod node;
#[path = "interop/peer.rs"]
mod peer;
#[path = "interop/python.rs"]
mod python;
#[path = "interop/soak.rs"]
mod soak;
