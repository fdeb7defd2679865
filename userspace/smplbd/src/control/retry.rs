// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pauses after failures: short at first, and never so long that a switch which is back waits.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// When to try again.
#[derive(Debug, Default)]
pub struct Retry {
    next: Option<(Instant, Duration)>,
}

impl Retry {
    /// Whether it is time.
    pub fn is_due(&self) -> bool {
        self.next.is_none_or(|(at, _)| Instant::now() >= at)
    }

    /// Another failure: the pause doubles.
    pub fn failed(&mut self) {
        let pause = self
            .next
            .map_or(FIRST, |(_, pause)| (pause * 2).min(LONGEST));
        self.next = Some((Instant::now() + pause, pause));
    }

    /// It worked.
    pub fn worked(&mut self) {
        self.next = None;
    }
}
