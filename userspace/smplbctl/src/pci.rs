// SPDX-License-Identifier: MIT OR Apache-2.0
//! The PCI bus as sysfs shows it: which driver has which device.

mod address;
mod kmsg;
mod usage;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{anyhow, Result};

pub use address::Address;
pub use kmsg::Log;

/// `NET_NS_INIT_INO` of `linux/nsfs.h`, as a link in /proc tells it.
const INITIAL_NETNS: &str = "net:[4026531833]";

/// Writes text to a file of sysfs in one call, as the kernel wants it.
type Put = Rc<dyn Fn(&Path, &str) -> io::Result<()>>;

/// The PCI bus.
#[derive(Clone)]
pub struct Bus {
    /// Where sysfs is.
    pub sys: PathBuf,
    /// Where procfs is.
    pub proc: PathBuf,
    /// What is to be known until the machine is started again.
    pub run: PathBuf,
    /// How long an interface may take to come back.
    pub patience: Duration,
    /// Writes to sysfs.
    pub write: Put,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Its vendor.
    pub vendor: u16,
    /// Its number among those of the vendor.
    pub device: u16,
    /// Its class, with subclass and programming interface.
    pub class: u32,
}

impl Ids {
    /// Whether it is a network controller.
    pub fn is_nic(self) -> bool {
        self.class >> 16 == 2
    }
}

impl std::fmt::Display for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04x}:{:04x}", self.vendor, self.device)
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
            run: "/run/smplb".into(),
            patience: Duration::from_secs(3),
            write: Rc::new(|path, text| {
                let mut file = OpenOptions::new().write(true).open(path)?;
                file.write_all(text.as_bytes())
            }),
        }
    }
}

impl Bus {
    /// The directory of a device.
    pub fn device(&self, address: Address) -> PathBuf {
        self.sys.join(format!("bus/pci/devices/{address}"))
    }

    /// Whether there is such a device.
    pub fn has(&self, address: Address) -> bool {
        self.device(address).exists()
    }

    /// What a device is.
    pub fn ids(&self, address: Address) -> Result<Ids> {
        let number = |name: &str| {
            let path = self.device(address).join(name);
            let text = fs::read_to_string(&path).map_err(|error| failed("read", &path, &error))?;
            let digits = text.trim().trim_start_matches("0x");
            u32::from_str_radix(digits, 16).map_err(|_| anyhow!("{}: {text}", path.display()))
        };
        // CAST: PCI has 16 bits for both.
        Ok(Ids {
            vendor: number("vendor")? as u16,
            device: number("device")? as u16,
            class: number("class")?,
        })
    }

    /// The driver that has a device.
    pub fn driver(&self, address: Address) -> Option<String> {
        let link = fs::read_link(self.device(address).join("driver")).ok()?;
        Some(link.file_name()?.to_str()?.to_owned())
    }

    /// The driver that a device is reserved for.
    pub fn reserved(&self, address: Address) -> Option<String> {
        let text = fs::read_to_string(self.device(address).join("driver_override")).ok()?;
        match text.trim() {
            "" | "(null)" => None,
            name => Some(name.to_owned()),
        }
    }

    /// Whether the bus has a driver of this name.
    pub fn has_driver(&self, name: &str) -> bool {
        self.sys.join("bus/pci/drivers").join(name).exists()
    }

    /// Whether our module is loaded.
    pub fn has_module(&self) -> bool {
        self.sys.join("module/smplb").exists()
    }

    /// Whether this network namespace is the initial one, where native ports are.
    pub fn is_initial_netns(&self) -> bool {
        fs::read_link(self.proc.join("self/ns/net"))
            .is_ok_and(|link| link.as_os_str() == INITIAL_NETNS)
    }

    /// The network interfaces of a device; none at all, or an empty list when another network
    /// namespace has them.
    pub fn interfaces(&self, address: Address) -> Option<Vec<String>> {
        let device = self.device(address);
        let mut places = vec![device.join("net")];
        // A virtio device is a bus of its own.
        let children = fs::read_dir(&device).into_iter().flatten().flatten();
        places.extend(
            children
                .filter(|child| child.file_name().to_string_lossy().starts_with("virtio"))
                .map(|child| child.path().join("net")),
        );
        let mut found = None;
        for place in places {
            if let Ok(entries) = fs::read_dir(place) {
                let names: &mut Vec<_> = found.get_or_insert_default();
                names.extend(
                    entries
                        .flatten()
                        .filter_map(|entry| entry.file_name().into_string().ok()),
                );
            }
        }
        found
    }

    /// The PCI device of a network interface.
    pub fn address_of(&self, ifname: &str) -> Option<Address> {
        let device = self.sys.join("class/net").join(ifname).join("device");
        let path = fs::canonicalize(device).ok()?;
        // The device itself, or that above it when it is on a bus of its own, as virtio is.
        let last = path.iter().rev().take(2);
        last.filter_map(|part| part.to_str()?.parse().ok()).next()
    }

    /// Reserves a device for a driver, or for none.
    pub fn reserve(&self, address: Address, driver: Option<&str>) -> Result<()> {
        let path = self.device(address).join("driver_override");
        self.put(&path, driver.unwrap_or("\n"))
    }

    /// Takes a device from its driver, if it has one.
    pub fn unbind(&self, address: Address) -> Result<()> {
        match self.driver(address) {
            Some(driver) => self.put(&self.file_of(&driver, "unbind"), &address.to_string()),
            None => Ok(()),
        }
    }

    /// Gives a device to a driver, and tells what the driver said to it.
    pub fn bind(&self, address: Address, driver: &str) -> io::Result<()> {
        (self.write)(&self.file_of(driver, "bind"), &address.to_string())
    }

    /// Gives a device to whatever driver fits it.
    pub fn probe(&self, address: Address) -> Result<()> {
        let path = self.sys.join("bus/pci/drivers_probe");
        self.put(&path, &address.to_string())
    }

    fn file_of(&self, driver: &str, file: &str) -> PathBuf {
        self.sys.join("bus/pci/drivers").join(driver).join(file)
    }

    fn put(&self, path: &Path, text: &str) -> Result<()> {
        (self.write)(path, text).map_err(|error| failed("write", path, &error))
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => " (try as root)",
        _ => "",
    };
    anyhow!("cannot {what} {}: {error}{hint}", path.display())
}
