// SPDX-License-Identifier: MIT OR Apache-2.0
//! A question to the switch that is under way.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{timeout, Instant};

use super::draft::Draft;
use crate::switch::{Published, State, Switch, SwitchError};

/// After this the switch is taken for dead.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A question that is under way.
pub type Flight = JoinHandle<Landing>;

/// What came of it.
#[derive(Debug)]
pub enum Landing {
    /// The switch was read.
    Read(Result<State, SwitchError>),
    /// A draft was published, or not; and how long that took.
    Published(Draft, Result<Published, SwitchError>, Duration),
    /// A fault of the program's own.
    Lost,
}

/// Reads the switch.
pub fn read(switch: Arc<dyn Switch>) -> Flight {
    tokio::spawn(async move { Landing::Read(in_time(switch.read()).await) })
}

/// Publishes a draft on top of a generation.
pub fn publish(switch: Arc<dyn Switch>, draft: Draft, generation: u64) -> Flight {
    tokio::spawn(async move {
        let start = Instant::now();
        let result = in_time(switch.publish(draft.changes.clone(), generation)).await;
        Landing::Published(draft, result, start.elapsed())
    })
}

async fn in_time<T>(
    question: impl Future<Output = Result<T, SwitchError>>,
) -> Result<T, SwitchError> {
    let answer = timeout(TIMEOUT, question).await;
    answer.unwrap_or(Err(SwitchError::Timeout(TIMEOUT)))
}

/// Waits for the end of a flight; for ever when there is none.
pub async fn land(flight: &mut Option<Flight>) -> Landing {
    match flight {
        Some(flight) => flight.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a question to the switch ended by a fault");
            Landing::Lost
        }),
        None => std::future::pending().await,
    }
}
