// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl backend`: the real servers of a service.

use std::net::Ipv4Addr;

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::Backend;

use crate::failure::Cannot;
use crate::key::{shown, BackendKey, ServiceKey};
use crate::service::change;
use crate::session::Session;
use crate::table::{cell, Column, Row};

const LIST_AFTER: &str = "\
With -j, an array of objects with these keys; a value is null when the kernel told none:

  service        the service as PROTO:ADDR:PORT
  addr           address of the server
  port           port of the server
  weight         share of new connections
  id             index of the backend in the tables
  packets        packets to the backend
  bytes          bytes of them
  connections    connections given to the backend since it exists
  active         connections it has now
  reply_packets  packets from the backend to clients (mode nat)
  reply_bytes    bytes of them";

/// What to do with backends.
#[derive(Subcommand)]
pub enum Command {
    /// Add a backend to a service
    Add {
        #[command(flatten)]
        key: Key,
        /// Share of new connections, 0 to 65535; 0 gives no new ones and keeps the old
        #[arg(long, value_name = "N")]
        weight: Option<u32>,
    },
    /// Change the weight of a backend
    Set {
        #[command(flatten)]
        key: Key,
        /// Share of new connections, 0 to 65535; 0 gives no new ones and keeps the old
        #[arg(long, value_name = "N")]
        weight: u32,
    },
    /// Delete a backend; its connections end with a reset
    Del {
        #[command(flatten)]
        key: Key,
    },
    /// List the backends, of one service or of all
    #[command(after_long_help = LIST_AFTER)]
    List {
        /// The service, as tcp:192.0.2.1:80
        service: Option<ServiceKey>,
    },
}

/// Which backend.
#[derive(clap::Args)]
pub struct Key {
    /// The service, as tcp:192.0.2.1:80
    service: ServiceKey,
    /// The server; without a port, the port of the service
    #[arg(value_name = "ADDR[:PORT]")]
    backend: BackendKey,
}

impl Key {
    fn message(&self, weight: Option<u32>) -> Backend {
        Backend {
            weight,
            ..self.backend.backend(self.service)
        }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of service {}", self.backend, self.service)
    }
}

impl Command {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        match self {
            Self::Add { key, weight } => {
                let backend = key.message(weight);
                change(session, |client| client.add_backend(&backend))
                    .cannot(|| format!("add backend {key}"))
            }
            Self::Set { key, weight } => {
                let backend = key.message(Some(weight));
                change(session, |client| client.set_backend(&backend))
                    .cannot(|| format!("set backend {key}"))
            }
            Self::Del { key } => {
                let backend = key.message(None);
                change(session, |client| client.delete_backend(&backend))
                    .cannot(|| format!("delete backend {key}"))
            }
            Self::List { service } => {
                let of = service.map(ServiceKey::def);
                let backends = session.client().and_then(|mut client| client.backends(of));
                let backends = backends.cannot(|| match service {
                    Some(service) => format!("list backends of service {service}"),
                    None => "list backends".to_owned(),
                })?;
                session.list(&rows(&backends))
            }
        }
    }
}

/// Backends as they are listed, in the order of their names.
pub fn rows(backends: &[Backend]) -> Vec<BackendRow> {
    let mut rows: Vec<_> = backends.iter().map(BackendRow::from).collect();
    rows.sort_by_key(|row| (row.service, row.addr, row.port));
    rows
}

/// A backend as it is listed.
#[derive(Debug, Serialize)]
pub struct BackendRow {
    #[serde(serialize_with = "shown")]
    pub service: Option<ServiceKey>,
    addr: Option<Ipv4Addr>,
    port: Option<u16>,
    pub weight: Option<u32>,
    id: Option<u32>,
    packets: Option<u64>,
    bytes: Option<u64>,
    connections: Option<u64>,
    pub active: Option<u64>,
    reply_packets: Option<u64>,
    reply_bytes: Option<u64>,
}

impl BackendRow {
    /// Its name inside its service.
    pub fn key(&self) -> Option<BackendKey> {
        Some(BackendKey {
            addr: self.addr?,
            port: self.port,
        })
    }
}

impl From<&Backend> for BackendRow {
    fn from(backend: &Backend) -> Self {
        Self {
            service: backend.service.as_ref().and_then(ServiceKey::of_def),
            addr: backend.addr,
            port: backend.port,
            weight: backend.weight,
            id: backend.id,
            packets: backend.packets,
            bytes: backend.bytes,
            connections: backend.connections,
            active: backend.active,
            reply_packets: backend.reply_packets,
            reply_bytes: backend.reply_bytes,
        }
    }
}

impl Row for BackendRow {
    const COLUMNS: &'static [Column] = &[
        Column::Left("SERVICE"),
        Column::Left("BACKEND"),
        Column::Right("WEIGHT"),
        Column::Right("ACTIVE"),
        Column::Right("CONNECTIONS"),
        Column::Right("PACKETS"),
        Column::Right("BYTES"),
        Column::Right("REPLY-PACKETS"),
        Column::Right("REPLY-BYTES"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            cell(&self.service),
            cell(&self.key()),
            cell(&self.weight),
            cell(&self.active),
            cell(&self.connections),
            cell(&self.packets),
            cell(&self.bytes),
            cell(&self.reply_packets),
            cell(&self.reply_bytes),
        ]
    }
}

#[cfg(test)]
mod tests;
