// SPDX-License-Identifier: MIT OR Apache-2.0
//! `test`: everything, from formatting to scenarios in the VM, counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{ensure, Result};

use crate::cache::Cache;
use crate::kernel::{self, Flavour, Kernel};
use crate::progress::say;
use crate::repo::Repo;
use crate::run::{capture, run};
use crate::scenario::{self, Scenario};
use crate::tally::Tally;
use crate::{build, codegen, setup};

mod guest;

/// Arguments of `test`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    kernel: kernel::Choice,
    /// Run only these scenarios of tests/vm, and nothing else
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Tests, and counts.
pub fn main(args: &Args) -> Result<ExitCode> {
    let repo = Repo::open()?;
    let cache = Cache::open()?;
    setup::install(&cache)?;
    let kernel = kernel::ready(&repo, &cache, &args.kernel)?;
    let mut tally = Tally::default();
    let all = args.only.is_empty();
    if all {
        source_checks(&repo, &kernel, &mut tally);
        user_space_tests(&repo, &mut tally)?;
    }
    let built = tally.check("build of smplb.ko and the tools", || {
        build::module(&repo, &kernel)?;
        build::userspace(&repo)
    });
    let scenarios = if all {
        Scenario::all(&repo)?
    } else {
        args.only
            .iter()
            .map(|name| Scenario::named(&repo, name))
            .collect::<Result<_>>()?
    };
    if !built {
        tally.fail("KUnit suites: not run");
        for scenario in &scenarios {
            tally.fail(format!("scenario {}: not run", scenario.name));
        }
        return Ok(tally.end());
    }
    let guest = guest::Guest {
        repo: &repo,
        cache: &cache,
        kernel: &kernel,
    };
    if guest.out().exists() {
        fs::remove_dir_all(guest.out())?;
    }
    if all {
        // What a debug kernel checks in such functions cannot be inline.
        if kernel.flavour == Flavour::Release {
            tally.check("the module calls no helper", || {
                build::no_helpers(&repo, &kernel)
            });
        }
        guest.kunit(&mut tally)?;
    }
    guest.scenarios(scenario::boots(scenarios), &mut tally)?;
    Ok(tally.end())
}

/// What needs no run: formatting, lints, generated files.
fn source_checks(repo: &Repo, kernel: &Kernel, tally: &mut Tally) {
    tally.check("rustfmt of the module", || module_format(repo, kernel));
    tally.check("cargo fmt", || {
        run(build::cargo(repo).args(["fmt", "--all", "--check"]))
    });
    tally.check("cargo clippy", || {
        let args = [
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ];
        run(build::cargo(repo).args(args))
    });
    // Lints do not depend on the kernel's configuration: once is enough.
    if kernel.flavour == Flavour::Release {
        tally.check("clippy of the module", || build::clippy(repo, kernel));
    }
    tally.check("generated netlink code", || {
        codegen::check(repo, kernel.source())
    });
}

fn module_format(repo: &Repo, kernel: &Kernel) -> Result<()> {
    let mut files = Vec::new();
    rust_files(&repo.path("rust"), &mut files)?;
    ensure!(!files.is_empty(), "there are no Rust files in rust/");
    run(kernel
        .toolchain
        .rustfmt()
        .args(["--edition", "2021", "--check"])
        .args(files))
}

fn rust_files(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !dir.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// `cargo test`, each of its tests counted.
fn user_space_tests(repo: &Repo, tally: &mut Tally) -> Result<()> {
    say("cargo test");
    let mut cargo = build::cargo(repo);
    cargo
        .args(["test", "--workspace", "--no-fail-fast"])
        .stderr(std::process::Stdio::inherit());
    let output = capture(&mut cargo)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (passed, failed) = results(&text);
    tally.add_passed(passed);
    for name in &failed {
        tally.fail(format!("cargo test {name}"));
    }
    if !output.status.success() {
        print!("{text}");
        if failed.is_empty() {
            tally.fail("cargo test: did not build or run");
        }
    }
    say(&format!(
        "cargo test: {passed} passed, {} failed",
        failed.len()
    ));
    Ok(())
}

/// The number that passed, and the names of those that did not.
fn results(text: &str) -> (usize, Vec<String>) {
    let mut passed = 0;
    let mut failed = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("test result: ") {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let at = words.iter().position(|word| *word == "passed;");
            passed += at
                .and_then(|at| words[at - 1].parse::<usize>().ok())
                .unwrap_or(0);
        } else if let Some(name) = line.strip_prefix("test ") {
            failed.extend(name.strip_suffix(" ... FAILED").map(str::to_owned));
        }
    }
    (passed, failed)
}

#[cfg(test)]
mod tests {
    use super::results;

    #[test]
    fn reads_the_sums_of_cargo_test() {
        let text = "test a ... ok\ntest b::c ... FAILED\n\
                    test result: FAILED. 1 passed; 1 failed; 0 ignored\n\
                    test result: ok. 12 passed; 0 failed; 0 ignored\n";
        assert_eq!(results(text), (13, vec!["b::c".to_owned()]));
    }
}
