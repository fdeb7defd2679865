// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs the experiments and writes their plots and results.

#![forbid(unsafe_code)]

use std::fs;
use std::path::PathBuf;

use anyhow::{bail, Context, Result};
use clap::Parser;
use smplb_sim::experiment::{Size, ALL};

/// Run the experiments of load feedback; write plots and results.md.
#[derive(Debug, Parser)]
struct Options {
    /// Directory to write into
    #[arg(long, value_name = "DIRECTORY")]
    out: PathBuf,
    /// Run only this experiment (may be given more than once), and print its results instead of
    /// writing results.md
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// A tenth of the requests: to see whether everything works
    #[arg(long)]
    quick: bool,
}

const HEAD: &str = "\
# Load feedback: results of the simulator

Written by `cargo run --release -p smplb-sim -- --out Documentation/load`; do not edit. The
simulator drives the real master and the slot lists of the switch; the same seed gives the same
figures.
";

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(name) = options
        .only
        .iter()
        .find(|name| ALL.iter().all(|known| known.name != **name))
    {
        let names: Vec<_> = ALL.iter().map(|experiment| experiment.name).collect();
        bail!(
            "no experiment is called {name}; there are {}",
            names.join(", ")
        );
    }
    let size = if options.quick {
        Size::Quick
    } else {
        Size::Full
    };
    let name = || format!("cannot write to {}", options.out.display());
    fs::create_dir_all(&options.out).with_context(name)?;
    let mut text = HEAD.to_string();
    for experiment in ALL {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == experiment.name) {
            continue;
        }
        eprintln!("{}", experiment.name);
        let section = (experiment.run)(&options.out, size)?;
        if !options.only.is_empty() {
            println!("{section}");
        }
        text += "\n";
        text += &section;
    }
    if options.only.is_empty() {
        fs::write(options.out.join("results.md"), text).with_context(name)?;
    }
    Ok(())
}
