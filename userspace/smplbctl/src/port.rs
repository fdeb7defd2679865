// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl port`: NICs the switch has claimed.

use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use smplb_nl::link::{index_of, LinkData, NewPort};
use smplb_nl::socket::Transport;
use smplb_nl::{Error, Port};

use crate::failure::{cannot, Cannot};
use crate::session::{warn, Session};
use crate::table::{cell, Column, Row};

const LIST_AFTER: &str = "\
With -j, an array of objects with these keys; a value is null when the kernel told none:

  ifname         name of the pseudo interface
  ifindex        index of the pseudo interface
  lower_ifname   name of the claimed NIC
  lower_ifindex  index of the claimed NIC
  driver         port driver, netdev for any Linux NIC
  cpu            switching CPU whose engine polls the port
  id             number of the port inside the switch
  rx_packets     packets taken from the NIC
  rx_bytes       bytes of them
  tx_packets     packets put on the NIC
  tx_bytes       bytes of them
  stack_packets  packets passed up to the host
  host_packets   packets that came from the host
  dropped        packets dropped at this port, for any reason";

/// What to do with ports.
#[derive(Subcommand)]
pub enum Command {
    /// Claim a NIC, as `ip link add link IFNAME type smplb` does
    Add(Add),
    /// Move a port to the engine of another CPU
    Set {
        /// Name of the pseudo interface
        name: String,
        /// Switching CPU whose engine is to poll the port
        #[arg(long, value_name = "N")]
        cpu: u32,
    },
    /// Give a NIC back, and remove its pseudo interface
    Del {
        /// Name of the pseudo interface
        name: String,
    },
    /// List the ports
    #[command(after_long_help = LIST_AFTER)]
    List,
}

/// Claim a NIC.
#[derive(clap::Args)]
pub struct Add {
    /// The NIC
    ifname: String,
    /// Name of the pseudo interface [default: the first free smplbN]
    #[arg(long)]
    name: Option<String>,
    /// Switching CPU whose engine polls the port [default: the one with the fewest ports]
    #[arg(long, value_name = "N")]
    cpu: Option<u32>,
    /// Port driver [default: netdev, for any Linux NIC]
    #[arg(long)]
    driver: Option<String>,
}

impl Command {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        match self {
            Self::Add(add) => add.run(session),
            Self::Set { name, cpu } => set(session, name, cpu),
            Self::Del { name } => del(session, &name),
            Self::List => {
                let ports = session.client().and_then(|mut client| client.ports());
                let ports = ports.cannot(|| "list ports")?;
                let mut rows: Vec<_> = ports.into_iter().map(PortRow::from).collect();
                rows.sort_by_key(|row| row.id);
                session.list(&rows)
            }
        }
    }
}

impl Add {
    fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let Self {
            ifname,
            name,
            cpu,
            driver,
        } = self;
        let add = || {
            let lower = index_of(&ifname)?;
            let mut links = session.links()?;
            links.add(&NewPort {
                lower,
                name,
                data: LinkData { cpu, driver },
            })?;
            warn(links.take_warnings());
            Ok(())
        };
        add().cannot(|| format!("add port {ifname}"))
    }
}

fn set<T: Transport>(session: &Session<'_, T>, name: String, cpu: u32) -> Result<()> {
    let port = Port {
        ifname: Some(name.clone()),
        cpu: Some(cpu),
        ..Port::default()
    };
    let set = || {
        let mut client = session.client()?;
        client.set_port(&port)?;
        warn(client.take_warnings());
        Ok(())
    };
    set().cannot(|| format!("set port {name}"))
}

fn del<T: Transport>(session: &Session<'_, T>, name: &str) -> Result<()> {
    let delete = || {
        // Only the module knows which links are ports; any other must not be deleted by mistake.
        let port = session.client()?.port(name)?;
        let ifindex = port
            .ifindex
            .ok_or(Error::Unexpected("a port without ifindex".to_owned()))?;
        session.links()?.delete(ifindex)
    };
    delete().map_err(|error| cannot(format!("delete port {name}"), error))
}

/// A port as it is listed.
#[derive(Debug, Serialize)]
pub struct PortRow {
    ifname: Option<String>,
    ifindex: Option<u32>,
    lower_ifname: Option<String>,
    lower_ifindex: Option<u32>,
    driver: Option<String>,
    cpu: Option<u32>,
    id: Option<u32>,
    rx_packets: Option<u64>,
    rx_bytes: Option<u64>,
    tx_packets: Option<u64>,
    tx_bytes: Option<u64>,
    stack_packets: Option<u64>,
    host_packets: Option<u64>,
    dropped: Option<u64>,
}

impl From<Port> for PortRow {
    fn from(port: Port) -> Self {
        Self {
            ifname: port.ifname,
            ifindex: port.ifindex,
            lower_ifname: port.lower_ifname,
            lower_ifindex: port.lower_ifindex,
            driver: port.driver,
            cpu: port.cpu,
            id: port.id,
            rx_packets: port.rx_packets,
            rx_bytes: port.rx_bytes,
            tx_packets: port.tx_packets,
            tx_bytes: port.tx_bytes,
            stack_packets: port.stack_packets,
            host_packets: port.host_packets,
            dropped: port.dropped,
        }
    }
}

impl Row for PortRow {
    const COLUMNS: &'static [Column] = &[
        Column::Left("PORT"),
        Column::Left("NIC"),
        Column::Left("DRIVER"),
        Column::Right("CPU"),
        Column::Right("RX"),
        Column::Right("TX"),
        Column::Right("TO-HOST"),
        Column::Right("FROM-HOST"),
        Column::Right("DROPPED"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            cell(&self.ifname),
            cell(&self.lower_ifname),
            cell(&self.driver),
            cell(&self.cpu),
            cell(&self.rx_packets),
            cell(&self.tx_packets),
            cell(&self.stack_packets),
            cell(&self.host_packets),
            cell(&self.dropped),
        ]
    }
}

#[cfg(test)]
mod tests;
