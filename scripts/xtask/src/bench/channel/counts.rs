// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the CPUs of engine and application did in a window.

use anyhow::{Context, Result};

use crate::bench::symbols::Symbols;
use crate::bench::windows::Window;

/// The CPU of engine or softirqs,
const SWITCHING: usize = 1;
/// and that of the application.
const APPLICATION: usize = 2;

/// Where the kernel is entered by a system call, and left for another thread.
const SYSTEM_CALL: &str = "entry_SYSCALL_64";
const SWITCH: &str = "__switch_to_asm";

/// What both CPUs did in a window.
pub struct Counts {
    /// Instructions of the kernel,
    pub kernel: u64,
    /// and of programs.
    pub user: u64,
    /// Of the application's CPU.
    pub system_calls: u64,
    pub switches: u64,
}

impl Counts {
    /// Out of what the plugin has counted.
    pub fn of(window: &Window, symbols: &Symbols) -> Result<Self> {
        let both = &[SWITCHING, APPLICATION];
        let kernel = window.ran.iter().filter(|ran| both.contains(&ran.cpu));
        let user = both.iter().filter_map(|cpu| window.user.get(*cpu));
        let entered = |name: &str| {
            let at = symbols.address(name);
            let at = at.with_context(|| format!("{name} is not in the kernel"))?;
            let there = kernel
                .clone()
                .filter(|ran| (ran.cpu, ran.instruction) == (APPLICATION, at));
            Ok::<u64, anyhow::Error>(there.map(|ran| ran.count).sum())
        };
        Ok(Self {
            kernel: kernel.clone().map(|ran| ran.count).sum(),
            user: user.sum(),
            system_calls: entered(SYSTEM_CALL)?,
            switches: entered(SWITCH)?,
        })
    }
}
