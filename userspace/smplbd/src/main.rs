// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbd`: the load daemon of the smplb packet switch.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use smplbd::cli::Cli;
use smplbd::daemon;

fn main() -> ExitCode {
    match daemon::main(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smplbd: {error:#}");
            ExitCode::FAILURE
        }
    }
}
