// SPDX-License-Identifier: MIT OR Apache-2.0
//! Agents that say the same over and over while the switch sees their server being overrun.
//!
//! The same report twice proves nothing: some agents look at their server less often than they tell. But
//! open connections are counted by the switch itself, exact and fresh.

use std::time::Duration;

/// Reports like the one before that make an agent suspect.
const SAME: u32 = 2;
/// Fewer open connections are no crowd.
const CROWD: f64 = 10.0;
/// A crowd is so many times what is usual,
const MANY: f64 = 3.0;
/// and so many times what it is at the other servers.
const MORE: f64 = 2.0;
/// Seconds in which what is usual is learned.
const MEMORY: f64 = 30.0;

/// Whether an agent is stuck.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stuck {
    same: u32,
    /// Connections that are usually open, and when that was looked at last.
    usual: Option<(f64, Duration)>,
    on: bool,
}

impl Stuck {
    /// The agent told something: the same as before, or not. Whether it is not stuck any more.
    pub fn told(&mut self, same: bool) -> bool {
        self.same = if same { self.same.saturating_add(1) } else { 0 };
        let over = self.on && !same;
        self.on &= same;
        over
    }

    /// The switch counted open connections. While the agent repeats itself nothing is usual.
    pub fn counted(&mut self, open: u64, now: Duration) {
        if self.same > 0 {
            return;
        }
        let open = open as f64;
        let (usual, last) = self.usual.unwrap_or((open, now));
        let part = 1.0 - (-now.saturating_sub(last).as_secs_f64() / MEMORY).exp();
        self.usual = Some((usual + part * (open - usual), now));
    }

    /// Connections that are usually open.
    pub fn usual(&self) -> f64 {
        self.usual.map_or(0.0, |(usual, _)| usual)
    }

    /// Compares what is open with what is usual, here and at all servers.
    pub fn look(&mut self, open: u64, all_open: f64, all_usual: f64) {
        let (open, usual) = (open as f64, self.usual() + 1.0);
        let others = (all_open - open + 1.0) / (all_usual - self.usual() + 1.0);
        let crowd = open >= CROWD && open > MANY * usual && open / usual > MORE * others;
        self.on |= self.same >= SAME && crowd;
    }

    /// Whether it is.
    pub fn is_on(&self) -> bool {
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten connections for a minute, then these, with reports that are the same or not.
    fn after(open: u64, others: f64, same: [bool; 3]) -> bool {
        let mut stuck = Stuck::default();
        (0..60).for_each(|i| stuck.counted(10, Duration::from_secs(i)));
        for (i, same) in (60..).zip(same) {
            stuck.told(same);
            stuck.counted(open, Duration::from_secs(i));
        }
        stuck.look(open, others + open as f64, 30.0 + 10.0);
        stuck.is_on()
    }

    #[test]
    fn the_same_report_and_a_crowd_make_a_stuck_agent() {
        assert!(after(50, 30.0, [true; 3]));
        assert!(!after(20, 30.0, [true; 3]), "no crowd");
        assert!(!after(50, 150.0, [true; 3]), "a crowd everywhere");
        assert!(
            !after(50, 30.0, [true, true, false]),
            "it says something new"
        );
        assert!(!after(50, 30.0, [false, false, true]), "once is nothing");
    }

    #[test]
    fn it_ends_with_something_new() {
        let mut stuck = Stuck::default();
        stuck.counted(1, Duration::ZERO);
        stuck.told(true);
        stuck.told(true);
        stuck.look(100, 110.0, 10.0);
        assert!(stuck.is_on());
        assert!(!stuck.told(true) && stuck.is_on());
        assert!(stuck.told(false) && !stuck.is_on());
    }
}
