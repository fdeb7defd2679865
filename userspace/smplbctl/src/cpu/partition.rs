// SPDX-License-Identifier: MIT OR Apache-2.0
//! The cpuset partition that keeps the scheduler off CPUs: the cgroup `smplb` at the root of
//! cgroup2.

use std::io;

use anyhow::{anyhow, bail, Result};

use super::files::{explain, Files};
use super::set::CpuSet;

const MOUNTS: &str = "/proc/self/mountinfo";
const NAME: &str = "smplb";

/// The cgroup.
#[derive(Clone, Debug)]
pub struct Partition {
    root: String,
    dir: String,
}

impl Partition {
    /// Finds where cgroup2 is mounted; `None` when it is not.
    pub fn find(files: &impl Files) -> Result<Option<Self>> {
        let mounts = files.text(MOUNTS)?;
        let root = mounts.lines().find_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let is_cgroup2 = kind.split(' ').next() == Some("cgroup2");
            place.split(' ').nth(4).filter(|_| is_cgroup2)
        });
        Ok(root.map(|root| Self {
            root: root.to_owned(),
            dir: format!("{}/{NAME}", root.trim_end_matches('/')),
        }))
    }

    /// Finds it, and whether it could be made.
    pub fn require(files: &impl Files) -> Result<Self> {
        let Some(found) = Self::find(files)? else {
            bail!("cgroup2 is not mounted; mount it with: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
        };
        if !found.lists(files, "cgroup.controllers")? {
            bail!(
                "the kernel has no cpuset controller for the cgroup2 at {}; \
                 it needs CONFIG_CPUSETS=y, and no cgroup v1 that has it (cgroup_no_v1=cpuset)",
                found.root
            );
        }
        Ok(found)
    }

    /// Whether the controller is one of those in a file of the root.
    fn lists(&self, files: &impl Files, name: &str) -> Result<bool> {
        let controllers = files.text_if_any(&format!("{}/{name}", self.root))?;
        Ok(controllers.is_some_and(|all| all.split(' ').any(|one| one == "cpuset")))
    }

    /// Whether cgroups below the root have the controller.
    pub fn is_enabled(&self, files: &impl Files) -> Result<bool> {
        self.lists(files, "cgroup.subtree_control")
    }

    fn enable(&self, files: &impl Files, sign: char) -> Result<()> {
        let path = format!("{}/cgroup.subtree_control", self.root);
        files.tell(&path, &format!("{sign}cpuset"))
    }

    fn file(&self, name: &str) -> String {
        format!("{}/cpuset.{name}", self.dir)
    }

    /// Has the partition isolate `cpus` and nothing else.
    pub fn set(&self, files: &impl Files, cpus: &CpuSet) -> Result<()> {
        if !self.is_enabled(files)? {
            self.enable(files, '+')?;
        }
        match files.make_dir(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(explain(&self.dir, &error));
            }
            _ => {}
        }
        let exclusive = self.file("cpus.exclusive");
        let Some(now) = files.text_if_any(&exclusive)? else {
            bail!("{exclusive} is missing: isolated partitions need Linux 6.7 or later");
        };
        let now: CpuSet = now.parse()?;
        // What is exclusive is part of what the cgroup has, at any time.
        files.tell(&self.file("cpus"), &(cpus | &now).to_string())?;
        files.tell(&exclusive, &cpus.to_string())?;
        files.tell(&self.file("cpus"), &cpus.to_string())?;
        let kind = self.file("cpus.partition");
        if files.text(&kind)? != "isolated" {
            files.tell(&kind, "isolated")?;
        }
        judge(&files.text(&kind)?)?;
        let effective: CpuSet = files.text(&self.file("cpus.effective"))?.parse()?;
        match cpus.within(&effective) {
            true => Ok(()),
            false => bail!(
                "the kernel isolated only CPUs {effective}: another cgroup has the rest; \
                 look for cpuset.cpus.exclusive below {}",
                self.root
            ),
        }
    }

    /// Has a process live in it: on its CPUs, and on no others.
    pub fn enter(&self, files: &impl Files, pid: u32) -> Result<()> {
        files.tell(&format!("{}/cgroup.procs", self.dir), &pid.to_string())
    }

    /// Removes it; `controller` says whether nobody had the controller before.
    pub fn remove(&self, files: &impl Files, controller: bool) -> Result<()> {
        if let Some(kind) = files.text_if_any(&self.file("cpus.partition"))? {
            if kind != "member" {
                files.tell(&self.file("cpus.partition"), "member")?;
            }
        }
        match files.remove_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => bail!(
                "{} has processes or cgroups in it; move them elsewhere, then release again",
                self.dir
            ),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(explain(&self.dir, &error));
            }
            _ => {}
        }
        if controller && self.is_enabled(files)? {
            // Others may have come to use it meanwhile; then it stays.
            let _ = self.enable(files, '-');
        }
        Ok(())
    }

    /// The CPUs that partitions isolate, this one and others.
    pub fn isolated(&self, files: &impl Files) -> Result<CpuSet> {
        let path = format!("{}/cpuset.cpus.isolated", self.root);
        match files.text_if_any(&path)? {
            Some(list) => Ok(list.parse()?),
            // An older kernel tells only what this partition has.
            None => match files.text_if_any(&self.file("cpus.partition"))? {
                Some(kind) if kind == "isolated" => {
                    Ok(files.text(&self.file("cpus.effective"))?.parse()?)
                }
                _ => Ok(CpuSet::default()),
            },
        }
    }
}

/// Whether the kernel says that the partition is one.
fn judge(kind: &str) -> Result<()> {
    if kind == "isolated" {
        return Ok(());
    }
    let reason = kind
        .split_once('(')
        .map_or(kind, |(_, reason)| reason.trim_end_matches(')'));
    Err(anyhow!("the kernel refuses the partition: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_reason_is_told() {
        assert!(judge("isolated").is_ok());
        assert_eq!(
            judge("isolated invalid (Cpu list in cpuset.cpus not exclusive)")
                .unwrap_err()
                .to_string(),
            "the kernel refuses the partition: Cpu list in cpuset.cpus not exclusive"
        );
        assert_eq!(
            judge("member").unwrap_err().to_string(),
            "the kernel refuses the partition: member"
        );
    }
}
