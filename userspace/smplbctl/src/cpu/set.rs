// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sets of CPUs, in the two forms the kernel has for them: lists (`0-3,8`) and masks
//! (`00000000,0000010f`).

use std::collections::BTreeSet;
use std::fmt;
use std::ops::{BitOr, Sub};
use std::str::FromStr;

/// More CPUs than any kernel is built for.
const LIMIT: u32 = 1 << 16;

/// A set of CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuSet(BTreeSet<u32>);

/// What is no set of CPUs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no list of CPUs, as 2-3,6 is")]
pub struct NoSet(String);

impl CpuSet {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `cpu` is in it.
    pub fn has(&self, cpu: u32) -> bool {
        self.0.contains(&cpu)
    }

    /// Whether something is in both.
    pub fn meets(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }

    /// Whether all of it is in `other`.
    pub fn within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The CPUs in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    /// Reads a mask of hexadecimal words of 32 bits.
    pub fn from_mask(text: &str) -> Result<Self, NoSet> {
        let wrong = || NoSet(text.trim().to_owned());
        let mut cpus = BTreeSet::new();
        for (word, first) in text.trim().rsplit(',').zip((0..LIMIT).step_by(32)) {
            let bits = u32::from_str_radix(word, 16).map_err(|_| wrong())?;
            cpus.extend(
                (0..32)
                    .filter(|bit| bits >> bit & 1 != 0)
                    .map(|n| first + n),
            );
        }
        Ok(Self(cpus))
    }

    /// A mask of hexadecimal words of 32 bits.
    pub fn to_mask(&self) -> String {
        let words = self.0.last().map_or(1, |last| last / 32 + 1);
        let word = |n: u32| {
            let bits = (0..32).filter(|bit| self.has(n * 32 + bit));
            bits.fold(0_u32, |word, bit| word | 1 << bit)
        };
        let words: Vec<_> = (0..words)
            .rev()
            .map(|n| format!("{:08x}", word(n)))
            .collect();
        words.join(",")
    }
}

impl FromIterator<u32> for CpuSet {
    fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> Self {
        Self(cpus.into_iter().collect())
    }
}

impl FromStr for CpuSet {
    type Err = NoSet;

    fn from_str(text: &str) -> Result<Self, NoSet> {
        let text = text.trim();
        let wrong = || NoSet(text.to_owned());
        let number = |word: &str| match word.parse::<u32>() {
            Ok(cpu) if cpu < LIMIT => Ok(cpu),
            _ => Err(wrong()),
        };
        let mut cpus = BTreeSet::new();
        for part in text.split(',').filter(|_| !text.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(wrong());
            }
            cpus.extend(first..=last);
        }
        Ok(Self(cpus))
    }
}

impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        let mut cpus = self.iter().peekable();
        while let Some(first) = cpus.next() {
            let mut last = first;
            while let Some(next) = cpus.next_if_eq(&(last + 1)) {
                last = next;
            }
            write!(f, "{comma}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            comma = ",";
        }
        Ok(())
    }
}

impl BitOr for &CpuSet {
    type Output = CpuSet;

    fn bitor(self, other: Self) -> CpuSet {
        CpuSet(&self.0 | &other.0)
    }
}

impl Sub for &CpuSet {
    type Output = CpuSet;

    fn sub(self, other: Self) -> CpuSet {
        CpuSet(&self.0 - &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> CpuSet {
        text.parse().unwrap()
    }

    #[test]
    fn lists() {
        for (text, shown) in [
            ("0-3,8\n", "0-3,8"),
            ("3,2,1", "1-3"),
            ("5", "5"),
            ("0-1,1-2", "0-2"),
            ("", ""),
            ("\n", ""),
        ] {
            assert_eq!(set(text).to_string(), shown, "{text:?}");
        }
        for text in [
            "a",
            "1-",
            "-1",
            "3-1",
            "1,,2",
            "0-4000000000",
            "65536",
            "+1-",
        ] {
            assert!(text.parse::<CpuSet>().is_err(), "{text}");
        }
        let error = "3-1".parse::<CpuSet>().unwrap_err().to_string();
        assert_eq!(error, "\"3-1\" is no list of CPUs, as 2-3,6 is");
    }

    #[test]
    fn masks() {
        for (mask, list, written) in [
            ("f\n", "0-3", "0000000f"),
            ("00000001,80000000", "31-32", "00000001,80000000"),
            ("0", "", "00000000"),
            ("00000000,00000006", "1-2", "00000006"),
        ] {
            let found = CpuSet::from_mask(mask).unwrap();
            assert_eq!(found.to_string(), list, "{mask:?}");
            assert_eq!(found.to_mask(), written, "{mask:?}");
        }
        assert!(CpuSet::from_mask("xyz").is_err());
        assert!(CpuSet::from_mask("").is_err());
    }

    #[test]
    fn unions_and_differences() {
        let (a, b) = (set("0-3"), set("2-5"));
        assert_eq!((&a | &b).to_string(), "0-5");
        assert_eq!((&a - &b).to_string(), "0-1");
        assert!(a.meets(&b) && !a.within(&b) && set("2").within(&a));
    }
}
