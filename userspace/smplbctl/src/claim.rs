// SPDX-License-Identifier: MIT OR Apache-2.0
//! Native ports: a NIC is taken from its stock driver and given to one of the module's, and back.
//!
//! The module's drivers match no device by themselves. A device is reserved for one of them by its
//! `driver_override`, taken from its stock driver, and bound by hand, since `bind` tells what the
//! driver said and `drivers_probe` does not. Whatever goes wrong, the NIC gets its stock driver back;
//! when the program is killed in between, by whoever releases or claims it then.

mod note;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail, Result};

use crate::pci::{Address, Bus, Ids, Log};

use note::Note;

/// What the names of the module's PCI drivers begin with.
const PREFIX: &str = "smplb_";

/// How often an interface that is due is looked for.
const STEP: Duration = Duration::from_millis(10);

/// A NIC that is to be claimed.
pub struct Wanted {
    /// The NIC.
    pub address: Address,
    /// The port driver, or whatever fits.
    pub driver: Option<String>,
    /// Take it even when its interface is in use.
    pub force: bool,
}

/// A NIC that was claimed.
#[derive(Debug)]
pub struct Claimed {
    address: Address,
    /// How it was before.
    note: Note,
    /// Name of the pseudo interface.
    pub ifname: String,
}

/// An interface that has come back under another name than it had.
#[derive(Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Its name now.
    pub now: String,
    /// Its name before.
    pub before: String,
}

/// Why a NIC is not claimed.
#[derive(Debug)]
pub struct Refused {
    /// The reason.
    pub reason: anyhow::Error,
    /// Its interface, if that came back under another name.
    pub renamed: Option<Renamed>,
}

impl From<anyhow::Error> for Refused {
    fn from(reason: anyhow::Error) -> Self {
        Self {
            reason,
            renamed: None,
        }
    }
}

impl Wanted {
    /// Claims it; `plan` tells the module what its driver is to make of it, before anything is
    /// changed. When it cannot be claimed, the NIC is with its stock driver again.
    pub fn claim(self, bus: &Bus, plan: impl FnOnce() -> Result<()>) -> Result<Claimed, Refused> {
        let address = self.address;
        initial_netns(bus)?;
        let driver = self.driver(bus)?;
        let interface = self.interface(bus)?;
        let reserved = bus.reserved(address);
        let note = match reserved.as_deref().is_some_and(is_ours) {
            // Somebody was stopped half-way.
            true => Note::of(bus, address),
            false => Note {
                reserved,
                interface,
                free: bus.driver(address).is_none(),
            },
        };
        plan()?;
        note.save(bus, address)?;
        let mut claimed = Claimed {
            address,
            note,
            ifname: String::new(),
        };
        match claimed.take(bus, &driver) {
            Ok(()) => Ok(claimed),
            Err(reason) => Err(claimed.undo(bus, reason)),
        }
    }

    /// The PCI driver that is to have it.
    fn driver(&self, bus: &Bus) -> Result<String> {
        let address = self.address;
        if !bus.has(address) {
            bail!("there is no such PCI device");
        }
        if let Some(driver) = bus.driver(address).filter(|name| is_ours(name)) {
            match bus.interfaces(address).unwrap_or_default().pop() {
                Some(port) => bail!("it is claimed already, as {port}"),
                None => bail!("it is claimed already, by {driver}"),
            }
        }
        let ids = bus.ids(address)?;
        if !ids.is_nic() {
            bail!("{ids} is not a network controller");
        }
        let driver = match self.driver.as_deref() {
            Some(driver) => driver,
            None => fitting(ids)
                .ok_or_else(|| anyhow!("no driver of smplb is for {ids}; try --driver netdev"))?,
        };
        if let Some(reason) = misfit(driver, ids) {
            bail!("{reason}");
        }
        let name = format!("{PREFIX}{driver}");
        match (bus.has_driver(&name), bus.has_module()) {
            (true, _) => Ok(name),
            (false, true) => bail!("the kernel module smplb has no driver {driver}"),
            (false, false) => {
                bail!("the kernel module smplb is not loaded (load it with: modprobe smplb)")
            }
        }
    }

    /// The interface that it has now, if that may go.
    fn interface(&self, bus: &Bus) -> Result<Option<String>> {
        let Some(interfaces) = bus.interfaces(self.address) else {
            return Ok(None);
        };
        if !self.force {
            if interfaces.is_empty() {
                bail!(
                    "its interface is in another network namespace \
                     (--force takes it nevertheless)"
                );
            }
            for ifname in &interfaces {
                if let Some(usage) = bus.usage(ifname) {
                    bail!("{ifname} {usage} (--force takes it nevertheless)");
                }
            }
        }
        Ok(interfaces.into_iter().next())
    }
}

impl Claimed {
    fn take(&mut self, bus: &Bus, driver: &str) -> Result<()> {
        let address = self.address;
        bus.reserve(address, Some(driver))?;
        bus.unbind(address)?;
        let log = Log::from_now();
        bus.bind(address, driver)
            .map_err(|error| match log.error_of(driver, address) {
                Some(reason) => anyhow!("{reason} ({error})"),
                None => anyhow!("{driver} does not take it: {error}"),
            })?;
        let mut interfaces = bus.interfaces(address).unwrap_or_default();
        self.ifname = interfaces
            .pop()
            .ok_or_else(|| anyhow!("{driver} took it, but made no pseudo interface"))?;
        Ok(())
    }

    /// Gives it back for a reason, which becomes worse when that fails, too.
    pub fn undo(self, bus: &Bus, reason: anyhow::Error) -> Refused {
        match give(bus, self.address, &self.note) {
            Ok(()) => {
                let interface = self.note.interface;
                let renamed = interface.and_then(|name| renamed(bus, self.address, name));
                Refused { reason, renamed }
            }
            Err(error) => anyhow!("{reason:#}; nor can it be given back: {error:#}").into(),
        }
    }
}

/// Gives a claimed NIC back to its stock driver; an interface that came back under another name
/// is told.
pub fn release(bus: &Bus, address: Address) -> Result<Option<Renamed>> {
    initial_netns(bus)?;
    if !bus.has(address) {
        bail!("there is no such PCI device");
    }
    if !is_claimed(bus, address) {
        bail!("it is not claimed by a driver of smplb");
    }
    let note = Note::of(bus, address);
    give(bus, address, &note)?;
    Ok(note.interface.and_then(|name| renamed(bus, address, name)))
}

/// Whether a driver of the module has the device, or it is at least reserved for one: whoever claimed it
/// may have been stopped half-way.
pub fn is_claimed(bus: &Bus, address: Address) -> bool {
    is_bound(bus, address) || bus.reserved(address).is_some_and(|driver| is_ours(&driver))
}

fn is_bound(bus: &Bus, address: Address) -> bool {
    bus.driver(address).is_some_and(|driver| is_ours(&driver))
}

fn give(bus: &Bus, address: Address, note: &Note) -> Result<()> {
    bus.reserve(address, note.reserved.as_deref())?;
    if is_bound(bus, address) {
        bus.unbind(address)?;
    }
    Note::forget(bus, address);
    if bus.driver(address).is_some() {
        return Ok(());
    }
    bus.probe(address)?;
    match bus.driver(address) {
        Some(_) => Ok(()),
        None if note.free && note.reserved.is_some() => Ok(()),
        None => bail!(
            "no driver takes it; load one, then: \
             echo {address} >/sys/bus/pci/drivers_probe"
        ),
    }
}

/// The interface that a device has again, if it was called `before` and is not.
fn renamed(bus: &Bus, address: Address, before: String) -> Option<Renamed> {
    let end = Instant::now() + bus.patience;
    loop {
        let names = bus.interfaces(address).unwrap_or_default();
        if names.contains(&before) {
            return None;
        }
        if let Some(now) = names.into_iter().next() {
            return Some(Renamed { now, before });
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(STEP);
    }
}

fn initial_netns(bus: &Bus) -> Result<()> {
    match bus.is_initial_netns() {
        true => Ok(()),
        false => bail!("such ports are in the initial network namespace only; run it there"),
    }
}

fn is_ours(driver: &str) -> bool {
    driver.starts_with(PREFIX)
}

const VIRTIO: u16 = 0x1af4;
const VIRTIO_NET: u16 = 0x1041;
const VIRTIO_NET_TRANSITIONAL: u16 = 0x1000;
const INTEL: u16 = 0x8086;

/// The port driver for such a NIC.
fn fitting(ids: Ids) -> Option<&'static str> {
    match ids.vendor {
        VIRTIO => Some("virtio_net"),
        INTEL => Some("intel"),
        _ => None,
    }
}

/// Why a driver is not for such a NIC, as far as that can be told without asking it.
fn misfit(driver: &str, ids: Ids) -> Option<String> {
    match (driver, ids.vendor, ids.device) {
        ("virtio_net", VIRTIO, VIRTIO_NET_TRANSITIONAL) => Some(format!(
            "{ids} is a transitional virtio NIC, and driver virtio_net is for modern ones \
             (QEMU: disable-legacy=on)"
        )),
        ("virtio_net", VIRTIO, VIRTIO_NET) | ("intel", INTEL, _) => None,
        ("virtio_net" | "intel", ..) => Some(format!("{ids} is not a NIC of driver {driver}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
