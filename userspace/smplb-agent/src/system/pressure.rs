// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pressure stall information: how much of the time some task waited for a CPU.

use std::path::Path;
use std::time::Instant;

/// The part of time between two looks in which some task waited.
#[derive(Debug, Default)]
pub(super) struct Stall {
    last: Option<(Instant, u64)>,
}

impl Stall {
    /// Looks at a pressure file. None at the first look, and where the kernel does not say.
    pub(super) fn sample(&mut self, file: &Path, now: Instant) -> Option<f64> {
        let total = std::fs::read_to_string(file)
            .ok()
            .as_deref()
            .and_then(total);
        let last = std::mem::replace(&mut self.last, total.map(|total| (now, total)));
        let ((before, from), to) = (last?, total?);
        let time = now.saturating_duration_since(before).as_micros() as f64;
        // Totals of a cgroup made anew begin at zero again.
        let waited = to.checked_sub(from)? as f64;
        (time > 0.0).then(|| (waited / time).min(1.0))
    }
}

/// Microseconds of the line `some avg10=… avg60=… avg300=… total=N`.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let word = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("total="))?;
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_of_some() {
        let text = "some avg10=1.00 avg60=2.00 avg300=3.00 total=456\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        assert_eq!(total(text), Some(456));
        assert_eq!(total("full avg10=0.00 total=7\n"), None);
        assert_eq!(total("some avg10=0.00 total=x\n"), None);
    }
}
