// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs a command line against a kernel that plays back answers.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use clap::Parser;
use smplb_nl::fake::Fake;

use crate::cli::Cli;
use crate::session::Session;

/// A kernel and the program.
#[derive(Default)]
pub struct Bench(Rc<RefCell<Fake>>);

impl Bench {
    /// The kernel.
    pub fn kernel(&mut self) -> RefMut<'_, Fake> {
        self.0.borrow_mut()
    }

    /// Runs `smplbctl` with these words; what it prints, or the error it prints.
    pub fn run(&mut self, line: &str) -> Result<String, String> {
        let words = line.split_whitespace();
        let cli = Cli::try_parse_from(std::iter::once("smplbctl").chain(words))
            .map_err(|error| error.to_string())?;
        let mut out = Vec::new();
        let connect = |_| Ok(Rc::clone(&self.0));
        let outcome = cli
            .command
            .run(&mut Session::new(cli.json, &mut out, &connect));
        outcome.map_err(|error| format!("{error:#}"))?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    /// The commands of the generic netlink requests so far.
    pub fn commands(&mut self) -> Vec<u8> {
        self.kernel()
            .asked
            .iter()
            .map(|request| request[16])
            .collect()
    }
}

/// The keys of an object, or of the first object of an array.
pub fn keys_of(json: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let object = value.get(0).unwrap_or(&value).as_object().unwrap();
    let mut keys: Vec<_> = object.keys().cloned().collect();
    keys.sort();
    keys
}

/// The keys that a help text documents.
pub fn documented(help: &str) -> Vec<String> {
    let lines = help.lines().filter_map(|line| line.strip_prefix("  "));
    let mut keys: Vec<_> = lines
        .filter_map(|line| line.split_once("  "))
        .map(|(key, _)| key.to_owned())
        .collect();
    keys.sort();
    keys
}
