// SPDX-License-Identifier: MIT OR Apache-2.0
//! At most so many things in any second.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Keeps the moments of the last things, and lets another one pass when the oldest of them is a
/// second ago.
#[derive(Debug)]
pub struct Limit {
    moments: Mutex<VecDeque<Instant>>,
    per_second: usize,
}

impl Limit {
    /// At most `per_second` in any second.
    pub fn new(per_second: u32) -> Self {
        Self {
            moments: Mutex::default(),
            per_second: per_second as usize,
        }
    }

    /// Whether one more may pass now.
    pub fn is_open(&self) -> bool {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_room(&moments)
    }

    /// Whether one more may pass now; it then counts.
    pub fn take(&self) -> bool {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.has_room(&moments);
        if room {
            if moments.len() >= self.per_second {
                moments.pop_front();
            }
            moments.push_back(Instant::now());
        }
        room
    }

    fn has_room(&self, moments: &VecDeque<Instant>) -> bool {
        let oldest = moments.front().map(Instant::elapsed);
        moments.len() < self.per_second || oldest >= Some(Duration::from_secs(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_than_so_many() {
        let limit = Limit::new(10);
        let start = Instant::now();
        let mut passed = Vec::new();
        for _ in 0..500 {
            if limit.take() {
                passed.push(start.elapsed());
            }
            tokio::time::advance(Duration::from_millis(7)).await;
        }
        assert!(passed.len() >= 30, "{passed:?}");
        for eleven in passed.windows(11) {
            assert!(eleven[10] - eleven[0] >= Duration::from_secs(1));
        }
    }
}
