// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which HTTP statuses pass.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A set of HTTP statuses, written like `200-299,301`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// Whether `status` is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

/// As HAProxy has it: anything that is no error.
impl Default for Statuses {
    fn default() -> Self {
        Self(vec![200..=399])
    }
}

impl FromStr for Statuses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ranges = text.split(',').map(|range| {
            let range = range.trim();
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let range: Option<RangeInclusive<u16>> = first
                .parse()
                .ok()
                .and_then(|first| Some(first..=last.parse().ok()?));
            range.filter(|range| !range.is_empty() && *range.start() >= 100 && *range.end() <= 599)
        });
        ranges.collect::<Option<_>>().map(Self).ok_or_else(|| {
            format!("status = {text:?}: statuses of 100 to 599 are wanted, as in \"200-299,301\"")
        })
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_single_ones() {
        let statuses: Statuses = "200-299, 301".parse().unwrap();
        for (status, inside) in [
            (199, false),
            (200, true),
            (299, true),
            (300, false),
            (301, true),
        ] {
            assert_eq!(statuses.contains(status), inside, "{status}");
        }
        assert_eq!(statuses.to_string(), "200-299,301");
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for wrong in [
            "",
            "2xx",
            "99",
            "600",
            "299-200",
            "200-",
            "-200",
            "200,,301",
            "200-299-301",
        ] {
            assert!(wrong.parse::<Statuses>().is_err(), "{wrong:?}");
        }
    }
}
