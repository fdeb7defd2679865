// SPDX-License-Identifier: MIT OR Apache-2.0
//! How full the system is: its CPU and its memory.
//!
//! 100 % is the machine, or, where cgroups limit the application (in a container, or in the cgroup
//! that the configuration names), the limit. Limits nest; the level that is nearest to its own
//! limit counts, which is the smallest limit when nobody else lives under it.
//!
//! # CPU above 100 %
//!
//! No system uses more CPU than it is granted, so that one at its limit reads 1.0 however much is
//! asked of it. A balancer that divides requests by utilization would then send most to whom is
//! fullest. Therefore the part that was *refused* is added as soon as nearly all is used:
//!
//! ```text
//! used    = CPU time used / (time × CPUs granted)
//! refused = the greater of, at most 1:
//!             CPU time for which the limit held tasks back / (time × CPUs granted)
//!             part of the time in which some task waited for a CPU (pressure stall)
//! cpu     = used + refused × gate(used)        gate: 0 up to 0.80, 1 from 0.95, linear between
//! ```
//!
//! Up to 0.8 this is plain utilization, which is linear in the load; tasks that wait now and then
//! although CPU is left (one busy thread, a burst) do not count. At the limit it goes up to 2: a
//! backlog tells that too much is asked for, not how much. On a kernel without pressure stall
//! information, tasks ready to run beyond the number of CPUs stand in for it.

mod cgroup;
mod machine;
mod pressure;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;
use tracing::{info, warn};

use cgroup::{Cgroup, Granted};
use machine::Machine;

/// Which figures are reported, and of what.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Whether CPU utilization is reported.
    pub cpu: bool,
    /// Whether memory utilization is reported.
    pub memory: bool,
    /// Whose limits are 100 %: `auto` (the agent's own container), `none` (the machine), or the
    /// path of a cgroup as in /proc/PID/cgroup.
    pub cgroup: String,
    /// Where the hierarchy of cgroups (version 2) is mounted.
    pub cgroup_root: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cpu: true,
            memory: true,
            cgroup: "auto".to_owned(),
            cgroup_root: PathBuf::from("/sys/fs/cgroup"),
        }
    }
}

impl Settings {
    /// Names a key and what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        let path = self.cgroup.starts_with('/') && !self.cgroup.contains("/..");
        if !path && self.cgroup != "auto" && self.cgroup != "none" {
            let reason = format!(
                "`{}` is no cgroup; use \"auto\", \"none\", or a path such as \
                 \"/system.slice/nginx.service\"",
                self.cgroup
            );
            return Err(("cgroup", reason));
        }
        if !self.cgroup_root.is_absolute() {
            return Err(("cgroup-root", "must begin with /".to_owned()));
        }
        Ok(())
    }
}

/// What was seen at one look. What is not wanted or not known yet is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Used part of the CPU; see the module for how it goes above 1.
    pub cpu: Option<f64>,
    /// Used part of the memory.
    pub memory: Option<f64>,
}

/// The system that is looked at.
pub struct System {
    settings: Settings,
    machine: Machine,
    cgroup: Option<Cgroup>,
    /// Whether the last look found the cgroup, to log changes only.
    found: bool,
}

impl System {
    /// This machine, or the container that this process is in.
    pub fn of_this_machine(settings: &Settings) -> Self {
        Self::new(settings, Path::new("/proc"), is_unit_of_its_own())
    }

    /// With the places to read from given. `own_unit`: the service manager made the process's
    /// cgroup for it alone, so that it says nothing about the application.
    fn new(settings: &Settings, proc: &Path, own_unit: bool) -> Self {
        let root = &settings.cgroup_root;
        let cgroup = match settings.cgroup.as_str() {
            "none" => None,
            "auto" => Some(Cgroup::own(root, &proc.join("self/cgroup"), own_unit)),
            path => Some(Cgroup::at(root, path)),
        };
        let system = Self {
            settings: settings.clone(),
            machine: Machine::new(proc),
            cgroup,
            found: true,
        };
        if let Some(cgroup) = &system.cgroup {
            let (cpus, memory) = cgroup.limits(system.machine.size());
            info!(cgroup = %cgroup, ?cpus, ?memory, "limits that are 100 %");
        }
        system
    }

    /// Looks. Utilization of the CPU is known from the second look on.
    pub fn sample(&mut self, now: Instant) -> Figures {
        self.machine.sample(now);
        let size = self.machine.size();
        let limited = self.cgroup.as_mut().map(|cgroup| cgroup.sample(now, size));
        let limited = match limited {
            Some(None) => {
                // The application's cgroup is not there: nothing is known of it.
                self.tell(false);
                return Figures::default();
            }
            Some(Some(limited)) => {
                self.tell(true);
                limited
            }
            None => cgroup::Sample::default(),
        };
        let or = |granted, machine| match granted {
            Granted::Limited(value) => value,
            Granted::Unlimited => machine,
        };
        Figures {
            cpu: or(limited.cpu, self.machine.cpu()).filter(|_| self.settings.cpu),
            memory: or(limited.memory, self.machine.memory()).filter(|_| self.settings.memory),
        }
    }

    fn tell(&mut self, found: bool) {
        if let (Some(cgroup), true) = (&self.cgroup, self.found != found) {
            if found {
                info!(%cgroup, "the cgroup is there");
            } else {
                warn!(%cgroup, "no such cgroup: CPU and memory are not reported");
            }
        }
        self.found = found;
    }
}

/// Utilization of a CPU of which `used` was used while `refused` was asked for in vain.
fn overloaded(used: f64, refused: f64) -> f64 {
    let gate = ((used - 0.80) / 0.15).clamp(0.0, 1.0);
    used + gate * refused.clamp(0.0, 1.0)
}

/// Whether the service manager started this very process as a unit.
fn is_unit_of_its_own() -> bool {
    let started = std::env::var("SYSTEMD_EXEC_PID").ok();
    started.is_some_and(|pid| pid == std::process::id().to_string())
}
