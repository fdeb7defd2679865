// SPDX-License-Identifier: MIT OR Apache-2.0
//! The scenarios of `tests/vm`: which there are, and the machine each wants.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::repo::Repo;
use crate::vm::Machine;

/// Where they are.
const DIR: &str = "tests/vm";
/// Scripts there that have a verb of their own.
const VERBS: &[&str] = &[
    "demo",
    "bench",
    "bench-native",
    "bench-dedicated",
    "bench-scaling",
    "bench-channel",
];
/// The comment that names the machine: `# vm: --smp 4 --nic virtio`.
const HEADER: &str = "# vm:";

/// One script.
pub struct Scenario {
    /// Its name without `.sh`.
    pub name: String,
    /// Its path in the clone.
    pub path: String,
    /// The words of its header, which scenarios of one boot have in common.
    pub wants: Vec<String>,
}

impl Scenario {
    /// A script of `tests/vm` by name.
    pub fn named(repo: &Repo, name: &str) -> Result<Self> {
        let path = format!("{DIR}/{name}.sh");
        let text = fs::read_to_string(repo.path(&path)).with_context(|| format!("no {path}"))?;
        let wants = text
            .lines()
            .find_map(|line| line.strip_prefix(HEADER))
            .unwrap_or("");
        let wants = wants.split_whitespace().map(str::to_owned).collect();
        Ok(Self {
            name: name.to_owned(),
            path,
            wants,
        })
    }

    /// All executable ones, in the order of their names.
    pub fn all(repo: &Repo) -> Result<Vec<Self>> {
        let dir = repo.path(DIR);
        let mut names = Vec::new();
        if dir.is_dir() {
            for entry in fs::read_dir(&dir)? {
                let path = entry?.path();
                let Some(name) = name_of(&path) else { continue };
                if executable(&path)? && !VERBS.contains(&name.as_str()) {
                    names.push(name);
                }
            }
        }
        names.sort();
        names.iter().map(|name| Self::named(repo, name)).collect()
    }

    /// The machine it wants.
    pub fn machine(&self) -> Result<Machine> {
        Machine::from_words(&self.wants).with_context(|| format!("the header of {}", self.path))
    }
}

/// Scenarios that can share a boot, in order.
pub fn boots(scenarios: Vec<Scenario>) -> Vec<Vec<Scenario>> {
    let mut boots: Vec<Vec<Scenario>> = Vec::new();
    for scenario in scenarios {
        match boots
            .iter_mut()
            .find(|boot| boot[0].wants == scenario.wants)
        {
            Some(boot) => boot.push(scenario),
            None => boots.push(vec![scenario]),
        }
    }
    boots
}

fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_suffix(".sh")?;
    Some(name.to_owned())
}

fn executable(path: &Path) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path)?;
    Ok(metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(name: &str, wants: &[&str]) -> Scenario {
        let wants = wants.iter().map(|word| (*word).to_owned()).collect();
        Scenario {
            name: name.to_owned(),
            path: String::new(),
            wants,
        }
    }

    #[test]
    fn scenarios_with_equal_wants_share_a_boot() {
        let all = vec![
            scenario("a", &[]),
            scenario("b", &["--smp", "2"]),
            scenario("c", &[]),
        ];
        let boots = boots(all);
        assert_eq!(boots.len(), 2);
        assert_eq!(
            boots[0].iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
            ["a", "c"]
        );
    }

    #[test]
    fn a_header_is_a_command_line() {
        let words = ["--smp", "2", "--nic", "virtio", "--nic", "e1000e"].map(str::to_owned);
        let machine = Machine::from_words(&words).unwrap();
        assert_eq!((machine.smp, machine.nic.len()), (Some(2), 2));
    }
}
