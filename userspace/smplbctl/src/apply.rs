// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl apply`: a whole configuration in one generation.

use std::fs;
use std::io::{self, Read};

use anyhow::{anyhow, Context, Result};
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::{Config, Error};

use crate::config::{Document, Fault, Place};
use crate::failure::cannot;
use crate::session::{warn, Session};
use crate::table::cell;

const AFTER: &str = "\
The file is TOML:

  [[service]]
  address = \"tcp:192.0.2.1:80\"   # required, PROTO:ADDR:PORT
  scheduler = \"wrr\"              # or \"lc\"
  mode = \"nat\"                   # or \"dr\"
  timeout = 900                  # seconds
  announce = true

  [[service.backend]]
  address = \"10.0.0.1:8080\"      # required; the port of the service when left out
  weight = 5

What is left out has the default of `smplbctl service add` and `smplbctl backend add`. Services
and backends that are not in the file are deleted, those that are keep their connections. When
anything is wrong, each fault is told with file, line, column and key, and nothing is applied.

With -j, an object with these keys:

  generation   the generation that was made, or would be
  slots_moved  slots whose backend differs from the generation before
  dry_run      whether the file was only checked";

/// Replace the whole configuration by that of a file, in one generation.
///
/// No packet is switched by a mixture of the old and the new.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// The file, or - for standard input
    file: String,
    /// Only check it; the kernel checks too, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Refuse unless this generation is active, so that a change of somebody else is not undone
    #[arg(long, value_name = "N")]
    expect_generation: Option<u64>,
}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let (name, text) = self.text()?;
        let document = Document::read(&text).map_err(|faults| wrong(&name, &text, &faults))?;
        let request = Config {
            dry_run: self.dry_run,
            expect_generation: self.expect_generation,
            ..document.request()
        };
        let apply = || {
            let mut client = session.client()?;
            let done = client.apply(&request)?;
            warn(client.take_warnings());
            Ok(done)
        };
        let done = apply().map_err(|error| refused(&name, &text, &document, error))?;
        let report = Report {
            generation: done.generation,
            slots_moved: done.slots_moved,
            dry_run: self.dry_run,
        };
        match session.json() {
            true => session.print_json(&report),
            false => session.print(&report.text()),
        }
    }

    fn text(&self) -> Result<(String, String)> {
        let (name, bytes) = match self.file.as_str() {
            "-" => {
                let mut bytes = Vec::new();
                let read = io::stdin().read_to_end(&mut bytes);
                ("<stdin>".to_owned(), read.map(|_| bytes))
            }
            file => (file.to_owned(), fs::read(file)),
        };
        let bytes = bytes.with_context(|| format!("cannot read {name}"))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            anyhow!(
                "cannot apply {}: not UTF-8",
                Place::new(&name, &text, valid)
            )
        })?;
        Ok((name, text))
    }
}

/// Every fault of a file, the first on the line of the error and each other on its own.
fn wrong(name: &str, text: &str, faults: &[Fault]) -> anyhow::Error {
    let mut faults = faults.to_vec();
    faults.sort_by_key(|fault| fault.span.start);
    let lines = faults.iter().map(|Fault { span, key, reason }| {
        let place = Place::new(name, text, span.start);
        match key {
            Some(key) => format!("{place}: {key}: {reason}"),
            None => format!("{place}: {reason}"),
        }
    });
    let lines: Vec<_> = lines.collect();
    anyhow!(
        "cannot apply {name}, nothing is changed:\n{}",
        lines.join("\n")
    )
}

/// The kernel's refusal, with the place of what it refused.
fn refused(name: &str, text: &str, document: &Document, error: Error) -> anyhow::Error {
    let path = match &error {
        Error::Refused(refusal) => refusal.attribute.as_ref().or(refusal.missing.as_ref()),
        _ => None,
    };
    match path.and_then(|path| document.place_of(path)) {
        Some((span, key)) => {
            let place = Place::new(name, text, span.start);
            anyhow!("cannot apply {name}, nothing is changed:\n{place}: {key}: {error}")
        }
        None => cannot(format!("apply {name}"), error),
    }
}

#[derive(Debug, Serialize)]
struct Report {
    generation: Option<u64>,
    slots_moved: Option<u64>,
    dry_run: bool,
}

impl Report {
    fn text(&self) -> String {
        format!(
            "{} {}, slots moved: {}\n",
            if self.dry_run {
                "would make generation"
            } else {
                "generation"
            },
            cell(&self.generation),
            cell(&self.slots_moved),
        )
    }
}

#[cfg(test)]
mod tests;
