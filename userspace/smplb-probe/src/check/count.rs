// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many checks in a row make a change.

/// Counts checks that pass or fail in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    rise: u32,
    fall: u32,
    up: Option<bool>,
    /// Checks in a row that said otherwise.
    against: u32,
}

impl Count {
    /// Counts `rise` checks that pass until a server is up, `fall` that fail until it is down.
    pub fn new(rise: u32, fall: u32) -> Self {
        Self {
            rise,
            fall,
            up: None,
            against: 0,
        }
    }

    /// A check passed or failed. `Some` when the server is now up or down, and was not before.
    pub fn result(&mut self, passed: bool) -> Option<bool> {
        if self.up == Some(passed) {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let enough = if passed { self.rise } else { self.fall };
        // Nothing is known before the first check, so that one decides.
        if self.up.is_some() && self.against < enough {
            return None;
        }
        self.up = Some(passed);
        self.against = 0;
        self.up
    }

    /// The last checks were against what is held of the server.
    pub fn changing(&self) -> bool {
        self.against > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each check changes; `+` is one that passes.
    fn changes(rise: u32, fall: u32, checks: &str) -> String {
        let mut count = Count::new(rise, fall);
        let change = |check| match count.result(check == '+') {
            Some(true) => 'U',
            Some(false) => 'D',
            None if count.changing() => '?',
            None => '.',
        };
        checks.chars().map(change).collect()
    }

    #[test]
    fn the_first_check_decides() {
        assert_eq!(changes(2, 3, "+"), "U");
        assert_eq!(changes(2, 3, "-"), "D");
    }

    #[test]
    fn only_checks_in_a_row_change_it() {
        assert_eq!(changes(2, 3, "+---++"), "U??D?U");
        assert_eq!(changes(2, 3, "+--+--+---"), "U??.??.??D");
        assert_eq!(changes(2, 3, "-+-+-++-"), "D?.?.?U?");
    }

    #[test]
    fn one_may_be_enough() {
        assert_eq!(changes(1, 1, "+-+--+"), "UDUD.U");
    }
}
