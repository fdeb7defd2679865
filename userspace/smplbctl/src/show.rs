// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl show`: the whole configuration.

use anyhow::Result;
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::{Client, Error};

use crate::backend::{self, BackendRow};
use crate::config::write;
use crate::failure::Cannot;
use crate::service::{self, ServiceRow};
use crate::session::Session;
use crate::table::cell;

/// How often the configuration is read again when it changed meanwhile.
const TRIES: usize = 8;

const AFTER: &str = "\
With -j, an object with these keys:

  generation  generation that is active
  services    array of the services

Each of services has the keys of `smplbctl service list`, and:

  backends  array of its backends, with the keys of `smplbctl backend list`";

/// Show the whole configuration as a tree.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// Print a file that `smplbctl apply` accepts
    #[arg(long, conflicts_with = "json")]
    toml: bool,
}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let tree = session
            .client()
            .and_then(|mut client| Tree::read(&mut client));
        let tree = tree.cannot(|| "show the configuration")?;
        match (session.json(), self.toml) {
            (true, _) => session.print_json(&tree),
            (_, true) => session.print(&write::toml(&tree)),
            (_, false) => session.print(&tree.text()),
        }
    }
}

/// The services with their backends.
#[derive(Debug, Serialize)]
pub struct Tree {
    /// The generation they are of.
    pub generation: Option<u64>,
    /// The services in the order of their names.
    pub services: Vec<Branch>,
}

/// A service with its backends.
#[derive(Debug, Serialize)]
pub struct Branch {
    /// The service.
    #[serde(flatten)]
    pub service: ServiceRow,
    /// Its backends in the order of their names.
    pub backends: Vec<BackendRow>,
}

impl Tree {
    /// Services and backends are two lists: both are read again until neither belongs to another
    /// generation than the other.
    fn read<T: Transport>(client: &mut Client<T>) -> smplb_nl::Result<Self> {
        for _ in 0..TRIES {
            let before = client.generation()?.active;
            let services = client.services()?;
            let backends = client.backends(None)?;
            if client.generation()?.active == before {
                let services = service::rows(&services);
                return Ok(Self::grow(before, services, backend::rows(&backends)));
            }
        }
        Err(Error::Unsteady)
    }

    fn grow(
        generation: Option<u64>,
        services: Vec<ServiceRow>,
        mut backends: Vec<BackendRow>,
    ) -> Self {
        let branch = |service: ServiceRow| {
            let (own, rest) = std::mem::take(&mut backends)
                .into_iter()
                .partition(|backend: &BackendRow| backend.service == service.service);
            backends = rest;
            Branch {
                service,
                backends: own,
            }
        };
        Self {
            generation,
            services: services.into_iter().map(branch).collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("generation {}\n", cell(&self.generation));
        for Branch { service, backends } in &self.services {
            text += &format!(
                "{}  scheduler {}  mode {}  timeout {}{}\n",
                cell(&service.service),
                cell(&service.scheduler),
                cell(&service.mode),
                cell(&service.timeout),
                if service.announce == Some(false) {
                    "  no-announce"
                } else {
                    ""
                },
            );
            let name = |backend: &BackendRow| cell(&backend.key());
            let width = backends
                .iter()
                .map(|backend| name(backend).len())
                .max()
                .unwrap_or(0);
            for (at, backend) in backends.iter().enumerate() {
                let twig = if at + 1 == backends.len() {
                    "└─"
                } else {
                    "├─"
                };
                let weight = cell(&backend.weight);
                text += &format!("{twig} {:<width$}  weight {weight}\n", name(backend));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
