// SPDX-License-Identifier: MIT OR Apache-2.0
//! The clone, and cargo's target directory.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};

/// The clone this xtask was started in.
pub struct Repo {
    root: PathBuf,
    target: PathBuf,
}

impl Repo {
    /// Finds the clone through the variable `cargo run` sets.
    pub fn open() -> Result<Self> {
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package
            .join("../..")
            .canonicalize()
            .with_context(|| format!("{} is gone: use `cargo xtask`", package.display()))?;
        // Kbuild cannot build in such a path, and says so much later.
        let text = root.to_string_lossy();
        ensure!(
            !text.contains([' ', ':', '%', '\'']),
            "the kernel's build does not work in a directory named {text:?}"
        );
        let target = match env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
            Some(dir) => env::current_dir()?.join(dir),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The top of the clone.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file of the clone.
    pub fn path(&self, file: &str) -> PathBuf {
        self.root.join(file)
    }

    /// Below cargo's target directory, which is where all output goes.
    pub fn target(&self, file: &str) -> PathBuf {
        self.target.join(file)
    }
}
