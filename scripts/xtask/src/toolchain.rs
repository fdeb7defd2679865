// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one place that chooses the compilers of the kernel and the module.
//!
//! Debian's rustc, since only it comes with the library's source for every
//! user, and the clang of the same LLVM: KASAN of Rust code needs clang, and
//! CONFIG_RUST_INLINE_HELPERS links the bitcode of both. All are named by path,
//! because a rustup in PATH would come first and lacks the source.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, ensure, Context, Result};

use crate::cache::Cache;
use crate::progress::{step, CRATES};
use crate::run::{command, read};

/// The bindgen built with cargo where Debian's is too old for the kernel.
const BINDGEN: &str = "0.72.1";

const RUSTC: &str = "/usr/bin/rustc";
const RUSTDOC: &str = "/usr/bin/rustdoc";
const RUSTFMT: &str = "/usr/bin/rustfmt";
const CLIPPY: &str = "/usr/bin/clippy-driver";

/// The Debian release of this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Debian {
    /// 12
    Bookworm,
    /// 13, or what comes after it
    Trixie,
}

impl Debian {
    /// Reads `/etc/os-release`.
    pub fn of_this_machine() -> Result<Self> {
        let text = fs::read_to_string("/etc/os-release").context("cannot tell the system")?;
        let field = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or("").trim_matches('"').to_owned()
        };
        let version = field("VERSION_ID").parse::<u32>();
        match (field("ID").as_str(), version) {
            ("debian", Ok(12)) => Ok(Self::Bookworm),
            ("debian", Ok(13..) | Err(_)) => Ok(Self::Trixie),
            _ => bail!(
                "the set-up knows Debian 12 and 13, not {}",
                field("PRETTY_NAME")
            ),
        }
    }

    /// Debian's packages of the Rust toolchain that is new enough for the kernel.
    pub fn rust_packages(self) -> &'static [&'static str] {
        match self {
            Self::Bookworm => &[
                "rustc-web",
                "rust-web-src",
                "rustfmt-web",
                "rust-web-clippy",
            ],
            Self::Trixie => &["rustc", "rust-src", "rustfmt", "rust-clippy", "bindgen"],
        }
    }
}

/// Debian's packages of the clang whose LLVM is that of Debian's rustc.
pub fn llvm_packages() -> Result<Vec<String>> {
    let llvm = llvm_of_rustc()?;
    Ok(["clang-", "lld-", "llvm-"]
        .iter()
        .map(|name| format!("{name}{llvm}"))
        .chain([format!("libclang-{llvm}-dev")])
        .collect())
}

/// The toolchain, as found on this machine.
pub struct Toolchain {
    llvm: u32,
    bindgen: PathBuf,
}

impl Toolchain {
    /// Finds it, or says which part of the set-up is missing.
    pub fn find(cache: &Cache) -> Result<Self> {
        let llvm = llvm_of_rustc()?;
        let bindgen = match Debian::of_this_machine()? {
            Debian::Bookworm => own_bindgen(cache),
            Debian::Trixie => PathBuf::from("/usr/bin/bindgen"),
        };
        let found = Self { llvm, bindgen };
        for file in [
            &found.bindgen,
            Path::new(RUSTDOC),
            Path::new(RUSTFMT),
            Path::new(CLIPPY),
            &PathBuf::from(format!("/usr/bin/clang-{llvm}")),
            &PathBuf::from(format!("/usr/bin/ld.lld-{llvm}")),
            &PathBuf::from(format!("/usr/bin/llvm-ar-{llvm}")),
            &found.libclang(),
        ] {
            ensure!(
                file.exists(),
                "{} is missing: run `cargo xtask setup`",
                file.display()
            );
        }
        Ok(found)
    }

    /// The variables every make of the kernel needs on its command line.
    pub fn make_args(&self) -> Vec<OsString> {
        let bindgen = format!("BINDGEN={}", self.bindgen.display());
        [
            format!("LLVM=-{}", self.llvm),
            format!("RUSTC={RUSTC}"),
            format!("HOSTRUSTC={RUSTC}"),
            format!("RUSTDOC={RUSTDOC}"),
            format!("RUSTFMT={RUSTFMT}"),
            format!("CLIPPY_DRIVER={CLIPPY}"),
            bindgen,
        ]
        .into_iter()
        .map(OsString::from)
        .collect()
    }

    /// A make of the kernel in `source` with `objects` as its output.
    pub fn make(&self, source: &Path, objects: &Path) -> Command {
        let mut output = OsString::from("O=");
        output.push(objects);
        let mut make = command("make");
        make.env("LIBCLANG_PATH", self.libclang())
            // A make or cargo above us must not decide for the one below.
            .env_remove("MAKEFLAGS")
            .env_remove("MFLAGS")
            .env_remove("MAKELEVEL")
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTUP_TOOLCHAIN")
            .env("LC_ALL", "C")
            .arg("-C")
            .arg(source)
            .arg(output)
            .args(self.make_args());
        make
    }

    /// The same variables as a makefile, for a plain `make` without cargo.
    pub fn makefile(&self) -> String {
        let mut text = String::from("# The toolchain this kernel was built with.\n");
        for arg in self.make_args() {
            text.push_str(&format!("KMAKE_ARGS += {}\n", arg.to_string_lossy()));
        }
        text.push_str(&format!(
            "export LIBCLANG_PATH := {}\n",
            self.libclang().display()
        ));
        text
    }

    /// The formatter of the kernel's toolchain.
    pub fn rustfmt(&self) -> Command {
        command(RUSTFMT)
    }

    /// The tool that lists symbols.
    pub fn nm(&self) -> Command {
        command(format!("llvm-nm-{}", self.llvm))
    }

    /// The exact versions, for the stamp of what was built with them.
    pub fn versions(&self) -> Result<String> {
        let rustc = read(command(RUSTC).arg("-vV"))?;
        let clang = read(command(format!("clang-{}", self.llvm)).arg("--version"))?;
        let bindgen = read(command(&self.bindgen).arg("--version"))?;
        Ok(format!("{rustc}{clang}{bindgen}"))
    }

    fn libclang(&self) -> PathBuf {
        PathBuf::from(format!("/usr/lib/llvm-{}/lib", self.llvm))
    }
}

/// Builds bindgen into the cache where Debian has none that is new enough.
pub fn install_bindgen(cache: &Cache) -> Result<()> {
    let bindgen = own_bindgen(cache);
    if Debian::of_this_machine()? != Debian::Bookworm || has_version(&bindgen) {
        return Ok(());
    }
    step(
        &format!("building bindgen {BINDGEN}"),
        &cache.log("bindgen"),
        command("cargo")
            .args([
                "install",
                "bindgen-cli",
                "--version",
                BINDGEN,
                "--locked",
                "--force",
                "--root",
            ])
            .arg(cache.tools())
            .env_remove("CARGO_TARGET_DIR"),
        CRATES,
    )
}

fn own_bindgen(cache: &Cache) -> PathBuf {
    cache.tools().join("bin/bindgen")
}

fn has_version(bindgen: &Path) -> bool {
    let version = read(command(bindgen).arg("--version"));
    version.is_ok_and(|text| text.trim() == format!("bindgen {BINDGEN}"))
}

/// The major version of the LLVM inside Debian's rustc.
fn llvm_of_rustc() -> Result<u32> {
    let text = read(command(RUSTC).arg("-vV"))
        .context("Debian's rustc is missing: run `cargo xtask setup`")?;
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "));
    version
        .and_then(|version| version.split('.').next()?.parse().ok())
        .with_context(|| format!("{RUSTC} -vV names no LLVM version"))
}
