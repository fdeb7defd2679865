// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's source: the pinned series, from Debian's archive, in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};

use crate::apt;
use crate::cache::Cache;
use crate::lock::Lock;
use crate::progress::{say, step, NOTHING};
use crate::repo::Repo;
use crate::run::{command, read, run};

/// Where a series is looked for, nearest first. All hold the same source; which
/// of them have it changes as Debian moves on.
const SUITES: &[&str] = &[
    "trixie-backports",
    "bookworm-backports",
    "trixie",
    "forky",
    "sid",
];

/// The one place that pins the series.
const PIN: &str = "tests/kernel/series";

/// An unpacked kernel source.
pub struct Source {
    /// Such as `7.3.4`.
    pub version: String,
    /// The tree.
    pub tree: PathBuf,
}

/// Which series of the kernel.
#[derive(Clone, clap::Args)]
pub struct Series {
    /// The series of Debian's linux-source package [default: the pinned one]
    #[arg(long, value_name = "X.Y", env = "SMPLB_KERNEL_SERIES")]
    series: Option<String>,
}

impl Series {
    /// The one asked for, else the pinned one.
    pub fn name(&self, repo: &Repo) -> Result<String> {
        let series = match self.series.as_deref().filter(|text| !text.is_empty()) {
            Some(series) => series.to_owned(),
            None => fs::read_to_string(repo.path(PIN))
                .with_context(|| format!("cannot read {PIN}"))?
                .trim()
                .to_owned(),
        };
        ensure!(
            !series.is_empty() && series.chars().all(|c| c.is_ascii_digit() || c == '.'),
            "{series:?} is no kernel series; one looks like 7.3"
        );
        Ok(series)
    }
}

/// The newest unpacked source of the series in the cache.
pub fn cached(cache: &Cache, series: &str) -> Result<Option<Source>> {
    let prefix = format!("linux-{series}");
    let mut found = Vec::new();
    for entry in fs::read_dir(cache.root())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let Some(rest) = name.strip_prefix(&prefix) else {
            continue;
        };
        let tree = cache.root().join(&name).join("source");
        // `7.3` is not the series of 7.30.1.
        if (rest.is_empty() || rest.starts_with('.')) && tree.join("Makefile").exists() {
            found.push(Source {
                version: name["linux-".len()..].to_owned(),
                tree,
            });
        }
    }
    found.sort_by_key(|source| numbers(&source.version));
    Ok(found.pop())
}

/// The source of the series, fetched when the cache has none.
pub fn fetch(cache: &Cache, series: &str) -> Result<Source> {
    if let Some(source) = cached(cache, series)? {
        return Ok(source);
    }
    let _lock = Lock::take(&cache.root().join("source.lock"))?;
    if let Some(source) = cached(cache, series)? {
        return Ok(source);
    }
    let package = format!("linux-source-{series}");
    say(&format!("looking for {package} in Debian's archive"));
    let Some(deb) = apt::Archive::open(cache)?.download(&package, SUITES)? else {
        anyhow::bail!(
            "no Debian suite ({}) has {package} any more: name another series with \
             --series or SMPLB_KERNEL_SERIES",
            SUITES.join(", ")
        );
    };
    unpack(cache, &package, &deb)
}

/// Takes the tree out of the package, and names it by its version.
fn unpack(cache: &Cache, package: &str, deb: &Path) -> Result<Source> {
    let scratch = cache.root().join("unpack");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    fs::create_dir_all(&scratch)?;
    step(
        &format!("unpacking {package}"),
        &cache.log("unpack"),
        Command::new("sh")
            .args([
                "-ec",
                r#"dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$2.tar.xz" | tar -xJ"#,
            ])
            .args(["sh".as_ref(), deb.as_os_str(), package.as_ref()])
            .current_dir(&scratch),
        NOTHING,
    )?;
    let tree = scratch.join(package);
    let version = read(
        command("make")
            .args(["-s", "kernelversion"])
            .env_remove("MAKEFLAGS")
            .current_dir(&tree),
    )?;
    let version = version.trim().to_owned();
    let home = cache.linux(&version);
    fs::create_dir_all(&home)?;
    run(command("mv").arg("-T").arg(&tree).arg(home.join("source")))?;
    fs::remove_dir_all(&scratch)?;
    fs::remove_file(deb)?;
    Ok(Source {
        version,
        tree: home.join("source"),
    })
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}
