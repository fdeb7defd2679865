// SPDX-License-Identifier: MIT OR Apache-2.0
//! `latency`: the same mean execution time on every server.
//!
//! A server that takes longer than the median gives some of its share to the others. How much it must
//! give cannot be known from the time alone, so steps are small and bounded, and each waits until the one before
//! has shown. When all are slow, nobody is slower than the median and nothing moves.

use super::{Distribution, Measure};
use crate::evidence::Sum;

/// The most that one step changes a share by, as a logarithm.
const MOST: f64 = 0.1;
/// What a server counts as slower by that only fails, as a logarithm: more than failing can be faster
/// than working.
const BLAME: f64 = 10.0;

/// The same mean execution time on every server.
#[derive(Debug)]
pub(super) struct Latency {
    /// Part of a difference by which the share goes. A queue that is 90 % full answers a share with ten
    /// times as much time, so this must be well below a tenth of what is stable without queues. By the simulator,
    /// a tenth of the gain of `even` goes to and fro by up to 5 %, a sixteenth by half of that.
    pub gain: f64,
    /// Weight of errors, as in `capacity`.
    pub penalty: f64,
}

impl Distribution for Latency {
    fn measure(&self, sum: &Sum) -> Option<Measure> {
        let exec = sum.exec()?;
        let blame = BLAME * self.penalty * sum.failed();
        // Requests that wait in one queue wait together: their times say much less than their number.
        Some(Measure {
            log: -exec.ln() - blame,
            variance: 16.0 / sum.requests,
        })
    }

    fn answer(&self, difference: f64) -> f64 {
        (self.gain * difference).clamp(-MOST, MOST)
    }

    fn asks_for_more(&self) -> bool {
        true
    }
}
