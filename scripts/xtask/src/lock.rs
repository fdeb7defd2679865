// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keeps two xtasks from making the same thing at the same time.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{flock, FlockOperation};
use rustix::io::Errno;

/// Held until dropped; the kernel lets go of it when the process dies.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock `path`, after whoever has it.
    pub fn take(path: &Path) -> Result<Self> {
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {
                eprintln!("waiting for another run to let go of {}", path.display());
                flock(&file, FlockOperation::LockExclusive)?;
            }
            other => other?,
        }
        Ok(Self { _file: file })
    }
}
