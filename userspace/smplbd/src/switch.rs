// SPDX-License-Identifier: MIT OR Apache-2.0
//! The switch as the daemon sees it: read it, and publish changes as one generation of its A/B
//! table. It is the kernel of this host ([`kernel`]) or a relay on another one ([`remote`]).

pub mod kernel;
#[cfg(test)]
pub mod memory;
pub mod remote;
mod state;
pub mod wire;

use std::fmt;
use std::time::Duration;

use tokio::sync::watch;

pub use state::{Backend, Change, Definition, Service, State};

/// What a publication did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The generation that was made.
    pub generation: u64,
    /// Slots whose backend differs from the generation before.
    pub slots_moved: u64,
}

/// Why the switch did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchError {
    /// Somebody else made a generation since the switch was read.
    #[error("another generation than {0} is active")]
    Conflict(u64),
    /// It understood and said no; asking again does not help.
    #[error("{0}")]
    Refused(String),
    /// It is not there.
    #[error("{0}")]
    Unavailable(String),
    /// It did not answer in time; whether it did what was asked is not known.
    #[error("no answer in {0:?}")]
    Timeout(Duration),
}

impl SwitchError {
    /// The reason in one word, for a counter.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::Refused(_) => "refused",
            Self::Unavailable(_) => "unavailable",
            Self::Timeout(_) => "timeout",
        }
    }
}

/// A switch that can be read and told shares.
#[tonic::async_trait]
pub trait Switch: fmt::Debug + Send + Sync + 'static {
    /// Everything the daemon knows of it.
    async fn read(&self) -> Result<State, SwitchError>;

    /// Makes one generation of all changes, if `expect_generation` is still active.
    async fn publish(
        &self,
        changes: Vec<Change>,
        expect_generation: u64,
    ) -> Result<Published, SwitchError>;

    /// News of generations, where the switch can tell them; else reading it now and then must do.
    fn news(&self) -> Option<watch::Receiver<u64>> {
        None
    }
}
