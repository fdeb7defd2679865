// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl`: control of the smplb packet switch and load balancer.
//!
//! One file per noun of the command line; what they share is in [`session`] (the way to the
//! kernel and to the terminal), [`key`] (names of objects), [`table`] and [`failure`].

#![forbid(unsafe_code)]

mod apply;
mod backend;
mod claim;
mod cli;
mod config;
mod connections;
mod cpu;
mod failure;
mod generation;
mod key;
mod monitor;
mod pci;
mod pool;
mod port;
mod service;
mod session;
mod show;
mod stats;
mod table;
#[cfg(test)]
mod testing;
mod top;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;
use smplb_nl::socket::Kernel;

use crate::cli::Cli;
use crate::session::{Protocol, Session};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = BufWriter::new(io::stdout().lock());
    let connect = |protocol| match protocol {
        Protocol::Generic => Kernel::generic(),
        Protocol::Route => Kernel::route(),
    };
    let mut session = Session::new(cli.json, &mut out, &connect);
    let outcome = cli.command.run(&mut session);
    match outcome.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough, as `head` has.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smplbctl: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
