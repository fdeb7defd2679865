// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bench`: instructions per packet, of IPVS and of smplb in one run, what engines
//! share, and the time the pure core takes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{ensure, Context, Result};
use serde::Serialize;

use crate::cache::Cache;
use crate::kernel;
use crate::progress::say;
use crate::repo::Repo;
use crate::run::run;
use crate::scenario::Scenario;
use crate::vm::{self, End, Job, Machine, Sink};
use crate::{build, setup};

mod channel;
mod profile;
mod report;
mod scaling;
mod symbols;
mod windows;

/// The scripts in the guest. Each writes a file with its name and this ending:
/// one JSON object a line.
const SCRIPTS: &[&str] = &["bench", "bench-native"];
/// One more, that a plugin of QEMU watches.
const SCALING: &str = "bench-scaling";
/// And one that runs with the plugin and without.
const CHANNEL: &str = "bench-channel";
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

/// Measures, and writes `target/bench/report.json`, `scaling.json`, `channel.json` and
/// `report.md`.
pub fn main(args: &Args) -> Result<ExitCode> {
    let repo = Repo::open()?;
    let cache = Cache::open()?;
    setup::install(&cache)?;
    let kernel = kernel::ready(&repo, &cache, &args.kernel)?;
    build::module(&repo, &kernel)?;
    build::userspace(&repo)?;

    let dir = repo.target("bench");
    let guest = Guest {
        repo: &repo,
        cache: &cache,
        kernel: &kernel,
        dir: &dir,
    };
    let mut lines = String::new();
    for name in SCRIPTS {
        match guest.run(name, Counts::Time)? {
            Ok(results) => lines.push_str(&fs::read_to_string(results)?),
            Err(end) => return Ok(ExitCode::from(end.code())),
        }
    }
    let report = report::Report::from_lines(&lines)?;
    guest.write_json("report.json", report.rows())?;
    let mut markdown = report.markdown();
    if vm::has_plugins()? {
        match guest.run(SCALING, Counts::Lines)? {
            Ok(results) => {
                let rows = scaling::read(&dir, &results)?;
                guest.write_json("scaling.json", &rows)?;
                fs::write(dir.join("scaling.txt"), scaling::places(&rows))?;
                fs::write(dir.join("profile.txt"), scaling::profiles(&rows))?;
                markdown.push_str(&scaling::markdown(&rows));
                markdown.push_str(&format!("\n{}", scaling::profiles(&rows)));
            }
            Err(end) => return Ok(ExitCode::from(end.code())),
        }
        let mut runs = Vec::new();
        for counts in [Counts::Nothing, Counts::Lines] {
            match guest.run(CHANNEL, counts)? {
                Ok(results) => runs.push(fs::read_to_string(results)?),
                Err(end) => return Ok(ExitCode::from(end.code())),
            }
        }
        let rows = channel::read(&runs[0], &runs[1], &dir)?;
        guest.write_json("channel.json", &rows)?;
        markdown.push_str(&channel::markdown(&rows));
    } else {
        say("this QEMU has no plugins: what engines share and what applications cost is not measured");
    }
    fs::write(dir.join("report.md"), &markdown)?;
    print!("{markdown}");
    say(&format!("written to {}", dir.join("report.json").display()));

    if !args.vm_only && repo.path("userspace/smplb-core/benches").is_dir() {
        run(build::cargo(&repo).args(["bench", "--package", "smplb-core"]))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a VM counts.
#[derive(Clone, Copy, PartialEq)]
enum Counts {
    Nothing,
    /// Its clock counts instructions.
    Time,
    /// The plugin counts them, and cache lines.
    Lines,
}

/// What the scripts run in.
struct Guest<'a> {
    repo: &'a Repo,
    cache: &'a Cache,
    kernel: &'a kernel::Kernel,
    dir: &'a Path,
}

impl Guest<'_> {
    /// Writes measurements as a list of objects.
    fn write_json(&self, name: &str, rows: &[impl Serialize]) -> Result<()> {
        let json = serde_json::to_string_pretty(rows)? + "\n";
        Ok(fs::write(self.dir.join(name), json)?)
    }

    /// Runs a script in a VM of its own. Returns where its results are, or how it
    /// ended.
    fn run(&self, name: &str, counts: Counts) -> Result<Result<PathBuf, End>> {
        let results = self.dir.join(name).with_extension(RESULTS);
        if results.exists() {
            fs::remove_file(&results)?;
        }
        let bench = Scenario::named(self.repo, name)?;
        let machine = Machine {
            icount: counts == Counts::Time,
            lines: counts == Counts::Lines,
            ..bench.machine()?
        };
        let job = Job {
            kernel: self.kernel,
            machine: &machine,
            out: self.dir.to_owned(),
            command: &[self.repo.path(&bench.path).display().to_string()],
            cwd: self.repo.root(),
        };
        let end = vm::run(self.repo, self.cache, &job, Sink::Pass)?;
        if end != End::Exit(0) {
            return Ok(Err(end));
        }
        let measured = fs::metadata(&results)
            .with_context(|| format!("{} left no {}", bench.path, results.display()))?;
        ensure!(measured.len() > 0, "{} measured nothing", bench.path);
        Ok(Ok(results))
    }
}
