// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl port`: NICs the switch has claimed.

mod native;

use anyhow::{anyhow, bail, Context, Result};
use clap::Subcommand;
use serde::Serialize;
use smplb_nl::link::{index_of, LinkData, NewPort};
use smplb_nl::socket::Transport;
use smplb_nl::{Error, Port};

use crate::cpu::set::CpuSet;
use crate::failure::{cannot, Cannot};
use crate::pci::Address;
use crate::session::{warn, Session};
use crate::table::{cell, Column, Row};

const LIST_AFTER: &str = "\
With -j, an array of objects with these keys; a value is null when the kernel told none:

  ifname         name of the pseudo interface
  ifindex        index of the pseudo interface
  lower_ifname   name of the claimed NIC, or its PCI address for a native driver
  lower_ifindex  index of the claimed NIC; 0 for a native driver
  driver         port driver: netdev for any Linux NIC, or a native one
  cpu            switching CPU whose engine polls the port, or its first queue pair
  cpus           array of the CPUs that poll its queue pairs, in their order
  queues         queue pairs of a native port
  id             number of the port inside the switch
  rx_packets     packets taken from the NIC
  rx_bytes       bytes of them
  tx_packets     packets put on the NIC
  tx_bytes       bytes of them
  stack_packets  packets passed up to the host
  host_packets   packets that came from the host
  dropped        packets dropped at this port, for any reason
  resets         times that a native NIC was reset because it had failed";

const ADD_AFTER: &str = "\
A port of driver netdev is any Linux NIC, which keeps its driver; it is what `ip link add link
IFNAME type smplb` makes. A native port is a PCI NIC that the module drives itself:

  virtio_net  modern virtio NICs
  intel       NICs of Intel

For it the NIC is taken from its stock driver by its driver_override in sysfs, as driverctl does,
and its interface goes; the pseudo interface has the NIC's MAC address, in the initial network
namespace. A NIC whose interface has routes, carries another or belongs to one is not taken without
--force. Whatever goes wrong, the NIC gets its stock driver back. So it does by `smplbctl port
del`, and its interface gets the name it had, if that is free.

With --queues the NIC spreads what it receives over so many queue pairs, by flow. Each is polled by
one CPU: of those of --cpu the first polls the first pair, and so on, in turn.

  smplbctl port add eth1
  smplbctl port add eth1 --driver virtio_net --name smplb0 --cpu 2
  smplbctl port add 0000:00:02.0
  smplbctl port add 0000:00:02.0 --queues 4 --cpu 2-5";

const DEL_AFTER: &str = "\
Of a port of driver netdev `ip link del` does the same. Of a native port it does not: it answers
\"Operation not supported\", since the kernel lets it delete links of a kind only, and behind the
pseudo interface of a native port there is a PCI NIC.

  smplbctl port del smplb0
  smplbctl port del 0000:00:02.0";

/// What to do with ports.
#[derive(Subcommand)]
pub enum Command {
    /// Claim a NIC, as `ip link add link IFNAME type smplb` does, or for a driver of the module
    #[command(after_long_help = ADD_AFTER)]
    Add(Add),
    /// Move a port to the engine of another CPU, or its queue pairs to those of several
    Set {
        /// Name of the pseudo interface
        name: String,
        /// Switching CPUs whose engines are to poll the port, as 2 or 2-3
        #[arg(long, value_name = "LIST")]
        cpu: CpuSet,
    },
    /// Give a NIC back, and remove its pseudo interface
    #[command(after_long_help = DEL_AFTER)]
    Del {
        /// Name of the pseudo interface, or PCI address of the NIC
        name: String,
    },
    /// List the ports
    #[command(after_long_help = LIST_AFTER)]
    List,
}

/// Claim a NIC.
#[derive(clap::Args)]
pub struct Add {
    /// The NIC: the name of its interface, or its PCI address, as 0000:00:02.0
    #[arg(value_name = "NIC")]
    nic: String,
    /// Name of the pseudo interface [default: the first free smplbN]
    #[arg(long)]
    name: Option<String>,
    /// Switching CPUs whose engines poll the port, as 2 or 2-3 [default: the next in turn]
    #[arg(long, value_name = "LIST")]
    cpu: Option<CpuSet>,
    /// Queue pairs of a native port, each polled by one CPU [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    queues: Option<u32>,
    /// Port driver: netdev, virtio_net or intel [default: netdev for a name, the fitting one for a
    /// PCI address]
    #[arg(long)]
    driver: Option<String>,
    /// Take the NIC from its stock driver even when its interface is in use
    #[arg(long)]
    force: bool,
}

impl Command {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        match self {
            Self::Add(add) => add.run(session),
            Self::Set { name, cpu } => set(session, &name, &cpu),
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
    fn run<T: Transport>(mut self, session: &mut Session<'_, T>) -> Result<()> {
        let what = format!("add port {}", self.nic);
        match self.native(session) {
            Ok(Some(address)) => native::add(session, address, self)
                .map_err(|reason| anyhow!("cannot {what}: {reason:#}")),
            Ok(None) => self.link(session, &what),
            Err(reason) => Err(anyhow!("cannot {what}: {reason:#}")),
        }
    }

    /// The PCI device, if the port is to be a native one.
    fn native<T>(&mut self, session: &Session<'_, T>) -> Result<Option<Address>> {
        let netdev = self.driver.as_deref() == Some("netdev");
        // No interface has a colon in its name.
        if self.nic.contains(':') {
            let address = self.nic.parse()?;
            if netdev {
                self.nic = native::interface(session.bus(), address)?;
                return Ok(None);
            }
            return Ok(Some(address));
        }
        match &self.driver {
            Some(_) if !netdev => native::device(session.bus(), &self.nic).map(Some),
            _ => Ok(None),
        }
    }

    fn link<T: Transport>(self, session: &Session<'_, T>, what: &str) -> Result<()> {
        let mut cpus = self.cpu.iter().flat_map(CpuSet::iter);
        let cpu = cpus.next();
        if self.queues.is_some() || cpus.next().is_some() {
            bail!(
                "cannot {what}: a port of driver netdev has no queue pairs, and one CPU polls it"
            );
        }
        let (nic, name, driver) = (self.nic, self.name, self.driver);
        let add = || {
            let lower = index_of(&nic)?;
            let data = LinkData { cpu, driver };
            let mut links = session.links()?;
            links.add(&NewPort { lower, name, data })?;
            warn(links.take_warnings());
            Ok(())
        };
        add().cannot(|| what.to_owned())
    }
}

fn set<T: Transport>(session: &Session<'_, T>, name: &str, cpus: &CpuSet) -> Result<()> {
    move_to(session, name, cpus).cannot(|| format!("set port {name}"))
}

fn move_to<T: Transport>(
    session: &Session<'_, T>,
    name: &str,
    cpus: &CpuSet,
) -> smplb_nl::Result<()> {
    let port = Port {
        ifname: Some(name.to_owned()),
        cpu: cpus.iter().collect(),
        ..Port::default()
    };
    let mut client = session.client()?;
    client.set_port(&port)?;
    warn(client.take_warnings());
    Ok(())
}

fn del<T: Transport>(session: &Session<'_, T>, name: &str) -> Result<()> {
    let failed = |error| cannot(format!("delete port {name}"), error);
    let port = match name.contains(':') {
        true => native::port_of(
            session,
            name.parse()
                .with_context(|| format!("cannot delete port {name}"))?,
        )
        .map_err(failed)?
        .ok_or_else(|| anyhow!("cannot delete port {name}: no port is of this PCI device"))?,
        // Only the module knows which links are ports; any other must not be deleted by mistake.
        false => session
            .client()
            .and_then(|mut client| client.port(name))
            .map_err(failed)?,
    };
    match native::address(&port) {
        Some(address) => native::del(session, address)
            .map_err(|reason| anyhow!("cannot delete port {name}: {reason:#}")),
        None => {
            let unexpected = || Error::Unexpected("a port without ifindex".to_owned());
            let ifindex = port.ifindex.ok_or_else(unexpected);
            let delete = ifindex.and_then(|ifindex| session.links()?.delete(ifindex));
            delete.map_err(failed)
        }
    }
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
    cpus: Vec<u32>,
    queues: Option<u32>,
    id: Option<u32>,
    rx_packets: Option<u64>,
    rx_bytes: Option<u64>,
    tx_packets: Option<u64>,
    tx_bytes: Option<u64>,
    stack_packets: Option<u64>,
    host_packets: Option<u64>,
    dropped: Option<u64>,
    resets: Option<u64>,
}

impl From<Port> for PortRow {
    fn from(port: Port) -> Self {
        Self {
            ifname: port.ifname,
            ifindex: port.ifindex,
            lower_ifname: port.lower_ifname,
            lower_ifindex: port.lower_ifindex,
            driver: port.driver,
            cpu: port.cpu.first().copied(),
            cpus: port.cpu,
            queues: port.queues,
            id: port.id,
            rx_packets: port.rx_packets,
            rx_bytes: port.rx_bytes,
            tx_packets: port.tx_packets,
            tx_bytes: port.tx_bytes,
            stack_packets: port.stack_packets,
            host_packets: port.host_packets,
            dropped: port.dropped,
            resets: port.resets,
        }
    }
}

impl Row for PortRow {
    const COLUMNS: &'static [Column] = &[
        Column::Left("PORT"),
        Column::Left("NIC"),
        Column::Left("DRIVER"),
        Column::Right("CPU"),
        Column::Right("QUEUES"),
        Column::Right("RX"),
        Column::Right("TX"),
        Column::Right("TO-HOST"),
        Column::Right("FROM-HOST"),
        Column::Right("DROPPED"),
        Column::Right("RESETS"),
    ];

    fn cells(&self) -> Vec<String> {
        let cpus: CpuSet = self.cpus.iter().copied().collect();
        vec![
            cell(&self.ifname),
            cell(&self.lower_ifname),
            cell(&self.driver),
            cell(&(!cpus.is_empty()).then_some(cpus)),
            cell(&self.queues),
            cell(&self.rx_packets),
            cell(&self.tx_packets),
            cell(&self.stack_packets),
            cell(&self.host_packets),
            cell(&self.dropped),
            cell(&self.resets),
        ]
    }
}

#[cfg(test)]
mod tests;
