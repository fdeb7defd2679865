// SPDX-License-Identifier: MIT OR Apache-2.0
//! The results of KUnit suites, from a kernel log.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// One suite of the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases and whether each passed. Skipped ones are left out.
    pub cases: Vec<(String, bool)>,
    /// How many cases it announced.
    planned: usize,
    /// Skipped ones.
    skipped: usize,
    /// Its own result, absent when the kernel did not get that far.
    result: Option<bool>,
    /// What it printed.
    pub log: String,
}

impl Suite {
    /// Whether the suite as a whole is good, beside its cases: it came to its
    /// end, and all it announced was there and not skipped to the last.
    pub fn complete(&self) -> bool {
        self.result.is_some()
            && self.cases.len() + self.skipped == self.planned
            && !self.cases.is_empty()
    }
}

/// All suites of a kernel log, in order.
pub fn parse(log: &str) -> Vec<Suite> {
    let mut suites: Vec<Suite> = Vec::new();
    for line in log.lines() {
        let line = without_time(line);
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(name) = text.strip_prefix("# Subtest: ").filter(|_| indent == 4) {
            suites.push(Suite {
                name: name.trim().to_owned(),
                ..Suite::default()
            });
        }
        let Some(suite) = suites.last_mut().filter(|suite| suite.result.is_none()) else {
            continue;
        };
        suite.log.push_str(line);
        suite.log.push('\n');
        if indent == 4 {
            if let Some(count) = text.strip_prefix("1..") {
                suite.planned = count.trim().parse().unwrap_or(0);
            }
        }
        let Some((passed, name)) = result(text) else {
            continue;
        };
        match indent {
            0 if name == suite.name => suite.result = Some(passed),
            4 if text.contains("# SKIP") => suite.skipped += 1,
            4 => suite.cases.push((name.to_owned(), passed)),
            _ => {}
        }
    }
    suites
}

/// `ok 3 name # comment`.
fn result(text: &str) -> Option<(bool, &str)> {
    let (passed, rest) = match text.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("ok ")?),
    };
    let (number, name) = rest.split_once(' ')?;
    number.parse::<usize>().ok()?;
    let name = name.split(" # ").next().unwrap_or(name);
    Some((passed, name.trim_start_matches("- ").trim()))
}

/// Without the `[    1.234567] ` of the kernel log.
fn without_time(line: &str) -> &str {
    let rest = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "));
    match rest {
        Some((time, rest)) if time.trim().parse::<f64>().is_ok() => rest,
        _ => line,
    }
}

/// The names of the suites below a directory of Rust files: the argument of
/// every `kunit_tests(…)`. All of them must turn up in the log.
pub fn expected(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    if dir.is_dir() {
        collect(dir, &mut names)?;
    }
    names.sort();
    Ok(names)
}

fn collect(dir: &Path, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, names)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(suites_of(&fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn suites_of(source: &str) -> Vec<String> {
    source
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("#["))
        .filter_map(|line| line.split_once("kunit_tests(")?.1.split_once(')'))
        .map(|(name, _)| name.trim().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
[    3.1] smplb: loaded
[    3.2] KTAP version 1
[    3.2] 1..2
[    3.2]     KTAP version 1
[    3.2]     # Subtest: smplb_ring
[    3.2]     # module: smplb
[    3.2]     1..2
[    3.2]     ok 1 wraps
[    3.2]     # fills: ASSERTION FAILED at rust/core/ring.rs:12
[    3.2]     not ok 2 fills
[    3.2] # smplb_ring: pass:1 fail:1 skip:0 total:2
[    3.2] not ok 1 smplb_ring
[    3.2]     KTAP version 1
[    3.2]     # Subtest: smplb_wire
[    3.2]     1..3
[    3.2]     ok 1 parses
[    3.2]     ok 2 later # SKIP not here
";

    #[test]
    fn counts_cases_and_keeps_the_log() {
        let suites = parse(LOG);
        assert_eq!(
            suites[0].cases,
            [("wraps".to_owned(), true), ("fills".to_owned(), false)]
        );
        assert!(suites[0].complete());
        assert!(suites[0].log.contains("ASSERTION"));
    }

    #[test]
    fn a_suite_cut_short_is_not_complete() {
        let suites = parse(LOG);
        assert_eq!(suites[1].name, "smplb_wire");
        assert_eq!(suites[1].cases.len(), 1);
        assert!(!suites[1].complete());
    }

    #[test]
    fn finds_suites_in_attributes() {
        let source =
            "#[kunit_tests(smplb_a)]\n// kunit_tests(no)\n  #[cfg_attr(k, kunit_tests(smplb_b))]";
        assert_eq!(suites_of(source), ["smplb_a", "smplb_b"]);
    }
}
