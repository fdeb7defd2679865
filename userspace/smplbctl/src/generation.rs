// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl generation`: the numbers of the published tables.

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::Generation;

use crate::failure::Cannot;
use crate::session::{warn, Session};
use crate::table::{cell, Column, Row};

const AFTER: &str = "\
With -j, an object with these keys; a value is null when the kernel told none:

  active    generation that engines use
  standby   generation that a rollback would make active, null when there is none
  services  services of the active generation
  backends  backends of the active generation
  flips     how often the tables have been exchanged";

/// Show the generations of the tables, or go back by one.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Make the standby table active again, and show what is active then
    #[command(after_long_help = AFTER)]
    Rollback,
}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let generation = match self.command {
            None => {
                let generation = session.client().and_then(|mut client| client.generation());
                generation.cannot(|| "show the generation")?
            }
            Some(Command::Rollback) => {
                let roll_back = || {
                    let mut client = session.client()?;
                    let generation = client.rollback()?;
                    warn(client.take_warnings());
                    Ok(generation)
                };
                roll_back().cannot(|| "roll back")?
            }
        };
        session.one(&GenerationRow::from(&generation))
    }
}

/// The generations as they are shown.
#[derive(Debug, Serialize)]
pub struct GenerationRow {
    active: Option<u64>,
    standby: Option<u64>,
    services: Option<u32>,
    backends: Option<u32>,
    flips: Option<u64>,
}

impl From<&Generation> for GenerationRow {
    fn from(generation: &Generation) -> Self {
        Self {
            active: generation.active,
            standby: generation.standby,
            services: generation.services,
            backends: generation.backends,
            flips: generation.flips,
        }
    }
}

impl Row for GenerationRow {
    const COLUMNS: &'static [Column] = &[
        Column::Right("ACTIVE"),
        Column::Right("STANDBY"),
        Column::Right("SERVICES"),
        Column::Right("BACKENDS"),
        Column::Right("FLIPS"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            cell(&self.active),
            cell(&self.standby),
            cell(&self.services),
            cell(&self.backends),
            cell(&self.flips),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{documented, keys_of, Bench};
    use smplb_nl::Command;

    fn generation(active: u64, standby: Option<u64>) -> Generation {
        Generation {
            active: Some(active),
            standby,
            services: Some(2),
            backends: Some(12),
            flips: Some(6),
        }
    }

    #[test]
    fn a_table() {
        let mut bench = Bench::default();
        bench
            .kernel()
            .reply(Command::GenerationGet, &generation(7, None));
        assert_eq!(
            bench.run("generation").unwrap(),
            "ACTIVE  STANDBY  SERVICES  BACKENDS  FLIPS\n\
             \x20    7        -         2        12      6\n"
        );
    }

    #[test]
    fn rollback_shows_what_is_active_then() {
        let mut bench = Bench::default();
        bench
            .kernel()
            .reply(Command::GenerationRollback, &generation(6, Some(7)));
        let json = bench.run("-j generation rollback").unwrap();
        assert_eq!(
            json,
            "{\"active\":6,\"standby\":7,\"services\":2,\"backends\":12,\"flips\":6}\n"
        );
        assert_eq!(keys_of(&json), documented(AFTER));
        assert_eq!(bench.commands(), [Command::GenerationRollback as u8]);
    }

    #[test]
    fn nothing_to_go_back_to() {
        let mut bench = Bench::default();
        bench.kernel().refuse(2, "no standby generation", None);
        let error = bench.run("generation rollback").unwrap_err();
        assert_eq!(error, "cannot roll back: no standby generation");
    }
}
