// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl man`: man pages and shell completions, written from the command line's own words.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;

const VERSION: &str = concat!("smplb ", env!("CARGO_PKG_VERSION"));

/// Write man pages, and shell completions if wanted.
#[derive(clap::Args)]
pub struct Args {
    /// Directory for the man pages
    #[arg(long)]
    dir: PathBuf,
    /// Directory for the completions of every shell
    #[arg(long, value_name = "DIR")]
    completions: Option<PathBuf>,
}

impl Args {
    /// Does it.
    pub fn run(self) -> Result<()> {
        fs::create_dir_all(&self.dir).with_context(|| format!("{}", self.dir.display()))?;
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        pages(&command, &self.dir)?;
        if let Some(dir) = &self.completions {
            fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
            for shell in Shell::value_variants() {
                let mut command = Cli::command();
                clap_complete::generate_to(*shell, &mut command, "smplbctl", dir)?;
            }
        }
        Ok(())
    }
}

/// The page of a command, and those of its subcommands.
fn pages(command: &clap::Command, dir: &Path) -> Result<()> {
    let man = Man::new(command.clone())
        .section("8")
        .manual("smplb manual")
        .source(VERSION);
    let file = dir.join(man.get_filename());
    let page = page(&man, command)?;
    fs::write(&file, page).with_context(|| format!("{}", file.display()))?;
    for subcommand in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages(subcommand, dir)?;
    }
    Ok(())
}

fn page(man: &Man, command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
        man.render_subcommands_section(&mut page)?;
    }
    if let Some(notes) = command.get_after_long_help() {
        page.extend(notes_section(&notes.to_string()).bytes());
    }
    Ok(page)
}

/// What follows the options: paragraphs are filled, indented lines stay as they are.
fn notes_section(notes: &str) -> String {
    let mut roff = ".SH NOTES\n".to_owned();
    let mut verbatim = false;
    for line in notes.lines() {
        let indented = line.starts_with("  ");
        if indented != verbatim && !line.is_empty() {
            roff += if indented {
                ".RS 4\n.nf\n"
            } else {
                ".fi\n.RE\n"
            };
            verbatim = indented;
        }
        match line.trim_start() {
            "" if verbatim => roff += "\n",
            "" => roff += ".PP\n",
            text => {
                let indent = line.len().saturating_sub(text.len() + 2);
                let text = text.replace('\\', "\\e").replace('-', "\\-");
                // A line that begins with one of these would be a request to roff.
                let guard = if text.starts_with(['.', '\'']) {
                    "\\&"
                } else {
                    ""
                };
                roff += &format!("{}{guard}{text}\n", " ".repeat(indent));
            }
        }
    }
    if verbatim {
        roff += ".fi\n.RE\n";
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_keep_indented_lines() {
        let notes = "With -j:\n\n  ifname  name\n\n  [x]\n\nAnd\nso\\on.";
        assert_eq!(
            notes_section(notes),
            ".SH NOTES\nWith \\-j:\n.PP\n.RS 4\n.nf\nifname  name\n\n[x]\n\n.fi\n.RE\n\
             And\nso\\eon.\n"
        );
        assert!(notes_section(".x").ends_with("\n\\&.x\n"));
    }

    #[test]
    fn every_listing_documents_its_json() {
        let mut command = Cli::command();
        command.build();
        for path in [
            &["port", "list"][..],
            &["service", "list"],
            &["backend", "list"],
            &["cpu", "list"],
            &["apply"],
            &["show"],
            &["pool"],
            &["stats"],
            &["connections"],
            &["generation"],
            &["generation", "rollback"],
            &["monitor"],
        ] {
            let mut found = &command;
            for name in path {
                found = found.find_subcommand(name).unwrap();
            }
            let man = Man::new(found.clone());
            let text = String::from_utf8(page(&man, found).unwrap()).unwrap();
            assert!(text.contains("\nWith \\-j, "), "{path:?}");
        }
    }
}
