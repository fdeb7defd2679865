// SPDX-License-Identifier: MIT OR Apache-2.0
//! `build`: smplb.ko for the VM's kernel, and the user space.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Result};

use crate::cache::Cache;
use crate::kernel::{self, Flavour, Kernel};
use crate::lock::Lock;
use crate::progress::{step, OBJECTS};
use crate::repo::Repo;
use crate::run::{command, read, run};

/// Arguments of `build`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    kernel: kernel::Choice,
    /// Only smplb.ko
    #[arg(long)]
    module_only: bool,
    /// Only lint the module
    #[arg(long)]
    clippy: bool,
}

/// Builds both, and the kernel when it is missing.
pub fn main(args: &Args) -> Result<()> {
    let repo = Repo::open()?;
    let kernel = kernel::ready(&repo, &Cache::open()?, &args.kernel)?;
    if args.clippy {
        return clippy(&repo, &kernel);
    }
    module(&repo, &kernel)?;
    println!("{}", module_file(&repo, kernel.flavour).display());
    if args.module_only {
        return Ok(());
    }
    userspace(&repo)
}

/// Where the module is after it was built.
pub fn module_file(repo: &Repo, flavour: Flavour) -> PathBuf {
    output(repo, flavour.name()).join("smplb.ko")
}

/// Builds the module outside the clone's tree, so that the two kernels do not
/// take turns in rebuilding it.
pub fn module(repo: &Repo, kernel: &Kernel) -> Result<()> {
    let name = kernel.flavour.name();
    let output = output(repo, name);
    let _lock = Lock::take(&output.with_extension("lock"))?;
    let log = output.with_extension("log");
    step(
        &format!("building smplb.ko ({name})"),
        &log,
        &mut make(repo, kernel, name),
        OBJECTS,
    )?;
    // Warnings are for whoever builds, not for a log nobody opens.
    let text = fs::read_to_string(&log)?;
    if text
        .lines()
        .any(|line| line.contains("warning:") || line.starts_with("WARNING:"))
    {
        eprintln!("{text}");
    }
    ensure!(
        module_file(repo, kernel.flavour).exists(),
        "make built no smplb.ko"
    );
    Ok(())
}

/// Fails if the module calls a Rust helper of the kernel: what C has inline costs
/// a call there.
pub fn no_helpers(repo: &Repo, kernel: &Kernel) -> Result<()> {
    let file = module_file(repo, kernel.flavour);
    let symbols = read(kernel.toolchain.nm().arg("--undefined-only").arg(file))?;
    let called: Vec<_> = symbols
        .lines()
        .filter(|line| line.contains("rust_helper_"))
        .collect();
    ensure!(
        symbols.contains("synchronize_rcu") && called.is_empty(),
        "the module calls {called:?}"
    );
    Ok(())
}

/// Builds it once more with clippy as the compiler, for its warnings.
pub fn clippy(repo: &Repo, kernel: &Kernel) -> Result<()> {
    let output = output(repo, "clippy");
    let _lock = Lock::take(&output.with_extension("lock"))?;
    follow(kernel, &output)?;
    let log = output.with_extension("log");
    let mut make = make(repo, kernel, "clippy");
    make.arg("CLIPPY=1");
    let built = step("kernel clippy", &log, &mut make, OBJECTS);
    let text = fs::read_to_string(&log)?;
    let warned = text.lines().any(|line| line.starts_with("warning:"));
    if warned || built.is_err() {
        // Else the next run would find it built, and say nothing.
        fs::remove_dir_all(&output)?;
    }
    built?;
    ensure!(!warned, "clippy has warnings:\n{text}");
    Ok(())
}

/// Starts afresh when the kernel was rebuilt: kbuild does not notice that the
/// Rust metadata changed.
fn follow(kernel: &Kernel, output: &Path) -> Result<()> {
    let stamp = output.join("kernel.stamp");
    let current = fs::read(kernel.stamp())?;
    if fs::read(&stamp).is_ok_and(|found| found == current) {
        return Ok(());
    }
    if output.exists() {
        fs::remove_dir_all(output)?;
    }
    fs::create_dir_all(output)?;
    fs::write(stamp, current)?;
    Ok(())
}

/// Builds the tools.
pub fn userspace(repo: &Repo) -> Result<()> {
    run(cargo(repo).args([
        "build",
        "--release",
        "--workspace",
        "--exclude",
        "xtask",
        "--quiet",
    ]))
}

/// The cargo that runs us, in the clone.
pub fn cargo(repo: &Repo) -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repo.root());
    cargo
}

fn make(repo: &Repo, kernel: &Kernel, name: &str) -> Command {
    let mut make = kernel.make();
    make.arg(format!("M={}", repo.root().display()))
        .arg(format!("MO={}", output(repo, name).display()))
        .arg("modules");
    make
}

fn output(repo: &Repo, name: &str) -> PathBuf {
    repo.target("kmod").join(name)
}
