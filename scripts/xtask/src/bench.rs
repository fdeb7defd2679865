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
/// More of them, that a plugin of QEMU watches.
const DEDICATED: &str = "bench-dedicated";
const SCALING: &str = "bench-scaling";
/// And one that runs with the plugin and without.
const CHANNEL: &str = "bench-channel";
const RESULTS: &str = "jsonl";

/// What is measured.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Part {
    /// Instructions per packet, over driver netdev and over native ports
    Packets,
    /// The same of a NAT hit, each system on a CPU of its own
    Dedicated,
    /// What engines share
    Engines,
    /// Round trips of applications
    Applications,
    /// The pure core, by criterion
    Core,
}

/// Arguments of `bench`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    kernel: kernel::Choice,
    /// Measure this alone
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// Leave out the criterion benches of the pure core
    #[arg(long, conflicts_with = "only")]
    vm_only: bool,
}

impl Args {
    fn wants(&self, part: Part) -> bool {
        match self.only {
            Some(only) => only == part,
            None => part != Part::Core || !self.vm_only,
        }
    }
}

/// What a part has to say, or how its VM ended.
type Told = Result<Result<String, End>>;

/// Measures, and writes `target/bench/report.json`, `dedicated.json`, `scaling.json`,
/// `channel.json` and `report.md`.
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
    let has_plugins = vm::has_plugins()?;
    let mut markdown = String::new();
    let parts: [(Part, &dyn Fn() -> Told); 4] = [
        (Part::Packets, &|| guest.packets()),
        (Part::Dedicated, &|| guest.dedicated()),
        (Part::Engines, &|| guest.engines()),
        (Part::Applications, &|| guest.applications()),
    ];
    for (part, measure) in parts {
        if !args.wants(part) {
            continue;
        }
        if part != Part::Packets && !has_plugins {
            say("this QEMU has no plugins: CPUs of their own, what engines share and what applications cost is not measured");
            break;
        }
        match measure()? {
            Ok(told) => markdown.push_str(&told),
            Err(end) => return Ok(ExitCode::from(end.code())),
        }
    }
    if !markdown.is_empty() {
        fs::write(dir.join("report.md"), &markdown)?;
        print!("{markdown}");
        say(&format!("written to {}", dir.join("report.md").display()));
    }
    if args.wants(Part::Core) && repo.path("userspace/smplb-core/benches").is_dir() {
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
    /// Both do.
    Both,
}

/// What the scripts run in.
struct Guest<'a> {
    repo: &'a Repo,
    cache: &'a Cache,
    kernel: &'a kernel::Kernel,
    dir: &'a Path,
}

impl Guest<'_> {
    /// Of IPVS, XDP and smplb, by the clock of the VM.
    fn packets(&self) -> Told {
        let mut lines = String::new();
        for name in SCRIPTS {
            match self.run(name, Counts::Time)? {
                Ok(results) => lines.push_str(&fs::read_to_string(results)?),
                Err(end) => return Ok(Err(end)),
            }
        }
        let report = report::Report::from_lines(&lines)?;
        self.write_json("report.json", report.rows())?;
        Ok(Ok(report.markdown()))
    }

    /// Of IPVS and smplb, by the plugin. Time is instructions, and thus ticks are few, as they are where
    /// a packet takes no longer.
    fn dedicated(&self) -> Told {
        self.windows(
            DEDICATED,
            Counts::Both,
            "dedicated.json",
            "profile.txt",
            |rows| Ok(scaling::compared(rows)),
        )
    }

    /// With one engine and with several, by the plugin.
    fn engines(&self) -> Told {
        self.windows(
            SCALING,
            Counts::Lines,
            "scaling.json",
            "profile-flows.txt",
            |rows| {
                fs::write(self.dir.join("scaling.txt"), scaling::places(rows))?;
                Ok(scaling::markdown(rows))
            },
        )
    }

    /// Runs a script whose windows the plugin counts, and writes `json` and functions by instructions to
    /// `profile`. Tells what `tell` makes of the rows, and these functions.
    fn windows(
        &self,
        name: &str,
        counts: Counts,
        json: &str,
        profile: &str,
        tell: impl FnOnce(&[scaling::Row]) -> Result<String>,
    ) -> Told {
        let results = match self.run(name, counts)? {
            Ok(results) => results,
            Err(end) => return Ok(Err(end)),
        };
        let rows = scaling::read(self.dir, &results)?;
        self.write_json(json, &rows)?;
        let profiles = scaling::profiles(&rows);
        fs::write(self.dir.join(profile), &profiles)?;
        Ok(Ok(format!("{}\n{profiles}", tell(&rows)?)))
    }

    /// Of channels and their peers, by the plugin, and for times without it. When time is instructions,
    /// what executes them does not depend on how fast the host is; but those that always look would leave
    /// no time to others then.
    fn applications(&self) -> Told {
        let runs = [
            (Counts::Nothing, ""),
            (Counts::Lines, "look"),
            (Counts::Both, "sleep"),
        ];
        let (mut timed, mut counted) = (String::new(), Vec::new());
        for (counts, modes) in runs {
            let results = match self.run_with(CHANNEL, counts, &[("BENCH_MODES", modes)])? {
                Ok(results) => fs::read_to_string(results)?,
                Err(end) => return Ok(Err(end)),
            };
            match counts {
                Counts::Nothing => timed = results,
                _ => counted.extend(channel::counted(&results, self.dir)?),
            }
        }
        let rows = channel::rows(&timed, &counted)?;
        self.write_json("channel.json", &rows)?;
        Ok(Ok(channel::markdown(&rows)))
    }

    /// Writes measurements as a list of objects.
    fn write_json(&self, name: &str, rows: &[impl Serialize]) -> Result<()> {
        let json = serde_json::to_string_pretty(rows)? + "\n";
        Ok(fs::write(self.dir.join(name), json)?)
    }

    /// Runs a script in a VM of its own. Returns where its results are, or how it
    /// ended.
    fn run(&self, name: &str, counts: Counts) -> Result<Result<PathBuf, End>> {
        self.run_with(name, counts, &[])
    }

    /// The same, with something in its environment.
    fn run_with(
        &self,
        name: &str,
        counts: Counts,
        environment: &[(&str, &str)],
    ) -> Result<Result<PathBuf, End>> {
        let results = self.dir.join(name).with_extension(RESULTS);
        if results.exists() {
            fs::remove_file(&results)?;
        }
        let bench = Scenario::named(self.repo, name)?;
        let machine = Machine {
            icount: matches!(counts, Counts::Time | Counts::Both),
            lines: matches!(counts, Counts::Lines | Counts::Both),
            ..bench.machine()?
        };
        let mut command = vec!["env".to_owned()];
        let set = |(name, value): &(&str, &str)| format!("{name}={value}");
        command.extend(environment.iter().map(set));
        command.push(self.repo.path(&bench.path).display().to_string());
        let job = Job {
            kernel: self.kernel,
            machine: &machine,
            out: self.dir.to_owned(),
            command: &command,
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
