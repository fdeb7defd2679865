// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long answers took.

use std::fmt;
use std::time::{Duration, Instant};

/// Frames that were answered, and how long that took, each and all.
pub struct Rounds {
    answered: usize,
    elapsed: Duration,
    /// Sorted.
    times: Vec<Duration>,
}

impl Rounds {
    /// Out of when frames were sent, by their number, and when each was answered.
    pub fn of(sent: &[Instant], answers: &[(u64, Instant)]) -> Self {
        let at = |number: u64| sent.get(usize::try_from(number).ok()?).copied();
        let took = |(number, when): &(u64, Instant)| Some(when.duration_since(at(*number)?));
        let mut times: Vec<_> = answers.iter().filter_map(took).collect();
        times.sort();
        let last = answers.iter().map(|(_, when)| *when).max();
        let elapsed = sent.first().zip(last);
        Self {
            answered: times.len(),
            elapsed: elapsed.map_or(Duration::ZERO, |(first, last)| last.duration_since(*first)),
            times,
        }
    }

    /// The time within which so many of a thousand were answered.
    fn within(&self, of_thousand: usize) -> u128 {
        let nth = (self.times.len() * of_thousand).div_ceil(1000);
        let time = self.times.get(nth.saturating_sub(1));
        time.map_or(0, Duration::as_nanos)
    }
}

/// What the guest is told; times in nanoseconds.
impl fmt::Display for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "answered={} elapsed={} p50={} p99={} max={}",
            self.answered,
            self.elapsed.as_nanos(),
            self.within(500),
            self.within(990),
            self.within(1000)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_what_was_answered() {
        let start = Instant::now();
        let at = |ns| start + Duration::from_nanos(ns);
        // The second one is lost, the others come in another order; one nobody sent.
        let sent = [at(0), at(10), at(20), at(30)];
        let answers = [(3, at(35)), (0, at(40)), (2, at(60)), (9, at(50))];
        assert_eq!(
            Rounds::of(&sent, &answers).to_string(),
            "answered=3 elapsed=60 p50=40 p99=40 max=40"
        );
        let none = Rounds::of(&sent, &[]);
        assert_eq!(none.to_string(), "answered=0 elapsed=0 p50=0 p99=0 max=0");
    }
}
