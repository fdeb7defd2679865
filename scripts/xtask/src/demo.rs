// SPDX-License-Identifier: MIT OR Apache-2.0
//! `demo`: the main job, shown.

use std::process::ExitCode;

use anyhow::Result;

use crate::cache::Cache;
use crate::kernel;
use crate::repo::Repo;
use crate::scenario::Scenario;
use crate::vm::{self, Job, Sink};
use crate::{build, setup};

/// Arguments of `demo`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    kernel: kernel::Choice,
}

/// Makes all that is missing, and runs it.
pub fn main(args: &Args) -> Result<ExitCode> {
    let repo = Repo::open()?;
    let cache = Cache::open()?;
    setup::install(&cache)?;
    let kernel = kernel::ready(&repo, &cache, &args.kernel)?;
    build::module(&repo, &kernel)?;
    build::userspace(&repo)?;
    let demo = Scenario::named(&repo, "demo")?;
    let job = Job {
        kernel: &kernel,
        machine: &demo.machine()?,
        out: repo.target("demo"),
        command: &[repo.path(&demo.path).display().to_string()],
        cwd: repo.root(),
    };
    Ok(ExitCode::from(
        vm::run(&repo, &cache, &job, Sink::Pass)?.code(),
    ))
}
