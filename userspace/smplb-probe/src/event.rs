// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a follower tells.

use smplb_master::{Report, Word};

use crate::Trouble;

/// What a follower tells of its server.
///
/// Reports, words and troubles are told without waiting: when the listener is behind, the newest is
/// left out, since another one follows. A change of health is told once, so it waits for its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A load report arrived. Its figures are as the server sent them.
    Report(Report),
    /// The agent of the server spoke.
    Word(Word),
    /// The checks of the server came to a first result, or to another one.
    Health {
        /// The server works.
        up: bool,
        /// What the deciding check saw, one line.
        why: String,
    },
    /// The server could not be asked, or its answer could not be used.
    Trouble(Trouble),
}
