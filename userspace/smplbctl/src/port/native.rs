// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports of NICs that the module drives itself.

use anyhow::{anyhow, bail, Result};
use smplb_nl::link::index_of;
use smplb_nl::socket::Transport;
use smplb_nl::Port;

use super::Add;
use crate::claim::{self, Claimed, Refused, Renamed, Wanted};
use crate::cpu::set::CpuSet;
use crate::pci::{Address, Bus};
use crate::session::{warn, Session};

/// Claims a NIC, and makes its pseudo interface what is wanted; or leaves everything as it was.
pub fn add<T: Transport>(session: &Session<'_, T>, address: Address, add: Add) -> Result<()> {
    let bus = session.bus();
    let (name, cpus, queues) = (add.name, add.cpu, add.queues.unwrap_or(1));
    let count = cpus.as_ref().map_or(0, |cpus| cpus.iter().count());
    if count > queues as usize {
        bail!("{count} CPUs for {queues} queue pair(s), each of which one CPU polls; see --queues");
    }
    if let Some(name) = name.as_deref().filter(|name| index_of(name).is_ok()) {
        let own = bus.interfaces(address).unwrap_or_default();
        if !own.iter().any(|own| own == name) {
            bail!("there is an interface {name} already");
        }
    }
    let wanted = Wanted {
        address,
        driver: add.driver,
        force: add.force,
    };
    let refused = |refused: Refused| {
        restore(session, refused.renamed);
        refused.reason
    };
    let plan = || {
        let port = Port {
            lower_ifname: Some(address.to_string()),
            queues: Some(queues),
            ..Port::default()
        };
        let planned = session
            .client()
            .and_then(|mut client| client.plan_port(&port));
        planned.map_err(|error| anyhow!(crate::failure::reason(error)))
    };
    let claimed = wanted.claim(bus, plan).map_err(refused)?;
    match set_up(session, &claimed, name, cpus) {
        Ok(()) => Ok(()),
        Err(error) => {
            let reason = crate::failure::reason(error);
            Err(refused(claimed.undo(bus, anyhow!(reason))))
        }
    }
}

fn set_up<T: Transport>(
    session: &Session<'_, T>,
    claimed: &Claimed,
    name: Option<String>,
    cpus: Option<CpuSet>,
) -> smplb_nl::Result<()> {
    let mut ifname = claimed.ifname.clone();
    if let Some(name) = name.filter(|name| *name != ifname) {
        session.links()?.rename(index_of(&ifname)?, &name)?;
        ifname = name;
    }
    match cpus {
        Some(cpus) => super::move_to(session, &ifname, &cpus),
        None => Ok(()),
    }
}

/// Gives a NIC back.
pub fn del<T: Transport>(session: &Session<'_, T>, address: Address) -> Result<()> {
    let renamed = claim::release(session.bus(), address)?;
    restore(session, renamed);
    Ok(())
}

/// Gives an interface the name it had. It works without, too: a failure is a warning.
fn restore<T: Transport>(session: &Session<'_, T>, renamed: Option<Renamed>) {
    let Some(Renamed { now, before }) = renamed else {
        return;
    };
    let rename = || session.links()?.rename(index_of(&now)?, &before);
    if let Err(error) = rename() {
        warn(vec![format!("{before} came back as {now}: {error}")]);
    }
}

/// The PCI device of an interface.
pub fn device(bus: &Bus, ifname: &str) -> Result<Address> {
    index_of(ifname)?;
    bus.address_of(ifname)
        .ok_or_else(|| anyhow!("it is not a PCI device; only --driver netdev takes it"))
}

/// The interface of a PCI device.
pub fn interface(bus: &Bus, address: Address) -> Result<String> {
    if !bus.has(address) {
        bail!("there is no such PCI device");
    }
    let mut names = bus.interfaces(address).unwrap_or_default();
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        (Some(_), false) => bail!("it has several interfaces; name one"),
        (None, _) => bail!("it has no interface in this network namespace"),
    }
}

/// The PCI address of a native port.
pub fn address(port: &Port) -> Option<Address> {
    let native = port.driver.as_deref() != Some("netdev");
    port.lower_ifname
        .as_deref()
        .filter(|_| native)?
        .parse()
        .ok()
}

/// The port of a PCI device, whatever its driver; none when it is no port.
pub fn port_of<T: Transport>(
    session: &Session<'_, T>,
    address: Address,
) -> smplb_nl::Result<Option<Port>> {
    if claim::is_claimed(session.bus(), address) {
        return Ok(Some(Port {
            lower_ifname: Some(address.to_string()),
            ..Port::default()
        }));
    }
    let names = session.bus().interfaces(address).unwrap_or_default();
    if names.is_empty() {
        return Ok(None);
    }
    let is_it = |port: &Port| {
        let lower = port.lower_ifname.as_ref();
        lower.is_some_and(|name| names.contains(name))
    };
    Ok(session.client()?.ports()?.into_iter().find(is_it))
}
