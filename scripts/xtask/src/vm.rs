// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vm run`: one command as root in a virtual machine that has the host's root
//! as its own, read-only below an overlay in memory.

mod accel;
mod generator;
mod initramfs;
mod qemu;
mod quiet;
mod taps;
mod watch;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure, Context, Result};
use clap::{Parser, Subcommand};

use crate::cache::Cache;
use crate::kernel;
use crate::modules::{self, Modules};
use crate::progress::say;
use crate::repo::Repo;
pub use accel::Accel;
use generator::Generator;
pub use qemu::has_plugins;
pub use watch::{End, Sink};

/// What can be done with the VM.
#[derive(Subcommand)]
pub enum Verb {
    /// Boot it, run a command in it as root, and return its exit code
    Run(RunArgs),
}

/// The machine.
#[derive(Clone, clap::Args)]
pub struct Machine {
    /// Processors [default: 3, and 1 with --icount]
    #[arg(long, value_name = "N")]
    pub smp: Option<u32>,
    /// Memory [default: 2G, and 4G for the debug kernel]
    #[arg(long, value_name = "SIZE")]
    pub mem: Option<String>,
    /// What executes the guest's instructions
    #[arg(long, value_enum, default_value = "auto")]
    pub accel: Accel,
    /// Count instructions: the guest's nanoseconds are the instructions that its
    /// processors have executed, in turn if there are several
    #[arg(long)]
    pub icount: bool,
    /// Add a NIC of this model (virtio, e1000e, …), which may have options of
    /// QEMU's behind commas. Two by two they are cabled to each other: eth0 with
    /// eth1, eth2 with eth3, …
    #[arg(long, value_name = "MODEL")]
    pub nic: Vec<String>,
    /// Cable eth0, eth2, … to generators of frames on the host and eth1, eth3, …
    /// to sinks; see tests/vm/generator.sh
    #[arg(long)]
    pub generator: bool,
    /// Cable the NICs by tap devices with so many queues each, in a network
    /// namespace of QEMU's own. A virtio NIC has them with the options
    /// mq=on,vectors=N, N being two for each and two more
    #[arg(long, value_name = "QUEUES", conflicts_with = "generator",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(taps::MOST)))]
    pub tap: Option<u32>,
    /// Have the plugin of scripts/lines count the instructions of each processor
    /// and the cache lines they share, in the windows that tests/vm/window.sh
    /// opens, and write them to `lines` in the directory of --out
    #[arg(long)]
    pub lines: bool,
    /// Add an IOMMU. A virtio NIC is behind it with the option iommu_platform=on
    #[arg(long)]
    pub iommu: bool,
    /// Have no more of the host's root than scenarios need, in memory, so that the
    /// machine can sleep; nothing is written to --out
    #[arg(long)]
    pub ram: bool,
    /// Add to the kernel's command line
    #[arg(long, value_name = "STR", allow_hyphen_values = true)]
    pub append: Option<String>,
    /// Add an argument to QEMU's command line
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub qemu_arg: Vec<String>,
    /// Kill the guest after this time; the exit code is then 124
    #[arg(long, value_name = "SECS", default_value_t = 1800)]
    pub timeout: u64,
    /// Do not fail with exit code 99 when the kernel reports a bug of its own
    #[arg(long)]
    pub allow_warn: bool,
}

/// Arguments of `vm run`.
#[derive(clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    kernel: kernel::Choice,
    #[command(flatten)]
    machine: Machine,
    /// A directory of the host that the guest can write, at /run/smplb-out
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

/// Everything one boot needs.
pub struct Job<'a> {
    /// Which kernel, built before.
    pub kernel: &'a kernel::Kernel,
    /// The machine.
    pub machine: &'a Machine,
    /// What the guest can write, as `$SMPLB_OUT`.
    pub out: PathBuf,
    /// What to run.
    pub command: &'a [String],
    /// Where to run it.
    pub cwd: &'a Path,
}

/// Runs the command with what has been built already.
pub fn main(args: &RunArgs) -> Result<ExitCode> {
    let repo = Repo::open()?;
    let cache = Cache::open()?;
    let kernel = kernel::built(&repo, &cache, &args.kernel)?;
    let job = Job {
        kernel: &kernel,
        machine: &args.machine,
        out: args.out.clone().unwrap_or_else(|| repo.target("vm-out")),
        command: &args.command,
        cwd: &env::current_dir()?,
    };
    if let Some(reason) = job.machine.missing() {
        bail!(reason);
    }
    let end = run(&repo, &cache, &job, Sink::Pass)?;
    Ok(ExitCode::from(end.code()))
}

/// Boots, runs, and tells how it ended.
pub fn run(repo: &Repo, cache: &Cache, job: &Job<'_>, mut sink: Sink<'_>) -> Result<End> {
    let modules = modules::assemble(repo, job.kernel)?;
    if !modules.has_smplb {
        say("smplb.ko is not built for this kernel: the guest goes without");
    }
    let accel = accel::choose(repo, cache, job, &modules)?;
    let mut end = boot(repo, job, &modules, accel, &mut sink)?;
    if end == End::Crashed {
        // QEMU 7.2 does now and then, while the guest looks for its devices.
        say("QEMU crashed before the guest said anything: once more");
        end = boot(repo, job, &modules, accel, &mut sink)?;
    }
    Ok(end)
}

/// One boot with a given accelerator.
fn boot(
    repo: &Repo,
    job: &Job<'_>,
    modules: &Modules,
    accel: Accel,
    sink: &mut Sink<'_>,
) -> Result<End> {
    let dir = Dir::make(repo)?;
    fs::create_dir_all(&job.out).with_context(|| format!("cannot make {}", job.out.display()))?;
    let out = job.out.canonicalize()?;
    let initramfs = dir.path().join("initramfs");
    let nics = qemu::nics(&job.machine.nic);
    initramfs::write(
        &initramfs,
        repo,
        &initramfs::Config {
            modules: &modules.dir,
            nics: &nics,
            cwd: job.cwd,
            keep: &[repo.root(), &repo.target(""), job.cwd, &modules.dir],
            ram: &match job.machine.ram {
                true => in_memory(repo, modules),
                false => Vec::new(),
            },
            path: &guest_path(repo),
            merge: watch::one_stream(sink),
            allow_warn: job.machine.allow_warn,
            command: job.command,
        },
    )?;
    let generator = match job.machine.generator {
        true => Some(Generator::start(dir.path(), nics.len().div_ceil(2))?),
        false => None,
    };
    let lines = repo.target("release").join(qemu::PLUGIN);
    let mut qemu = qemu::command(&qemu::Boot {
        kernel: &job.kernel.image(),
        initramfs: &initramfs,
        dir: dir.path(),
        out: &out,
        flavour: job.kernel.flavour,
        machine: job.machine,
        accel,
        nics: &nics,
        generator: generator.as_ref(),
        lines: job.machine.lines.then_some(lines.as_path()),
    })?;
    if let Some(queues) = job.machine.tap {
        qemu = taps::inside(nics.len(), queues, &qemu);
    }
    let end = watch::watch(qemu, dir.path(), job.machine.timeout, sink)?;
    fs::copy(
        dir.path().join("console.log"),
        repo.target("vm/console.log"),
    )
    .ok();
    Ok(end)
}

/// What a guest without the host's root has of ours: scenarios, and what they run.
fn in_memory(repo: &Repo, modules: &Modules) -> Vec<PathBuf> {
    vec![
        repo.path("tests/vm"),
        repo.path("scripts/vm"),
        repo.target("release/smplbctl"),
        modules.dir.clone(),
    ]
}

/// The guest's PATH: our tools, then what any Debian has.
fn guest_path(repo: &Repo) -> String {
    let ours = repo.target("release");
    format!(
        "{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ours.display()
    )
}

/// A directory of one boot, gone with it.
struct Dir(PathBuf);

impl Dir {
    fn make(repo: &Repo) -> Result<Self> {
        let all = repo.target("vm");
        fs::create_dir_all(&all)?;
        for entry in fs::read_dir(&all)? {
            let entry = entry?;
            let owner = entry.file_name().to_string_lossy().parse::<u32>();
            // Of a run that was killed.
            if owner.is_ok_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
                fs::remove_dir_all(entry.path()).ok();
            }
        }
        let dir = all.join(std::process::id().to_string());
        fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let text = dir.to_string_lossy();
        // QEMU's options are lists with commas.
        ensure!(
            !text.contains(','),
            "QEMU does not work in a directory named {text:?}"
        );
        Ok(Self(dir))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // Only litter is left when this fails.
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A machine as a command line of its own.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Words {
    #[command(flatten)]
    machine: Machine,
}

impl Machine {
    /// The machine of `vm run` with these options.
    pub fn from_words(words: &[String]) -> Result<Self> {
        Ok(Words::try_parse_from(words)?.machine)
    }

    /// Why this host cannot have the machine, in a line; nothing if it can.
    pub fn missing(&self) -> Option<String> {
        taps::missing(self.tap?)
    }
}
