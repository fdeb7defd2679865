// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to the kernel and to the terminal.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;
use smplb_nl::link::Links;
use smplb_nl::socket::Transport;
use smplb_nl::{Client, Monitor};

use crate::pci::Bus;
use crate::table::{self, Row};

/// A netlink protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Generic netlink: everything but the links.
    Generic,
    /// rtnetlink: the links.
    Route,
}

/// Makes sockets.
pub type Connect<'a, T> = &'a dyn Fn(Protocol) -> io::Result<T>;

/// One run of the program.
pub struct Session<'a, T> {
    json: bool,
    out: &'a mut dyn Write,
    connect: Connect<'a, T>,
    bus: Bus,
}

impl<T> Session<'_, T> {
    /// The PCI bus of the machine.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }
}

impl<'a, T: Transport> Session<'a, T> {
    /// A session that prints JSON or tables to `out`.
    pub fn new(json: bool, out: &'a mut dyn Write, connect: Connect<'a, T>) -> Self {
        Self {
            json,
            out,
            connect,
            bus: Bus::default(),
        }
    }

    /// A connection to the module. A socket is made only when a command gets as far as to need
    /// it, so that a wrong file is told without the module.
    pub fn client(&self) -> smplb_nl::Result<Client<T>> {
        Client::over((self.connect)(Protocol::Generic)?)
    }

    /// A connection that makes and removes links.
    pub fn links(&self) -> smplb_nl::Result<Links<T>> {
        Ok(Links::over((self.connect)(Protocol::Route)?))
    }

    /// A connection that tells of generations.
    pub fn monitor(&self) -> smplb_nl::Result<Monitor<T>> {
        Monitor::over((self.connect)(Protocol::Generic)?)
    }

    /// Whether JSON is wanted.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Prints a list as a table or as a JSON array.
    pub fn list<R: Row>(&mut self, rows: &[R]) -> Result<()> {
        match self.json {
            true => self.print_json(rows),
            false => self.print(&table::render(rows)),
        }
    }

    /// Prints one thing as a table of one row or as a JSON object.
    pub fn one<R: Row>(&mut self, row: &R) -> Result<()> {
        match self.json {
            true => self.print_json(row),
            false => self.print(&table::render(std::slice::from_ref(row))),
        }
    }

    /// Prints JSON on one line.
    pub fn print_json(&mut self, value: &(impl Serialize + ?Sized)) -> Result<()> {
        let mut line = serde_json::to_string(value)?;
        line.push('\n');
        self.print(&line)
    }

    /// Prints text that ends with a line feed.
    pub fn print(&mut self, text: &str) -> Result<()> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    /// Prints one line, and does not keep it back.
    pub fn print_now(&mut self, text: &str) -> Result<()> {
        self.print(text)?;
        Ok(self.out.flush()?)
    }
}

/// Tells the warnings that the kernel gave with what it did.
pub fn warn(warnings: Vec<String>) {
    for warning in warnings {
        eprintln!("smplbctl: warning: {warning}");
    }
}
