// SPDX-License-Identifier: MIT OR Apache-2.0
//! What clients ask for: how many streams there are and which interval is the smallest, since
//! reports need not be made more often.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Intervals of all streams, shared by those who ask and those who make.
#[derive(Clone, Debug, Default)]
pub struct Demand(Arc<watch::Sender<BTreeMap<Duration, usize>>>);

impl Demand {
    /// One more stream with this interval, until the answer is dropped.
    pub fn ask(&self, interval: Duration) -> Asked {
        self.0
            .send_modify(|asked| *asked.entry(interval).or_default() += 1);
        Asked {
            demand: self.clone(),
            interval,
        }
    }

    /// The smallest interval.
    pub fn smallest(&self) -> Option<Duration> {
        self.0.borrow().keys().next().copied()
    }

    /// How many streams there are.
    pub fn streams(&self) -> usize {
        self.0.borrow().values().sum()
    }

    /// Tells of changes.
    pub fn changes(&self) -> watch::Receiver<BTreeMap<Duration, usize>> {
        self.0.subscribe()
    }
}

/// A stream that is there.
#[derive(Debug)]
pub struct Asked {
    demand: Demand,
    interval: Duration,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.demand.0.send_modify(|asked| {
            if let Some(count) = asked.get_mut(&self.interval) {
                *count -= 1;
                if *count == 0 {
                    asked.remove(&self.interval);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_counts_as_long_as_it_is_there() {
        let demand = Demand::default();
        let [short, long] = [1, 5].map(Duration::from_secs);
        assert_eq!((demand.smallest(), demand.streams()), (None, 0));
        let slow = demand.ask(long);
        let (fast, other) = (demand.ask(short), demand.ask(short));
        assert_eq!((demand.smallest(), demand.streams()), (Some(short), 3));
        drop(fast);
        assert_eq!((demand.smallest(), demand.streams()), (Some(short), 2));
        drop(other);
        assert_eq!((demand.smallest(), demand.streams()), (Some(long), 1));
        drop(slow);
        assert_eq!((demand.smallest(), demand.streams()), (None, 0));
    }
}
