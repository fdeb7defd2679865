// SPDX-License-Identifier: MIT OR Apache-2.0
//! One man page.

use std::io;

use clap::Command;
use clap_mangen::Man;

use super::shown;

/// A page: as clap has it, then the notes that follow the options.
///
/// # Errors
///
/// None but those of the memory it is written to.
pub fn page(man: &Man, command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let mut synopsis = Vec::new();
    man.render_synopsis_section(&mut synopsis)?;
    let mut synopsis = String::from_utf8_lossy(&synopsis).into_owned();
    if shown(command).next().is_none() {
        // Hidden ones are nothing for readers.
        synopsis = synopsis.replace(" [\\fIsubcommands\\fR]", "");
    }
    page.extend(synopsis.bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if shown(command).next().is_some() {
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
}
