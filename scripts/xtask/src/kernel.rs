// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kernel`: the kernel the VM runs, in two flavours, built once and kept in
//! the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{ensure, Context, Result};
use clap::ValueEnum;

use crate::cache::Cache;
use crate::lock::Lock;
use crate::progress::{step, NOTHING, OBJECTS};
use crate::repo::Repo;
use crate::run::read;
use crate::source::{self, Series, Source};
use crate::toolchain::Toolchain;

/// Which of the two kernels.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Flavour {
    /// Lean and fast: what is measured
    Release,
    /// KASAN, lockdep, kmemleak: finds what the other hides
    Debug,
}

impl Flavour {
    /// As in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }

    /// The configuration fragments, each over the one before it.
    fn fragments(self) -> &'static [&'static str] {
        match self {
            Self::Release => &["tests/kernel/release.config"],
            Self::Debug => &["tests/kernel/release.config", "tests/kernel/debug.config"],
        }
    }
}

/// Which kernel, for every verb that uses one.
#[derive(Clone, clap::Args)]
pub struct Choice {
    /// Which configuration
    #[arg(long, value_enum, default_value = "release")]
    pub kernel: Flavour,
    /// Of which series.
    #[command(flatten)]
    pub series: Series,
}

/// A built kernel.
pub struct Kernel {
    /// Which of the two.
    pub flavour: Flavour,
    /// What was built with.
    pub toolchain: Toolchain,
    source: Source,
    home: PathBuf,
}

/// Builds the kernel where it is not built.
pub fn main(args: &Choice) -> Result<()> {
    let kernel = ready(&Repo::open()?, &Cache::open()?, args)?;
    println!("{}", kernel.image().display());
    Ok(())
}

/// The kernel, fetched and built as far as it is not.
pub fn ready(repo: &Repo, cache: &Cache, args: &Choice) -> Result<Kernel> {
    let source = source::fetch(cache, &args.series.name(repo)?)?;
    let kernel = Kernel::new(cache, args.kernel, source)?;
    let _lock = Lock::take(&kernel.home.join(format!("{}.lock", args.kernel.name())))?;
    let stamp = kernel.wanted_stamp(repo)?;
    if fs::read_to_string(kernel.stamp()).is_ok_and(|found| found == stamp) {
        return Ok(kernel);
    }
    kernel.build(repo, cache)?;
    fs::write(kernel.stamp(), stamp)?;
    Ok(kernel)
}

/// The kernel as it was built last, without any look at whether it is current.
pub fn built(repo: &Repo, cache: &Cache, args: &Choice) -> Result<Kernel> {
    let series = args.series.name(repo)?;
    let hint = || {
        format!(
            "run `cargo xtask kernel --kernel {}` first",
            args.kernel.name()
        )
    };
    let source = source::cached(cache, &series)?.with_context(hint)?;
    let kernel = Kernel::new(cache, args.kernel, source)?;
    ensure!(
        kernel.stamp().exists(),
        "the kernel is not built: {}",
        hint()
    );
    Ok(kernel)
}

impl Kernel {
    fn new(cache: &Cache, flavour: Flavour, source: Source) -> Result<Self> {
        let home = cache.linux(&source.version);
        Ok(Self {
            flavour,
            toolchain: Toolchain::find(cache)?,
            source,
            home,
        })
    }

    /// The source tree.
    pub fn source(&self) -> &Path {
        &self.source.tree
    }

    /// The output directory of the build.
    pub fn objects(&self) -> PathBuf {
        self.home.join(self.flavour.name())
    }

    /// What QEMU boots.
    pub fn image(&self) -> PathBuf {
        self.objects().join("arch/x86/boot/bzImage")
    }

    /// The kernel's own modules, as installed below this root.
    pub fn modules(&self) -> PathBuf {
        self.home.join(format!("{}-modules", self.flavour.name()))
    }

    /// Exists when the build is complete; changes with each build.
    pub fn stamp(&self) -> PathBuf {
        self.objects().join("smplb.stamp")
    }

    /// What `uname -r` says in it.
    pub fn release(&self) -> Result<String> {
        let file = self.objects().join("include/config/kernel.release");
        let text = fs::read_to_string(&file);
        Ok(text
            .with_context(|| format!("cannot read {}", file.display()))?
            .trim()
            .to_owned())
    }

    /// A make in its build directory.
    pub fn make(&self) -> Command {
        self.toolchain.make(&self.source.tree, &self.objects())
    }

    /// Everything the build depends on, in full.
    fn wanted_stamp(&self, repo: &Repo) -> Result<String> {
        let mut stamp = format!(
            "linux {}\n{}",
            self.source.version,
            self.toolchain.versions()?
        );
        stamp.push_str(&self.fragments(repo)?);
        Ok(stamp)
    }

    fn fragments(&self, repo: &Repo) -> Result<String> {
        let mut merged = String::new();
        for file in self.flavour.fragments() {
            let text = fs::read_to_string(repo.path(file));
            merged.push_str(&text.with_context(|| format!("cannot read {file}"))?);
        }
        Ok(merged)
    }

    fn build(&self, repo: &Repo, cache: &Cache) -> Result<()> {
        let name = self.flavour.name();
        let log = |part: &str| cache.log(&format!("kernel-{name}-{part}"));
        fs::create_dir_all(self.objects())?;
        // Absent while what is there is half built.
        if self.stamp().exists() {
            fs::remove_file(self.stamp())?;
        }

        let fragments = self.fragments(repo)?;
        let merged = self.objects().join("smplb.config");
        fs::write(&merged, &fragments)?;
        let title = format!("configuring linux {} ({name})", self.source.version);
        let mut allnoconfig = self.make();
        allnoconfig
            .env("KCONFIG_ALLCONFIG", &merged)
            .arg("allnoconfig");
        step(&title, &log("config"), &mut allnoconfig, NOTHING)?;
        let config = fs::read_to_string(self.objects().join(".config"))?;
        let lost = lost_options(&fragments, &config);
        ensure!(
            lost.is_empty(),
            "this kernel's configuration does not take:\n  {}\n{}",
            lost.join("\n  "),
            read(self.make().arg("rustavailable"))
                .err()
                .map_or(String::new(), |e| e.to_string())
        );

        let jobs = thread::available_parallelism().map_or(1, |n| n.get());
        let title = format!("building linux {} ({name})", self.source.version);
        let mut make = self.make();
        make.arg(format!("-j{jobs}")).args(["bzImage", "modules"]);
        step(&title, &log("build"), &mut make, OBJECTS)?;

        let modules = self.modules();
        if modules.exists() {
            fs::remove_dir_all(&modules)?;
        }
        let mut install = self.make();
        install.args(["modules_install", "INSTALL_MOD_STRIP=1"]);
        install.arg(format!("INSTALL_MOD_PATH={}", modules.display()));
        step(
            "installing its modules",
            &log("modules"),
            &mut install,
            NOTHING,
        )?;
        fs::write(
            self.objects().join("smplb-toolchain.mk"),
            self.toolchain.makefile(),
        )?;
        Ok(())
    }
}

/// The lines of the fragments that did not survive into the configuration,
/// because something they depend on is missing. Later lines override earlier.
fn lost_options(fragments: &str, config: &str) -> Vec<String> {
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    for line in fragments.lines() {
        let option = match line.strip_prefix("# CONFIG_") {
            Some(rest) => rest.strip_suffix(" is not set").map(|name| (name, "n")),
            None => line
                .strip_prefix("CONFIG_")
                .and_then(|rest| rest.split_once('=')),
        };
        let Some((name, value)) = option else {
            continue;
        };
        wanted.retain(|(other, _)| *other != name);
        wanted.push((name, value));
    }
    let value_of = |name: &str| {
        let find = |line: &str| {
            let (found, value) = line.strip_prefix("CONFIG_")?.split_once('=')?;
            (found == name).then(|| value.to_owned())
        };
        config
            .lines()
            .find_map(find)
            .unwrap_or_else(|| "n".to_owned())
    };
    wanted
        .into_iter()
        .filter(|(name, value)| value_of(name) != *value)
        .map(|(name, value)| format!("CONFIG_{name}={value} (it is {})", value_of(name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::lost_options;

    #[test]
    fn finds_options_that_did_not_survive() {
        let fragments = "CONFIG_A=y\nCONFIG_B=m\n# comment\n# CONFIG_C is not set\nCONFIG_D=y\n";
        let config = "CONFIG_A=y\n# CONFIG_B is not set\n# CONFIG_C is not set\n";
        assert_eq!(
            lost_options(fragments, config),
            ["CONFIG_B=m (it is n)", "CONFIG_D=y (it is n)"]
        );
    }

    #[test]
    fn a_later_fragment_overrides() {
        let fragments = "CONFIG_A=y\nCONFIG_A=n\n";
        assert!(lost_options(fragments, "# CONFIG_A is not set\n").is_empty());
    }
}
