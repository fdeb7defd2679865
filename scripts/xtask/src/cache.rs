// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where things live that are big, slow to make and not part of the clone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// `${XDG_CACHE_HOME:-~/.cache}/smplb`.
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Finds the cache of the calling user, and makes it if there is none.
    pub fn open() -> Result<Self> {
        let base = match env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cache"),
        };
        let root = base.join("smplb");
        fs::create_dir_all(root.join("log"))
            .with_context(|| format!("cannot make the cache {}", root.display()))?;
        Ok(Self { root })
    }

    /// The cache's own directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The log of a long step.
    pub fn log(&self, step: &str) -> PathBuf {
        self.root.join("log").join(format!("{step}.log"))
    }

    /// Tools that Debian does not package, installed with cargo.
    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// Everything made from one version of the kernel.
    pub fn linux(&self, version: &str) -> PathBuf {
        self.root.join(format!("linux-{version}"))
    }
}
