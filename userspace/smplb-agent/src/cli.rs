// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::Config;
use crate::server::tls::Material;
use crate::{daemon, log, print};

/// Tell the load balancer how loaded this server is.
///
/// The agent serves load reports as ORCA, Open Request Cost Aggregation, over gRPC: CPU and
/// memory utilization of the server, and from the application whatever the configuration names:
/// clients, requests and errors per second, execution time, any utilization.
///
/// Without a configuration it reports the system's figures on port 9470 of every address.
/// In a container, the limits of the container are 100 %. A CPU that is asked for more than it
/// has reads above 100 %.
///
/// SIGHUP makes it read its configuration and its certificates again; a configuration with an
/// error is refused and the old one stays. Only the addresses it listens on, the log and
/// max-streams need a restart.
#[derive(Parser)]
#[command(
    name = "smplb-agent",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = AFTER
)]
pub struct Cli {
    /// Configuration file
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read the configuration, say whether it is good, and end
    #[arg(long, requires = "config", conflicts_with = "print")]
    check: bool,

    /// Serve reports here, whatever the configuration says
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Print one report as JSON, after a second of looking, and end
    #[arg(long)]
    print: bool,

    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER: &str = "\
Files:

  /etc/smplb/smplb-agent.toml  configuration of the system service; the example that comes with
                               smplb explains every key

Signals:

  SIGHUP           read the configuration and the certificates again
  SIGTERM, SIGINT  end every stream, and end

Exit status: 0 when it was ended by a signal or has done what was asked, 1 on an error, which is \
on standard error, 2 when the command line is wrong.";

#[derive(Subcommand)]
enum Command {
    #[command(hide = true)]
    Man(smplb_pages::Args),
}

/// The command line as clap knows it, for man pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

impl Cli {
    /// Does what the command line asks for.
    pub fn run(self) -> Result<()> {
        if let Some(Command::Man(args)) = self.command {
            return args.run(command);
        }
        let mut config = match &self.config {
            Some(file) => Config::read(file)?,
            None => Config::default(),
        };
        if let Some(listen) = self.listen {
            config.listen = Some(listen);
        }
        if self.check {
            if let Some(tls) = &config.tls {
                Material::read(tls)?.config()?;
            }
            if let Some(file) = &self.config {
                println!("{}: good", file.display());
            }
            return Ok(());
        }
        log::start(&config);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Only names and files are looked up there.
            .max_blocking_threads(4)
            .thread_stack_size(256 << 10)
            .build()
            .context("cannot start the runtime")?;
        let outcome = if self.print {
            runtime.block_on(print::once(config))
        } else {
            runtime.block_on(daemon::run(config, self.config, self.listen))
        };
        // A file that cannot be read now (a dead network share) must not keep the process.
        runtime.shutdown_background();
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn a_check_needs_a_configuration() {
        assert!(Cli::try_parse_from(["smplb-agent", "--check"]).is_err());
        assert!(Cli::try_parse_from(["smplb-agent", "--check", "-c", "x"]).is_ok());
        assert!(Cli::try_parse_from(["smplb-agent"]).is_ok());
    }

    #[test]
    fn page_and_completions_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let args = smplb_pages::Args {
            dir: dir.path().join("man"),
            completions: Some(dir.path().join("completions")),
        };
        args.run(command).unwrap();
        let page = std::fs::read_to_string(dir.path().join("man/smplb-agent.8")).unwrap();
        for words in [
            "\\-\\-config",
            "\\-\\-print",
            "/etc/smplb/smplb\\-agent.toml",
            "SIGHUP",
        ] {
            assert!(page.contains(words), "{words}");
        }
        assert!(!page.contains("completions"), "the hidden command shows");
        assert!(!page.contains("subcommands"), "{page}");
        assert!(dir.path().join("completions/_smplb-agent").exists());
    }
}
