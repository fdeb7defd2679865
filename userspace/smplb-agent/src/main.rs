// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program: see the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use smplb_agent::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("smplb-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
