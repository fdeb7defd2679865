// SPDX-License-Identifier: MIT OR Apache-2.0
//! The initramfs of a boot: a static busybox, the scripts of `scripts/vm`, and
//! what this boot is to do.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::qemu::Nic;
use crate::repo::Repo;
use crate::run::quote;

const BUSYBOX: &str = "/bin/busybox";

/// What the scripts in the guest need to know.
pub struct Config<'a> {
    /// For `/lib/modules`.
    pub modules: &'a Path,
    /// The NICs, in the order of their names.
    pub nics: &'a [Nic],
    /// Where the command runs.
    pub cwd: &'a Path,
    /// Directories that must stay visible, even below one with a tmpfs.
    pub keep: &'a [&'a Path],
    /// What the guest is to copy into memory, to do without the host's root
    /// afterwards; all of that stays when nothing is named.
    pub ram: &'a [PathBuf],
    /// The command's PATH.
    pub path: &'a str,
    /// Whether both output streams are one.
    pub merge: bool,
    /// Whether a kernel report leaves the exit code alone.
    pub allow_warn: bool,
    /// The command and its arguments.
    pub command: &'a [String],
}

/// Writes the archive.
pub fn write(file: &Path, repo: &Repo, config: &Config<'_>) -> Result<()> {
    let mut archive = Archive::default();
    for dir in ["bin", "dev", "keep"] {
        archive.add(dir, 0o040_755, b"");
    }
    let busybox = fs::read(BUSYBOX).context("busybox-static is missing: `cargo xtask setup`")?;
    archive.add("bin/busybox", 0o100_755, &busybox);
    for (name, mode) in [
        ("init", 0o100_755),
        ("guest", 0o100_644),
        ("ram", 0o100_644),
        ("dmesg-patterns", 0o100_644),
    ] {
        let path = repo.path("scripts/vm").join(name);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        archive.add(name, mode, &text);
    }
    archive.add("config", 0o100_644, config.text().as_bytes());
    archive.add(
        "command",
        0o100_644,
        command_text(config.command).as_bytes(),
    );
    archive.add("TRAILER!!!", 0, b"");
    fs::write(file, archive.bytes).with_context(|| format!("cannot write {}", file.display()))
}

impl Config<'_> {
    /// As assignments of a shell.
    fn text(&self) -> String {
        let mut text = String::new();
        let mut set = |name: &str, value: &str| {
            text.push_str(&format!("{name}={}\n", quote(value)));
        };
        let list = |words: Vec<String>| words.join(" ");
        let mut drivers: Vec<String> = Vec::new();
        for nic in self.nics {
            if !drivers.contains(&nic.driver) {
                drivers.push(nic.driver.clone());
            }
        }
        set("VM_MODULES", &self.modules.to_string_lossy());
        set("VM_NIC_MODULES", &list(drivers));
        set(
            "VM_NIC_MACS",
            &list(self.nics.iter().map(|nic| nic.mac.clone()).collect()),
        );
        set("VM_CWD", &self.cwd.to_string_lossy());
        set("VM_KEEP", &list(hidden(self.keep)));
        let ram = self.ram.iter().map(|path| path.display().to_string());
        set("VM_RAM", &list(ram.collect()));
        set("VM_PATH", self.path);
        set("VM_MERGE", if self.merge { "1" } else { "0" });
        set("VM_ALLOW_WARN", if self.allow_warn { "1" } else { "0" });
        text
    }
}

fn command_text(command: &[String]) -> String {
    let words: Vec<String> = command.iter().map(|word| quote(word)).collect();
    format!("exec {}\n", words.join(" "))
}

/// Those directories that a tmpfs of the guest would cover, outermost only.
fn hidden(dirs: &[&Path]) -> Vec<String> {
    let covered = |dir: &Path| {
        ["/tmp", "/var/tmp", "/run"]
            .iter()
            .any(|top| dir.starts_with(top))
    };
    let mut found: Vec<&Path> = dirs.iter().copied().filter(|dir| covered(dir)).collect();
    found.sort();
    found.dedup_by(|later, earlier| later.starts_with(*earlier));
    found
        .iter()
        .map(|dir| dir.to_string_lossy().into_owned())
        .collect()
}

/// A cpio archive in the only format the kernel unpacks, `newc`.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    inode: u32,
}

impl Archive {
    fn add(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.inode += 1;
        let links = 1;
        let fields = [
            self.inode,
            mode,
            0,
            0,
            links,
            0,
            content.len() as u32,
            0,
            0,
            0,
            0,
            name.len() as u32 + 1,
            0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        while self.bytes.len() % 4 != 0 {
            self.bytes.push(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_entries_are_aligned() {
        let mut archive = Archive::default();
        archive.add("a", 0o100_644, b"12345");
        // 110 bytes of header, the name with its end, padding, content, padding.
        assert_eq!(archive.bytes.len(), 112 + 8);
        assert_eq!(&archive.bytes[..14], b"07070100000001");
        assert_eq!(&archive.bytes[112..117], b"12345");
    }

    #[test]
    fn keeps_only_what_a_tmpfs_would_hide() {
        let dirs = ["/tmp/a/target", "/home/b", "/tmp/a", "/tmp/ab"].map(Path::new);
        assert_eq!(hidden(&dirs), ["/tmp/a", "/tmp/ab"]);
    }

    #[test]
    fn the_command_survives_the_shell() {
        let command = ["echo", "a  b", "$x"].map(str::to_owned);
        assert_eq!(command_text(&command), "exec echo 'a  b' '$x'\n");
    }
}
