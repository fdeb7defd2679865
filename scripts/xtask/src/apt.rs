// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debian's packages: installing some, and downloading one from another suite.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{ensure, Context, Result};

use crate::cache::Cache;
use crate::progress::{say, step, NOTHING, PACKAGES};
use crate::run::{capture, command, read, run};

/// Debian's own keys.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Those of `packages` that are not installed.
pub fn missing<S: AsRef<str>>(packages: &[S]) -> Result<Vec<String>> {
    let names: Vec<&str> = packages.iter().map(AsRef::as_ref).collect();
    // Fails when any is unknown, which is no error here.
    let output = capture(
        command("dpkg-query")
            .args(["-W", "-f", "${Package} ${db:Status-Abbrev}\n"])
            .args(&names),
    )?;
    let text = String::from_utf8_lossy(&output.stdout);
    let installed = |name: &str| {
        text.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && words.next() == Some("ii")
        })
    };
    Ok(names
        .into_iter()
        .filter(|name| !installed(name))
        .map(str::to_owned)
        .collect())
}

/// Installs those of `packages` that are not installed.
pub fn install<S: AsRef<str>>(cache: &Cache, packages: &[S]) -> Result<()> {
    let missing = missing(packages)?;
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("installing {}", missing.join(" ")));
    let log = cache.log("apt");
    let install = || {
        step(
            "apt-get install",
            &log,
            as_root("apt-get")?
                .args([
                    "install",
                    "-y",
                    "--no-install-recommends",
                    "-o",
                    "Dpkg::Use-Pty=0",
                ])
                .args(&missing),
            PACKAGES,
        )
    };
    // Another source of the machine may be broken; ours may be fine, so only the
    // installation decides.
    if let Err(error) = step(
        "apt-get update",
        &log,
        as_root("apt-get")?.arg("update"),
        NOTHING,
    ) {
        eprintln!("{error:#}");
    }
    let Err(first) = install() else { return Ok(()) };
    eprintln!("{first:#}");
    say("trying once more, after repairing what was left half installed");
    step(
        "apt-get --fix-broken install",
        &log,
        as_root("apt-get")?.args(["--fix-broken", "install", "-y", "-o", "Dpkg::Use-Pty=0"]),
        PACKAGES,
    )?;
    install()
}

/// A command as root: as it is for root, with sudo for anyone else.
fn as_root(program: &str) -> Result<Command> {
    let mut command = if rustix::process::geteuid().is_root() {
        command(program)
    } else {
        ensure!(
            Path::new("/usr/bin/sudo").exists(),
            "packages are missing: run this as root once, or install sudo"
        );
        // With its own terminal, so that it can ask for the password.
        let mut sudo = Command::new("sudo");
        sudo.args(["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", program]);
        sudo
    };
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C");
    Ok(command)
}

/// Suites of Debian's archive beside those of the machine, without touching
/// the machine's own apt configuration.
pub struct Archive {
    dir: PathBuf,
    mirror: String,
}

impl Archive {
    /// Nothing is read yet.
    pub fn open(cache: &Cache) -> Result<Self> {
        let dir = cache.root().join("apt");
        for sub in ["lists/partial", "cache/archives/partial", "download"] {
            fs::create_dir_all(dir.join(sub))?;
        }
        Ok(Self {
            dir,
            mirror: mirror()?,
        })
    }

    /// Downloads a package from the first of `suites` that has it, or returns
    /// nothing when none has.
    pub fn download(&self, package: &str, suites: &[&str]) -> Result<Option<PathBuf>> {
        let mut read_one = false;
        for suite in suites {
            let line = format!("deb [signed-by={KEYS}] {} {suite} main\n", self.mirror);
            fs::write(self.dir.join("sources.list"), line)?;
            // A suite that is gone must not hide the others.
            if let Err(error) = self.update(suite) {
                eprintln!("{error:#}");
                continue;
            }
            read_one = true;
            let policy = read(
                command("apt-cache")
                    .args(self.options())
                    .args(["policy", package]),
            )?;
            let candidate = policy
                .lines()
                .find_map(|line| line.trim().strip_prefix("Candidate: "));
            if candidate.is_some_and(|version| version != "(none)") {
                return self.get(package).map(Some);
            }
        }
        ensure!(
            read_one,
            "no suite of Debian's archive could be read from {}",
            self.mirror
        );
        Ok(None)
    }

    fn update(&self, suite: &str) -> Result<()> {
        step(
            &format!("reading the list of {suite}"),
            &self.dir.join("update.log"),
            self.apt_get()
                .args(["update", "-o", "APT::Update::Error-Mode=any"]),
            NOTHING,
        )
    }

    fn get(&self, package: &str) -> Result<PathBuf> {
        let into = self.dir.join("download");
        for entry in fs::read_dir(&into)? {
            fs::remove_file(entry?.path())?;
        }
        step(
            &format!("downloading {package}"),
            &self.dir.join("download.log"),
            self.apt_get()
                .args(["download", package])
                .current_dir(&into),
            NOTHING,
        )?;
        Ok(fs::read_dir(&into)?
            .next()
            .context("apt-get downloaded nothing")??
            .path())
    }

    fn apt_get(&self) -> Command {
        let mut apt_get = command("apt-get");
        apt_get.env("LC_ALL", "C").args(self.options());
        apt_get
    }

    fn options(&self) -> Vec<OsString> {
        let path = |name: &str| self.dir.join(name).display().to_string();
        [
            format!("Dir::State::lists={}", path("lists")),
            format!("Dir::Cache={}", path("cache")),
            format!("Dir::Etc::sourcelist={}", path("sources.list")),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            // apt's own user cannot write in a home directory.
            "APT::Sandbox::User=root".to_owned(),
            "Acquire::Languages=none".to_owned(),
        ]
        .into_iter()
        .flat_map(|option| [OsString::from("-o"), OsString::from(option)])
        .collect()
    }
}

/// The mirror of Debian's main archive that this machine already uses.
fn mirror() -> Result<String> {
    if let Some(mirror) = configured_mirror()? {
        return Ok(mirror);
    }
    // apt knows the origin of an archive only after it has read its lists.
    run(as_root("apt-get")?.arg("update"))?;
    configured_mirror()?.context("apt's sources.list names no mirror of Debian's main archive")
}

fn configured_mirror() -> Result<Option<String>> {
    const FIELDS: &str = "$(REPO_URI) $(ORIGIN) $(COMPONENT) $(LABEL) $(IDENTIFIER)";
    let targets = read(command("apt-get").args(["indextargets", "--format", FIELDS]))?;
    Ok(targets.lines().find_map(|line| {
        let (uri, rest) = line.split_once(' ')?;
        // The security archive has the same origin and another label.
        (rest == "Debian main Debian Packages").then(|| uri.to_owned())
    }))
}
