// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask`: everything around the module that is not the module.
//!
//! One file per verb; what verbs share is in files of its own.

#![forbid(unsafe_code)]

mod apt;
mod bench;
mod build;
mod cache;
mod codegen;
mod demo;
mod kernel;
mod ktap;
mod lock;
mod modules;
mod progress;
mod repo;
mod run;
mod scenario;
mod setup;
mod source;
mod tally;
mod test;
mod toolchain;
mod vm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Set-up, kernel, module, virtual machine, tests and benches of smplb.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install the packages and tools everything else needs
    Setup(setup::Args),
    /// Fetch, configure and build the kernel the VM runs
    Kernel(kernel::Choice),
    /// Build smplb.ko for that kernel, and the user space
    Build(build::Args),
    /// The virtual machine
    #[command(subcommand)]
    Vm(vm::Verb),
    /// Run the main job in the VM: balance real HTTP, and show it
    Demo(demo::Args),
    /// Run all tests
    Test(test::Args),
    /// Count instructions per packet, of IPVS and of smplb
    Bench(bench::Args),
    /// Generate the netlink tables from their specification
    Codegen(codegen::Args),
}

fn main() -> ExitCode {
    match run_verb(Cli::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            // One line of causes, without the backtrace of a crash.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_verb(verb: Verb) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match verb {
        Verb::Setup(args) => setup::main(&args).map(done),
        Verb::Kernel(args) => kernel::main(&args).map(done),
        Verb::Build(args) => build::main(&args).map(done),
        Verb::Vm(vm::Verb::Run(args)) => vm::main(&args),
        Verb::Demo(args) => demo::main(&args),
        Verb::Test(args) => test::main(&args),
        Verb::Bench(args) => bench::main(&args),
        Verb::Codegen(args) => codegen::main(&args).map(done),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
