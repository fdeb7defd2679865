// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl service`: virtual addresses that are balanced.

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::Subcommand;
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::{Client, Mode, Scheduler, Service};

use crate::failure::Cannot;
use crate::key::{shown, Protocol, ServiceKey};
use crate::session::{warn, Session};
use crate::table::{cell, yes_no, Column, Row};

const LIST_AFTER: &str = "\
With -j, an array of objects with these keys; a value is null when the kernel told none:

  service      the service as PROTO:ADDR:PORT
  protocol     tcp or udp
  addr         virtual address
  port         virtual port
  scheduler    wrr or lc
  mode         nat or dr
  timeout      seconds after which an idle established connection is forgotten
  announce     whether the switch answers ARP for the address
  id           index of the service in the tables
  generation   generation that last changed the service
  packets      packets from clients
  bytes        bytes of them
  connections  connections made since the service exists
  slots        length of the slot list that new connections are taken from";

/// What to do with services.
#[derive(Subcommand)]
pub enum Command {
    /// Add a service
    Add {
        /// The service, as tcp:192.0.2.1:80
        #[arg(value_name = "PROTO:ADDR:PORT")]
        service: ServiceKey,
        #[command(flatten)]
        options: Options,
    },
    /// Change a service; what is not given stays as it is
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true)
        .args(["scheduler", "mode", "timeout", "announce", "no_announce"]))]
    Set {
        /// The service, as tcp:192.0.2.1:80
        #[arg(value_name = "PROTO:ADDR:PORT")]
        service: ServiceKey,
        #[command(flatten)]
        options: Options,
    },
    /// Delete a service with its backends
    Del {
        /// The service, as tcp:192.0.2.1:80
        #[arg(value_name = "PROTO:ADDR:PORT")]
        service: ServiceKey,
    },
    /// List the services
    #[command(after_long_help = LIST_AFTER)]
    List,
}

/// What can be chosen about a service.
#[derive(clap::Args)]
pub struct Options {
    /// How a new connection is given to a backend: weighted round-robin, or fewest connections
    /// per weight
    #[arg(long, value_parser = scheduler_parser())]
    scheduler: Option<Scheduler>,
    /// What is rewritten in a packet to a backend: MAC, IP address and port, or the MAC only
    #[arg(long, value_parser = mode_parser())]
    mode: Option<Mode>,
    /// Idle time after which an established connection is forgotten
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// Answer ARP for the address and announce it
    #[arg(long, conflicts_with = "no_announce")]
    announce: bool,
    /// Leave ARP for the address to others
    #[arg(long)]
    no_announce: bool,
}

fn scheduler_parser() -> impl TypedValueParser<Value = Scheduler> {
    let names = Scheduler::ALL
        .iter()
        .filter_map(|scheduler| scheduler.name());
    PossibleValuesParser::new(names).try_map(|name| scheduler_of(&name).ok_or("unknown scheduler"))
}

fn mode_parser() -> impl TypedValueParser<Value = Mode> {
    let names = Mode::ALL.iter().filter_map(|mode| mode.name());
    PossibleValuesParser::new(names).try_map(|name| mode_of(&name).ok_or("unknown mode"))
}

/// The scheduler of this name.
pub fn scheduler_of(name: &str) -> Option<Scheduler> {
    Scheduler::ALL
        .iter()
        .copied()
        .find(|known| known.name() == Some(name))
}

/// The mode of this name.
pub fn mode_of(name: &str) -> Option<Mode> {
    Mode::ALL
        .iter()
        .copied()
        .find(|known| known.name() == Some(name))
}

impl Options {
    fn with(self, key: ServiceKey) -> Service {
        let announce = match (self.announce, self.no_announce) {
            (true, _) => Some(1),
            (_, true) => Some(0),
            (false, false) => None,
        };
        Service {
            scheduler: self.scheduler,
            mode: self.mode,
            timeout: self.timeout,
            announce,
            ..key.service()
        }
    }
}

impl Command {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        match self {
            Self::Add { service, options } => {
                let wanted = options.with(service);
                change(session, |client| client.add_service(&wanted))
                    .cannot(|| format!("add service {service}"))
            }
            Self::Set { service, options } => {
                let wanted = options.with(service);
                change(session, |client| client.set_service(&wanted))
                    .cannot(|| format!("set service {service}"))
            }
            Self::Del { service } => {
                let key = service.service();
                change(session, |client| client.delete_service(&key))
                    .cannot(|| format!("delete service {service}"))
            }
            Self::List => {
                let services = session.client().and_then(|mut client| client.services());
                let services = services.cannot(|| "list services")?;
                session.list(&rows(&services))
            }
        }
    }
}

/// Does something that has no answer, and tells the kernel's warnings.
pub fn change<T: Transport>(
    session: &Session<'_, T>,
    what: impl FnOnce(&mut Client<T>) -> smplb_nl::Result<()>,
) -> smplb_nl::Result<()> {
    let mut client = session.client()?;
    what(&mut client)?;
    warn(client.take_warnings());
    Ok(())
}

/// Services as they are listed, in the order of their names.
pub fn rows(services: &[Service]) -> Vec<ServiceRow> {
    let mut services: Vec<_> = services.iter().collect();
    services.sort_by_key(|service| ServiceKey::of(service));
    services.into_iter().map(ServiceRow::from).collect()
}

/// A service as it is listed.
#[derive(Debug, Serialize)]
pub struct ServiceRow {
    #[serde(serialize_with = "shown")]
    pub service: Option<ServiceKey>,
    #[serde(serialize_with = "shown")]
    protocol: Option<Protocol>,
    addr: Option<std::net::Ipv4Addr>,
    port: Option<u16>,
    #[serde(serialize_with = "shown")]
    pub scheduler: Option<Scheduler>,
    #[serde(serialize_with = "shown")]
    pub mode: Option<Mode>,
    pub timeout: Option<u32>,
    pub announce: Option<bool>,
    id: Option<u32>,
    generation: Option<u64>,
    packets: Option<u64>,
    bytes: Option<u64>,
    connections: Option<u64>,
    slots: Option<u32>,
}

impl From<&Service> for ServiceRow {
    fn from(service: &Service) -> Self {
        Self {
            service: ServiceKey::of(service),
            protocol: service.protocol.map(Protocol),
            addr: service.addr,
            port: service.port,
            scheduler: service.scheduler,
            mode: service.mode,
            timeout: service.timeout,
            announce: service.announce.map(|announce| announce != 0),
            id: service.id,
            generation: service.generation,
            packets: service.packets,
            bytes: service.bytes,
            connections: service.connections,
            slots: service.slots,
        }
    }
}

impl Row for ServiceRow {
    const COLUMNS: &'static [Column] = &[
        Column::Left("SERVICE"),
        Column::Left("SCHEDULER"),
        Column::Left("MODE"),
        Column::Right("TIMEOUT"),
        Column::Left("ANNOUNCE"),
        Column::Right("CONNECTIONS"),
        Column::Right("PACKETS"),
        Column::Right("BYTES"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            cell(&self.service),
            cell(&self.scheduler),
            cell(&self.mode),
            cell(&self.timeout),
            yes_no(self.announce),
            cell(&self.connections),
            cell(&self.packets),
            cell(&self.bytes),
        ]
    }
}

#[cfg(test)]
mod tests;
