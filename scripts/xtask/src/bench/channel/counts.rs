// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the CPUs of engine and application did in a window.

use anyhow::{ensure, Context, Result};

use super::told::Told;
use crate::bench::symbols::Symbols;
use crate::bench::windows::Window;

/// The CPU of engine or softirqs,
const SWITCHING: usize = 1;
/// and that of the application.
const APPLICATION: usize = 2;

/// Where the kernel is entered by a system call and by a timer interrupt, and left for another
/// thread.
const SYSTEM_CALL: &str = "entry_SYSCALL_64";
const TICK: &str = "asm_sysvec_apic_timer_interrupt";
const SWITCH: &str = "__switch_to_asm";

/// What both CPUs did in a window.
pub struct Counts {
    /// Instructions of the kernel,
    pub kernel: u64,
    /// and of programs.
    pub user: u64,
    /// Timer interrupts.
    pub ticks: u64,
    /// Of the application's CPU.
    pub system_calls: u64,
    pub switches: u64,
}

impl Counts {
    /// Out of what the plugin has counted.
    pub fn of(window: &Window, symbols: &Symbols) -> Result<Self> {
        let ran = |cpus: &[usize], at: Option<u64>| {
            let ran = window.ran.iter().filter(|ran| cpus.contains(&ran.cpu));
            let ran = ran.filter(|ran| at.is_none_or(|at| at == ran.instruction));
            ran.map(|ran| ran.count).sum()
        };
        let entered = |cpus: &[usize], name: &str| {
            let at = symbols.address(name);
            at.with_context(|| format!("{name} is not in the kernel"))
                .map(|at| ran(cpus, Some(at)))
        };
        let both = &[SWITCHING, APPLICATION];
        let user = both.iter().filter_map(|cpu| window.user.get(*cpu));
        Ok(Self {
            kernel: ran(both, None),
            user: user.sum(),
            ticks: entered(both, TICK)?,
            system_calls: entered(&[APPLICATION], SYSTEM_CALL)?,
            switches: entered(&[APPLICATION], SWITCH)?,
        })
    }

    /// Instructions of a timer interrupt, when there was nothing else.
    pub fn tick(&self, told: &Told) -> Result<f64> {
        ensure!(
            told.system == super::TICKS && self.ticks > 0,
            "timer interrupts were not measured"
        );
        Ok(self.kernel as f64 / self.ticks as f64)
    }
}
