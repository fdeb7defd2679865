// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl monitor`: generations as they become active.

use anyhow::Result;
use smplb_nl::socket::Transport;
use smplb_nl::Generation;

use crate::failure::Cannot;
use crate::generation::GenerationRow;
use crate::session::Session;
use crate::table::cell;

const AFTER: &str = "\
With -j, one object per line, with the keys of `smplbctl generation`:

  active    generation that became active
  standby   generation that a rollback would make active, null when there is none
  services  services of the active generation
  backends  backends of the active generation
  flips     how often the tables have been exchanged";

/// Print generations as they become active, until interrupted.
///
/// When more of them come than can be printed, some are left out, never the last.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// Stop after this many
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let mut monitor = session.monitor().cannot(|| "monitor generations")?;
        for _ in 0..self.count.unwrap_or(u64::MAX) {
            let generation = match monitor.wait() {
                Err(error) if error.is_overrun() => {
                    session.client().and_then(|mut client| client.generation())
                }
                other => other,
            };
            tell(session, &generation.cannot(|| "monitor generations")?)?;
        }
        Ok(())
    }
}

fn tell<T: Transport>(session: &mut Session<'_, T>, generation: &Generation) -> Result<()> {
    let line = match session.json() {
        true => serde_json::to_string(&GenerationRow::from(generation))?,
        false => format!(
            "generation {}  standby {}  services {}  backends {}",
            cell(&generation.active),
            cell(&generation.standby),
            cell(&generation.services),
            cell(&generation.backends),
        ),
    };
    session.print_now(&(line + "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{documented, keys_of, Bench};
    use smplb_nl::{fake, Command};
    use std::io;

    fn generation(active: u64) -> Generation {
        Generation {
            active: Some(active),
            services: Some(1),
            ..Generation::default()
        }
    }

    fn news(active: u64) -> Vec<u8> {
        fake::message(Command::GenerationNtf, &generation(active))
    }

    #[test]
    fn a_line_each() {
        let mut bench = Bench::default();
        bench.kernel().answer(vec![news(4), news(5)]);
        assert_eq!(
            bench.run("monitor --count 2").unwrap(),
            "generation 4  standby -  services 1  backends -\n\
             generation 5  standby -  services 1  backends -\n"
        );
    }

    #[test]
    fn an_object_each() {
        let mut bench = Bench::default();
        bench.kernel().answer(vec![news(4)]);
        let json = bench.run("monitor -j --count 1").unwrap();
        assert_eq!(
            json,
            "{\"active\":4,\"standby\":null,\"services\":1,\"backends\":null,\"flips\":null}\n"
        );
        assert_eq!(keys_of(&json), documented(AFTER));
    }

    #[test]
    fn after_an_overrun_what_is_active_is_asked_for() {
        let mut bench = Bench::default();
        bench.kernel().answer(vec![news(4)]);
        bench.kernel().fail(io::Error::from_raw_os_error(105));
        bench
            .kernel()
            .reply(Command::GenerationGet, &generation(99));
        let text = bench.run("monitor --count 2").unwrap();
        assert!(
            text.lines().last().unwrap().starts_with("generation 99 "),
            "{text}"
        );
    }
}
