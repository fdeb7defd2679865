// SPDX-License-Identifier: MIT OR Apache-2.0
//! Man pages and shell completions of a program, written from its command line's own words.
//!
//! Every program of smplb has a hidden command `man` with these [`Args`].

#![forbid(unsafe_code)]

mod page;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

pub use page::page;

const VERSION: &str = concat!("smplb ", env!("CARGO_PKG_VERSION"));

/// Write man pages, and shell completions if wanted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory for the man pages
    #[arg(long)]
    pub dir: PathBuf,
    /// Directory for the completions of every shell
    #[arg(long, value_name = "DIR")]
    pub completions: Option<PathBuf>,
}

impl Args {
    /// Does it for the program whose command line is made by `command`.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn run(self, command: impl Fn() -> Command) -> Result<()> {
        make(&self.dir)?;
        let mut whole = command().disable_help_subcommand(true);
        whole.build();
        pages(&whole, &self.dir)?;
        if let Some(dir) = &self.completions {
            make(dir)?;
            for shell in Shell::value_variants() {
                let mut command = command();
                let name = command.get_name().to_owned();
                clap_complete::generate_to(*shell, &mut command, name, dir)
                    .with_context(|| format!("{}", dir.display()))?;
            }
        }
        Ok(())
    }
}

fn make(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))
}

/// The page of a command, and those of its subcommands.
fn pages(command: &Command, dir: &Path) -> Result<()> {
    let man = Man::new(command.clone())
        .section("8")
        .manual("smplb manual")
        .source(VERSION);
    let file = dir.join(man.get_filename());
    let page = page(&man, command)?;
    fs::write(&file, page).with_context(|| format!("{}", file.display()))?;
    for subcommand in shown(command) {
        pages(subcommand, dir)?;
    }
    Ok(())
}

/// Subcommands that are not hidden.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set())
}
