// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bench`: instructions per packet, of IPVS and of smplb in one run, and the
//! time the pure core takes.

use std::fs;
use std::process::ExitCode;

use anyhow::{ensure, Context, Result};

use crate::cache::Cache;
use crate::kernel;
use crate::progress::say;
use crate::repo::Repo;
use crate::run::run;
use crate::scenario::Scenario;
use crate::vm::{self, End, Job, Machine, Sink};
use crate::{build, setup};

mod report;

/// The scripts in the guest. Each writes a file with its name and this ending:
/// one JSON object a line.
const SCRIPTS: &[&str] = &["bench", "bench-native"];
const RESULTS: &str = "jsonl";

/// Arguments of `bench`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    kernel: kernel::Choice,
    /// Leave out the criterion benches of the pure core
    #[arg(long)]
    vm_only: bool,
}

/// Measures, and writes `target/bench/report.json` and `report.md`.
pub fn main(args: &Args) -> Result<ExitCode> {
    let repo = Repo::open()?;
    let cache = Cache::open()?;
    setup::install(&cache)?;
    let kernel = kernel::ready(&repo, &cache, &args.kernel)?;
    build::module(&repo, &kernel)?;
    build::userspace(&repo)?;

    let dir = repo.target("bench");
    let mut lines = String::new();
    for name in SCRIPTS {
        let results = dir.join(name).with_extension(RESULTS);
        if results.exists() {
            fs::remove_file(&results)?;
        }
        let bench = Scenario::named(&repo, name)?;
        let machine = Machine {
            icount: true,
            ..bench.machine()?
        };
        let job = Job {
            kernel: &kernel,
            machine: &machine,
            out: dir.clone(),
            command: &[repo.path(&bench.path).display().to_string()],
            cwd: repo.root(),
        };
        let end = vm::run(&repo, &cache, &job, Sink::Pass)?;
        if end != End::Exit(0) {
            return Ok(ExitCode::from(end.code()));
        }
        let measured = fs::read_to_string(&results)
            .with_context(|| format!("{} left no {}", bench.path, results.display()))?;
        ensure!(
            !measured.trim().is_empty(),
            "{} measured nothing",
            bench.path
        );
        lines.push_str(&measured);
    }
    let report = report::Report::from_lines(&lines)?;
    fs::write(dir.join("report.json"), report.json()?)?;
    fs::write(dir.join("report.md"), report.markdown())?;
    print!("{}", report.markdown());
    say(&format!("written to {}", dir.join("report.json").display()));

    if !args.vm_only && repo.path("userspace/smplb-core/benches").is_dir() {
        run(build::cargo(&repo).args(["bench", "--package", "smplb-core"]))?;
    }
    Ok(ExitCode::SUCCESS)
}
