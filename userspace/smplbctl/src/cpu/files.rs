// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files by which the kernel is told and asked, and the one that remembers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{anyhow, Context, Result};
use rustix::fs::{flock, FlockOperation};

/// A file system. Every path is absolute.
pub trait Files {
    /// All of a file.
    fn read(&self, path: &str) -> io::Result<String>;
    /// Writes to a file that is there, with one call, as files of the kernel want it.
    fn write(&self, path: &str, text: &str) -> io::Result<()>;
    /// The names in a directory, in order.
    fn names(&self, dir: &str) -> io::Result<Vec<String>>;
    /// Makes a directory.
    fn make_dir(&self, dir: &str) -> io::Result<()>;
    /// Removes a directory.
    fn remove_dir(&self, dir: &str) -> io::Result<()>;
    /// Puts a file in the place of one that is there or not, with its directory.
    fn store(&self, path: &str, text: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// The words of a file without those of white space at its ends.
    fn text(&self, path: &str) -> Result<String> {
        let text = self.read(path).with_context(|| path.to_owned())?;
        Ok(text.trim().to_owned())
    }

    /// The same, if the file is there.
    fn text_if_any(&self, path: &str) -> Result<Option<String>> {
        match self.read(path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(anyhow!(error).context(path.to_owned())),
        }
    }

    /// Writes, and says where when that fails.
    fn tell(&self, path: &str, text: &str) -> Result<()> {
        self.write(path, text)
            .map_err(|error| explain(path, &error).context(format!("writing {text:?}")))
    }
}

/// An error with its file, and what would help.
pub fn explain(path: &str, error: &io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied => anyhow!("{path}: {error} (try as root)"),
        _ => anyhow!("{path}: {error}"),
    }
}

/// The files of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Machine;

impl Files for Machine {
    fn read(&self, path: &str) -> io::Result<String> {
        fs::read_to_string(path)
    }

    fn write(&self, path: &str, text: &str) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(text.as_bytes())
    }

    fn names(&self, dir: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    fn make_dir(&self, dir: &str) -> io::Result<()> {
        fs::create_dir(dir)
    }

    fn remove_dir(&self, dir: &str) -> io::Result<()> {
        fs::remove_dir(dir)
    }

    fn store(&self, path: &str, text: &str) -> io::Result<()> {
        let path = Path::new(path);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let new = path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(new, path)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(path)
    }
}

/// Waits until no other process changes what `path` remembers; until the file is dropped.
pub fn lock(path: &str) -> Result<File> {
    let lock = || {
        let path = Path::new(path);
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    };
    lock().map_err(|error: io::Error| explain(path, &error))
}
