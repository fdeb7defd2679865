// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tests in the VM: KUnit suites, and the scenarios of `tests/vm`.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::cache::Cache;
use crate::kernel::{Flavour, Kernel};
use crate::ktap;
use crate::progress::say;
use crate::repo::Repo;
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::vm::{self, End, Job, Machine, Sink};

/// The runner in the guest.
const RUNNER: &str = "scripts/vm/run-scenarios";
/// The kernel log it leaves after the module was loaded once.
const KUNIT_LOG: &str = "kunit.log";

/// What the tests run in.
pub struct Guest<'a> {
    /// The clone.
    pub repo: &'a Repo,
    /// The cache.
    pub cache: &'a Cache,
    /// A kernel for which all is built.
    pub kernel: &'a Kernel,
}

impl Guest<'_> {
    /// The KUnit suites, which have a boot of their own: whether they run when
    /// the module is loaded is decided on the kernel's command line.
    pub fn kunit(&self, tally: &mut Tally) -> Result<()> {
        let machine = Machine {
            append: Some("kunit.enable=1 kunit.autorun=1".to_owned()),
            timeout: 600,
            ..Machine::from_words(&[])?
        };
        let before = tally.failures();
        let (end, _) = self.run(&machine, &["--kunit".to_owned(), KUNIT_LOG.to_owned()])?;
        self.count_suites(tally)?;
        if end != End::Exit(0) && tally.failures() == before {
            tally.fail(format!("the VM of the KUnit suites ({end:?})"));
        }
        Ok(())
    }

    /// The scenarios, those of one boot together.
    pub fn scenarios(&self, boots: Vec<Vec<Scenario>>, tally: &mut Tally) -> Result<()> {
        for mut left in boots {
            // A guest that dies takes one scenario with it, not those after it.
            while !left.is_empty() {
                left = self.boot(left, tally)?;
            }
        }
        Ok(())
    }

    /// One boot. Returns the scenarios it did not come to.
    fn boot(&self, scenarios: Vec<Scenario>, tally: &mut Tally) -> Result<Vec<Scenario>> {
        if let Some(reason) = scenarios[0].machine()?.missing() {
            for (number, scenario) in (1..).zip(&scenarios) {
                println!("ok {number} - {} # SKIP {reason}", scenario.name);
                tally.skip(&format!("scenario {}", scenario.name), &reason);
            }
            return Ok(Vec::new());
        }
        let limit = self.limit();
        let timeout = 600 + limit * scenarios.len() as u64;
        let machine = Machine {
            timeout,
            ..scenarios[0].machine()?
        };
        let mut args = vec!["--timeout".to_owned(), limit.to_string()];
        args.extend(
            scenarios
                .iter()
                .map(|s| self.repo.path(&s.path).display().to_string()),
        );

        let before = tally.failures();
        let (end, lines) = self.run(&machine, &args)?;
        let names: Vec<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
        let ran = lines.count(&names, tally);
        if !matches!(end, End::Exit(0 | 1)) && tally.failures() == before {
            // Nothing above stands for what went wrong.
            tally.fail(match end {
                End::Exit(99) => "the kernel's reports at the end".to_owned(),
                end => format!("the VM ({end:?})"),
            });
        }
        let rest = scenarios.into_iter().skip(ran);
        if ran > 0 && !matches!(end, End::Exit(_)) {
            return Ok(rest.collect());
        }
        for scenario in rest {
            tally.fail(format!("scenario {}: no result", scenario.name));
        }
        Ok(Vec::new())
    }

    /// Boots the runner.
    fn run(&self, machine: &Machine, args: &[String]) -> Result<(End, Lines)> {
        let mut command = vec![self.repo.path(RUNNER).display().to_string()];
        command.extend_from_slice(args);
        let job = Job {
            kernel: self.kernel,
            machine,
            out: self.out(),
            command: &command,
            cwd: self.repo.root(),
        };
        let mut lines = Lines::default();
        let mut take = |bytes: &[u8]| lines.take(bytes);
        let end = vm::run(self.repo, self.cache, &job, Sink::Call(&mut take))?;
        Ok((end, lines))
    }

    /// Every suite of the module must have run, to its end.
    fn count_suites(&self, tally: &mut Tally) -> Result<()> {
        let log = fs::read(self.out().join(KUNIT_LOG)).unwrap_or_default();
        let suites = ktap::parse(&String::from_utf8_lossy(&log));
        let expected = ktap::expected(&self.repo.path("rust"))?;
        let mut passed = 0;
        for name in &expected {
            let Some(suite) = suites.iter().find(|suite| &suite.name == name) else {
                tally.fail(format!("KUnit suite {name}: did not run"));
                continue;
            };
            let good = suite.cases.iter().filter(|(_, good)| *good).count();
            passed += good;
            tally.add_passed(good);
            for (case, _) in suite.cases.iter().filter(|(_, good)| !good) {
                tally.fail(format!("KUnit {name}.{case}"));
            }
            if !suite.complete() {
                tally.fail(format!("KUnit suite {name}: incomplete"));
            }
            if good < suite.cases.len() || !suite.complete() {
                print!("{}", suite.log);
            }
        }
        say(&format!(
            "KUnit: {passed} cases passed, {} suites",
            expected.len()
        ));
        if expected.is_empty() {
            tally.fail("KUnit: the module has no suites");
        }
        Ok(())
    }

    /// Where the guest leaves its logs.
    pub fn out(&self) -> PathBuf {
        self.repo.target("test").join(self.kernel.flavour.name())
    }

    /// Seconds for one scenario.
    fn limit(&self) -> u64 {
        match self.kernel.flavour {
            Flavour::Release => 600,
            Flavour::Debug => 1500,
        }
    }
}

/// The runner's output, shown as it comes.
#[derive(Default)]
struct Lines {
    text: String,
    partial: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) {
        self.partial.extend(bytes);
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let rest = self.partial.split_off(end + 1);
        let text = String::from_utf8_lossy(&self.partial).into_owned();
        print!("{text}");
        self.text.push_str(&text);
        self.partial = rest;
    }

    /// Counts the results of the scenarios and returns to how many it came: in
    /// their order, and with the one during which the guest died.
    fn count(&self, names: &[&str], tally: &mut Tally) -> usize {
        let mut ran = 0;
        for (number, name) in (1..).zip(names) {
            // What is behind the name, if there is such a line.
            let find = |word: &str| {
                let start = format!("{word} {number} - {name}");
                let mut rests = self
                    .text
                    .lines()
                    .filter_map(|line| line.strip_prefix(&start));
                rests.find(|rest| rest.is_empty() || rest.starts_with(' '))
            };
            let full = format!("scenario {name}");
            if let Some(rest) = find("ok") {
                match rest.split_once("# SKIP ") {
                    Some((_, reason)) => tally.skip(&full, reason),
                    None => tally.pass(),
                }
            } else if find("not ok").is_some() {
                tally.fail(full);
            } else if self
                .text
                .lines()
                .any(|line| line == format!("# running {name}"))
            {
                tally.fail(format!("scenario {name}: ended the guest"));
            } else {
                break;
            }
            ran += 1;
        }
        ran
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_results_up_to_the_death_of_the_guest() {
        let mut lines = Lines::default();
        lines.take(b"1..4\n# running a\nok 1 - a # 3 s\n# running b\nnot o");
        lines.take(b"k 2 - b\n# running c\nok 3 - cc\n");
        let mut tally = Tally::default();
        assert_eq!(lines.count(&["a", "b", "c", "d"], &mut tally), 3);
        assert_eq!(tally.failures(), 2);
    }

    #[test]
    fn what_is_skipped_is_neither_good_nor_bad() {
        let mut lines = Lines::default();
        lines.take(b"1..2\nok 1 - a # SKIP no such thing\nok 2 - b # 3 s\n");
        let mut tally = Tally::default();
        assert_eq!(lines.count(&["a", "b"], &mut tally), 2);
        assert_eq!((tally.failures(), tally.skipped()), (0, 1));
    }
}
