// SPDX-License-Identifier: MIT OR Apache-2.0
//! The module tree of a guest: the kernel's modules and ours, so that
//! `modprobe smplb` works.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::build;
use crate::kernel::Kernel;
use crate::lock::Lock;
use crate::repo::Repo;
use crate::run::{command, run};

/// A tree for the guest's `/lib/modules`.
pub struct Modules {
    /// What to mount there.
    pub dir: PathBuf,
    /// Whether smplb.ko is in it.
    pub has_smplb: bool,
}

/// Makes the tree, or brings it up to date.
pub fn assemble(repo: &Repo, kernel: &Kernel) -> Result<Modules> {
    let root = repo.target(&format!("modules/{}", kernel.flavour.name()));
    let dir = root.join("lib/modules");
    let ours = dir.join(kernel.release()?).join("updates/smplb.ko");
    let stamp = root.join("stamp");
    let _lock = Lock::take(&root.with_extension("lock"))?;

    let fresh = fs::read(kernel.stamp()).context("the kernel is not built")?;
    let mut changed = false;
    if fs::read(&stamp).ok().as_ref() != Some(&fresh) {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        fs::create_dir_all(&root)?;
        run(command("cp")
            .arg("-a")
            .arg(kernel.modules().join("lib"))
            .arg(&root))?;
        fs::write(&stamp, fresh)?;
        changed = true;
    }
    let built = build::module_file(repo, kernel.flavour);
    let has_smplb = built.exists();
    if has_smplb && !same(&built, &ours)? {
        if let Some(updates) = ours.parent() {
            fs::create_dir_all(updates)?;
        }
        // A guest that runs right now keeps what it has open.
        let part = ours.with_extension("part");
        fs::copy(&built, &part)?;
        fs::rename(&part, &ours)?;
        changed = true;
    } else if !has_smplb && ours.exists() {
        fs::remove_file(&ours)?;
        changed = true;
    }
    if changed {
        run(command("/sbin/depmod")
            .arg("-b")
            .arg(&root)
            .arg(kernel.release()?))?;
    }
    Ok(Modules { dir, has_smplb })
}

fn same(one: &Path, other: &Path) -> Result<bool> {
    Ok(other.exists() && fs::read(one)? == fs::read(other)?)
}
