// SPDX-License-Identifier: MIT OR Apache-2.0
//! KVM where it runs a guest, else QEMU's own translator. That /dev/kvm exists
//! proves nothing: in many virtual machines it does, and no guest starts.

use std::fs::{self, OpenOptions};

use anyhow::{bail, Result};
use clap::ValueEnum;

use super::{boot, End, Job, Machine, Sink};
use crate::cache::Cache;
use crate::modules::Modules;
use crate::progress::say;
use crate::repo::Repo;

/// How long a guest that only starts and ends may take with KVM.
const TRIAL: u64 = 15;

/// What executes the guest's instructions.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Accel {
    /// KVM if it works here, else TCG
    Auto,
    /// The processor
    Kvm,
    /// QEMU's translator
    Tcg,
}

/// Settles `auto`, with a trial whose outcome is kept until the host reboots.
pub fn choose(repo: &Repo, cache: &Cache, job: &Job<'_>, modules: &Modules) -> Result<Accel> {
    let asked = job.machine.accel;
    if job.machine.icount || job.machine.lines {
        if asked == Accel::Kvm {
            bail!("--icount and --lines count what TCG translates: not with --accel kvm");
        }
        return Ok(Accel::Tcg);
    }
    if asked != Accel::Auto {
        return Ok(asked);
    }
    if OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_err()
    {
        return Ok(Accel::Tcg);
    }
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let file = cache.root().join("kvm");
    let answer = |works: bool| format!("{} {}\n", boot_id.trim(), if works { "yes" } else { "no" });
    let kept = fs::read_to_string(&file).unwrap_or_default();
    for works in [true, false] {
        if kept == answer(works) {
            return Ok(if works { Accel::Kvm } else { Accel::Tcg });
        }
    }

    say("trying whether KVM runs a guest");
    let machine = Machine {
        timeout: TRIAL,
        smp: Some(2),
        ..Machine::from_words(&[])?
    };
    let command = ["true".to_owned()];
    let trial = Job {
        machine: &machine,
        command: &command,
        out: job.out.clone(),
        ..*job
    };
    let end = boot(repo, &trial, modules, Accel::Kvm, &mut Sink::Drop);
    let works = matches!(end, Ok(End::Exit(0)));
    say(if works {
        "it does"
    } else {
        "it does not: TCG is used"
    });
    fs::write(&file, answer(works))?;
    Ok(if works { Accel::Kvm } else { Accel::Tcg })
}
