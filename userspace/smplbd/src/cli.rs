// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::relay;

const AFTER: &str = "\
Signals:

  SIGHUP   reads the file again; a bad one is refused and the old goes on
  SIGTERM  ends; the switch goes on with the shares it has

Exit status:

  0  done
  1  failed; the reason is on standard error
  2  the command line is wrong

Examples:

  smplbd --config /etc/smplb/smplbd.toml --check
  smplbd relay --listen 192.0.2.1:9471 --certificate relay.pem --key relay.key --client-ca ca.pem";

/// Follows the load and the health of servers, and tells the smplb packet switch their shares.
///
/// It starts from the configuration that the switch has, and changes nothing of it until there is
/// a reason: a report, a failed check, a word of an administrator, or a difference between the file
/// and the switch.
#[derive(Debug, Parser)]
#[command(
    name = "smplbd",
    version,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_long_help = AFTER
)]
pub struct Cli {
    /// The configuration, TOML
    #[arg(long, value_name = "FILE", required = true)]
    pub config: Option<PathBuf>,
    /// Only check the configuration
    #[arg(long)]
    pub check: bool,

    /// What to do instead.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of running the daemon. Variants have their comments on their arguments.
#[allow(missing_docs)]
#[derive(Debug, Subcommand)]
pub enum Command {
    Relay(relay::Args),
    #[command(hide = true)]
    Man(smplb_pages::Args),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("smplbd").chain(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        assert!(parse("--config f --check").unwrap().check);
    }

    #[test]
    fn a_relay_without_mutual_tls_cannot_be_asked_for() {
        let whole = "relay --listen 127.0.0.1:1 --certificate c --key k --client-ca a";
        assert!(parse(whole).is_ok());
        for part in ["--certificate c", "--key k", "--client-ca a"] {
            let error = parse(&whole.replace(part, "")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{part}");
        }
    }

    #[test]
    fn what_cannot_be_parsed_is_wrong_usage() {
        for line in [
            "--check",
            "--config",
            "relay --listen x",
            "--config f relay",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn pages_and_completions_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let args = smplb_pages::Args {
            dir: dir.path().join("man"),
            completions: Some(dir.path().join("completions")),
        };
        args.run(Cli::command).unwrap();
        let page = std::fs::read_to_string(dir.path().join("man/smplbd.8")).unwrap();
        assert!(page.contains("SIGHUP"), "{page}");
        let page = std::fs::read_to_string(dir.path().join("man/smplbd-relay.8")).unwrap();
        assert!(page.contains("client\\-ca"), "{page}");
        assert!(!dir.path().join("man/smplbd-man.8").exists());
        assert!(dir.path().join("completions/_smplbd").exists());
    }
}
