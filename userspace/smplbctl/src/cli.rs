// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line.

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use smplb_nl::socket::Transport;

use crate::session::Session;
use crate::{
    apply, backend, connections, cpu, generation, monitor, pool, port, service, show, stats, top,
};

/// Control of the smplb packet switch and load balancer.
///
/// smplb.ko turns a machine into a layer-4 packet switch and server load balancer. A port is a
/// NIC that the switch has claimed; behind it stands a pseudo interface, smplbN, for the host. A
/// service is a protocol, a virtual address and a port; its backends are the real servers.
///
/// Every command acts on the network namespace it is run in, and needs CAP_NET_ADMIN there to
/// change anything.
#[derive(Parser)]
#[command(
    name = "smplbctl",
    version,
    arg_required_else_help = true,
    after_long_help = AFTER
)]
pub struct Cli {
    /// Print JSON, on one line
    #[arg(short, long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "\
Exit status:

  0  done
  1  refused; the reason is on standard error, as the kernel gave it
  2  the command line is wrong

Examples:

  smplbctl port add eth1
  smplbctl port add 0000:00:02.0 --driver virtio_net
  smplbctl service add tcp:192.0.2.1:80 --scheduler lc
  smplbctl backend add tcp:192.0.2.1:80 10.0.0.1:8080 --weight 5
  smplbctl -j backend list | jq '.[].active'";

/// What to do. Variants without a comment have it on their arguments.
#[derive(Subcommand)]
pub enum Command {
    /// Claim NICs and give them back
    #[command(subcommand)]
    Port(port::Command),
    /// Virtual addresses that are balanced
    #[command(subcommand)]
    Service(service::Command),
    /// The real servers of a service
    #[command(subcommand)]
    Backend(backend::Command),
    /// CPUs that do nothing but switch
    #[command(subcommand)]
    Cpu(cpu::Command),
    Run(cpu::run::Args),
    Apply(apply::Args),
    Show(show::Args),
    Pool(pool::Args),
    Stats(stats::Args),
    Top(top::Args),
    Connections(connections::Args),
    Generation(generation::Args),
    Monitor(monitor::Args),
    #[command(hide = true)]
    Man(smplb_pages::Args),
}

impl Command {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        match self {
            Self::Port(command) => command.run(session),
            Self::Service(command) => command.run(session),
            Self::Backend(command) => command.run(session),
            Self::Cpu(command) => command.run(session),
            Self::Run(args) => args.run(session),
            Self::Apply(args) => args.run(session),
            Self::Show(args) => args.run(session),
            Self::Pool(args) => args.run(session),
            Self::Stats(args) => args.run(session),
            Self::Top(args) => args.run(session),
            Self::Connections(args) => args.run(session),
            Self::Generation(args) => args.run(session),
            Self::Monitor(args) => args.run(session),
            Self::Man(args) => args.run(Cli::command),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(line: &str) -> String {
        let words = line.split_whitespace();
        match Cli::try_parse_from(std::iter::once("smplbctl").chain(words)) {
            Ok(_) => panic!("{line} is accepted"),
            Err(error) => {
                assert_eq!(error.exit_code(), 2, "{line}");
                error.to_string()
            }
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_cannot_be_parsed_is_wrong_usage() {
        for (line, reason) in [
            (
                "service add tcp:1.2.3.4:70000",
                "70000 is not a port number",
            ),
            ("service add tcp:1.2.3.4", "not PROTO:ADDR:PORT"),
            ("service add sctp:1.2.3.4:80", "sctp is neither tcp nor udp"),
            ("service add tcp:1.2.3:80", "1.2.3 is not an IPv4 address"),
            (
                "service add tcp:1.2.3.4:80 --scheduler best",
                "possible values: wrr, lc",
            ),
            (
                "service add tcp:1.2.3.4:80 --mode tun",
                "possible values: nat, dr",
            ),
            (
                "service add tcp:1.2.3.4:80 --timeout -1",
                "unexpected argument '-1'",
            ),
            ("service set tcp:1.2.3.4:80", "required"),
            (
                "service set tcp:1.2.3.4:80 --announce --no-announce",
                "cannot be used with",
            ),
            ("backend add tcp:1.2.3.4:80", "required"),
            (
                "backend add tcp:1.2.3.4:80 10.0.0.1:",
                " is not a port number",
            ),
            (
                "backend add tcp:1.2.3.4:80 10.0.0.1 --weight 5000000000",
                "5000000000",
            ),
            ("backend set tcp:1.2.3.4:80 10.0.0.1", "--weight"),
            ("port add", "NIC"),
            ("port set smplb0", "--cpu"),
            ("port add eth0 --cpu one", "is no list of CPUs"),
            ("cpu isolate", "CPULIST"),
            ("cpu isolate 3-2", "\"3-2\" is no list of CPUs, as 2-3,6 is"),
            ("cpu release x", "is no list of CPUs"),
            ("apply", "FILE"),
            ("apply f --expect-generation x", "invalid digit"),
            ("top --interval 0", "not between 0.01 and 3600 seconds"),
            ("top --interval now", "no number of seconds"),
            ("top --once --batch 2", "cannot be used with"),
            (
                "top --metrics https://a/",
                "https://a/ is not http://HOST[:PORT]/PATH",
            ),
            ("frobnicate", "unrecognized subcommand"),
        ] {
            let text = refused(line);
            assert!(text.contains(reason), "{line}: {text}");
        }
    }

    #[test]
    fn what_the_kernel_should_judge_is_left_to_it() {
        for line in [
            "service add tcp:224.0.0.1:0 --timeout 0",
            "backend add udp:1.2.3.4:80 10.0.0.1:0 --weight 65536",
            "port add lo --name a-name-that-is-too-long --cpu 4096 --driver none",
        ] {
            let words = line.split_whitespace();
            let parsed = Cli::try_parse_from(std::iter::once("smplbctl").chain(words));
            assert!(parsed.is_ok(), "{line}");
        }
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
            &["top"],
            &["connections"],
            &["generation"],
            &["generation", "rollback"],
            &["monitor"],
        ] {
            let mut found = &command;
            for name in path {
                found = found.find_subcommand(name).unwrap();
            }
            let notes = found.get_after_long_help().unwrap().to_string();
            assert!(
                notes.starts_with("With -j, ") || notes.contains("\nWith -j, "),
                "{path:?}"
            );
        }
    }
}
