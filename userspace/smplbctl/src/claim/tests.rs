// SPDX-License-Identifier: MIT OR Apache-2.0
//! Claiming and giving back on a machine whose sysfs is a directory, with a bus behind the files
//! that are written.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const NIC: &str = "0000:00:02.0";
const EIO: i32 = 5;
const ENODEV: i32 = 19;
const EOPNOTSUPP: i32 = 95;

/// A machine with one virtio NIC, eth0.
struct Machine {
    root: PathBuf,
    bus: Bus,
    hardware: Rc<Hardware>,
}

/// What the kernel does with what is written.
struct Hardware {
    root: PathBuf,
    /// What `probe` of our driver says; 0 is success.
    probe: Cell<i32>,
    /// Writes until one fails, for good or once.
    fails_after: Cell<Option<usize>>,
    for_good: Cell<bool>,
    /// What the interface of the stock driver is called the next time; none has no interface.
    stock: RefCell<Option<&'static str>>,
    /// Whether the stock driver is there.
    has_stock: Cell<bool>,
    writes: Cell<usize>,
}

impl Hardware {
    fn write(&self, path: &Path, text: &str) -> io::Result<()> {
        self.writes.set(self.writes.get() + 1);
        if let Some(left) = self.fails_after.get() {
            match left {
                0 => {
                    self.fails_after.set(self.for_good.get().then_some(0));
                    return Err(io::Error::from_raw_os_error(EIO));
                }
                left => self.fails_after.set(Some(left - 1)),
            }
        }
        let device = self.root.join("sys/bus/pci/devices").join(NIC);
        let reserved = device.join("driver_override");
        let mut words = path.iter().rev().map(|part| part.to_str().unwrap());
        match (words.next().unwrap(), words.next().unwrap()) {
            ("driver_override", NIC) => {
                let text = text.trim();
                fs::write(reserved, if text.is_empty() { "(null)\n" } else { text })
            }
            ("unbind", _) => {
                assert_eq!(text, NIC);
                fs::remove_file(device.join("driver"))?;
                let _ = fs::remove_dir_all(device.join("virtio0"));
                let _ = fs::remove_dir_all(device.join("net"));
                self.interface(None, "");
                Ok(())
            }
            ("bind", driver) => {
                assert_eq!(text, NIC);
                if fs::read_to_string(reserved)? != driver || device.join("driver").exists() {
                    return Err(io::Error::from_raw_os_error(ENODEV));
                }
                match self.probe.get() {
                    0 => self.bind(driver, "net", Some("smplb0")),
                    errno => return Err(io::Error::from_raw_os_error(errno)),
                }
                Ok(())
            }
            ("drivers_probe", "pci") => {
                let reserved = fs::read_to_string(reserved)?;
                let free = matches!(reserved.trim(), "(null)" | "virtio-pci");
                if free && self.has_stock.get() && !device.join("driver").exists() {
                    self.bind("virtio-pci", "virtio0/net", *self.stock.borrow());
                }
                Ok(())
            }
            other => panic!("{other:?} is written"),
        }
    }

    fn bind(&self, driver: &str, place: &str, ifname: Option<&str>) {
        let sys = self.root.join("sys");
        let device = sys.join("bus/pci/devices").join(NIC);
        symlink(
            sys.join("bus/pci/drivers").join(driver),
            device.join("driver"),
        )
        .unwrap();
        self.interface(ifname, place);
    }

    /// The one interface of the machine.
    fn interface(&self, ifname: Option<&str>, place: &str) {
        let sys = self.root.join("sys");
        let _ = fs::remove_dir_all(sys.join("class/net"));
        let Some(ifname) = ifname else { return };
        let net = sys.join("devices/pci0000:00").join(NIC).join(place);
        fs::create_dir_all(net.join(ifname)).unwrap();
        fs::create_dir_all(sys.join("class/net").join(ifname)).unwrap();
        let device = sys.join("class/net").join(ifname).join("device");
        symlink(net.parent().unwrap(), device).unwrap();
    }
}

impl Machine {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("smplbctl-claim-{}-{count}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let sys = root.join("sys");
        let device = sys.join("devices/pci0000:00").join(NIC);
        for dir in [
            &device,
            &sys.join("bus/pci/devices"),
            &sys.join("bus/pci/drivers/smplb_virtio_net"),
            &sys.join("module/smplb"),
            &root.join("proc/self/ns"),
            &root.join("proc/net"),
        ] {
            fs::create_dir_all(dir).unwrap();
        }
        symlink(&device, sys.join("bus/pci/devices").join(NIC)).unwrap();
        symlink("net:[4026531833]", root.join("proc/self/ns/net")).unwrap();
        for (file, text) in [
            ("vendor", "0x1af4\n"),
            ("device", "0x1041\n"),
            ("class", "0x020000\n"),
            ("driver_override", "(null)\n"),
        ] {
            fs::write(device.join(file), text).unwrap();
        }
        let hardware = Rc::new(Hardware {
            root: root.clone(),
            probe: Cell::new(0),
            fails_after: Cell::new(None),
            for_good: Cell::new(false),
            stock: RefCell::new(Some("eth0")),
            has_stock: Cell::new(true),
            writes: Cell::new(0),
        });
        let kernel = Rc::clone(&hardware);
        let bus = Bus {
            sys,
            proc: root.join("proc"),
            run: root.join("run"),
            patience: Duration::ZERO,
            write: Rc::new(move |path, text| kernel.write(path, text)),
        };
        bus.probe(nic()).unwrap();
        Self {
            root,
            bus,
            hardware,
        }
    }

    fn claim(&self) -> Result<Claimed, Refused> {
        self.claim_as(None, false)
    }

    fn claim_as(&self, driver: Option<&str>, force: bool) -> Result<Claimed, Refused> {
        let wanted = Wanted {
            address: nic(),
            driver: driver.map(str::to_owned),
            force,
        };
        wanted.claim(&self.bus, || Ok(()))
    }

    /// Why it cannot be claimed; nothing has been written then.
    fn refused(&self, driver: Option<&str>) -> String {
        let before = self.hardware.writes.get();
        let refused = self.claim_as(driver, false).unwrap_err();
        assert_eq!(self.hardware.writes.get(), before);
        format!("{:#}", refused.reason)
    }

    /// Who has the NIC, for whom it is reserved, and its interface.
    fn state(&self) -> (Option<String>, Option<String>, Vec<String>) {
        (
            self.bus.driver(nic()),
            self.bus.reserved(nic()),
            self.bus.interfaces(nic()).unwrap_or_default(),
        )
    }

    fn is_stock(&self) -> bool {
        let eth0 = vec!["eth0".to_owned()];
        self.state() == (Some("virtio-pci".to_owned()), None, eth0)
    }

    fn put(&self, file: &str, text: &str) {
        fs::write(self.root.join(file), text).unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn nic() -> Address {
    NIC.parse().unwrap()
}

#[test]
fn claimed_and_given_back() {
    let machine = Machine::new();
    assert!(machine.is_stock());
    assert_eq!(machine.bus.address_of("eth0"), Some(nic()));
    let claimed = machine.claim().unwrap();
    assert_eq!(claimed.ifname, "smplb0");
    let ours = Some("smplb_virtio_net".to_owned());
    let port = vec!["smplb0".to_owned()];
    assert_eq!(machine.state(), (ours.clone(), ours, port));
    assert_eq!(machine.bus.address_of("smplb0"), Some(nic()));
    assert_eq!(machine.refused(None), "it is claimed already, as smplb0");
    assert_eq!(release(&machine.bus, nic()).unwrap(), None);
    assert!(machine.is_stock());
    assert!(!machine.root.join("run").join(NIC).exists());
    let error = release(&machine.bus, nic()).unwrap_err();
    assert_eq!(error.to_string(), "it is not claimed by a driver of smplb");
}

/// `smplbctl port add` was killed when the NIC had no driver.
#[test]
fn stopped_half_way() {
    for again in [false, true] {
        let machine = Machine::new();
        let note = Note {
            reserved: None,
            interface: Some("eth0".to_owned()),
            free: false,
        };
        note.save(&machine.bus, nic()).unwrap();
        machine
            .bus
            .reserve(nic(), Some("smplb_virtio_net"))
            .unwrap();
        machine.bus.unbind(nic()).unwrap();
        if again {
            assert_eq!(machine.claim().unwrap().ifname, "smplb0");
        }
        machine.hardware.stock.replace(Some("eth7"));
        let renamed = release(&machine.bus, nic()).unwrap().unwrap();
        assert_eq!(renamed.before, "eth0");
        assert!(!machine.root.join("run").join(NIC).exists());
    }
}

/// Another tool had the NIC reserved for the stock driver: it is again.
#[test]
fn a_reservation_comes_back() {
    let machine = Machine::new();
    machine.bus.reserve(nic(), Some("virtio-pci")).unwrap();
    machine.claim().unwrap();
    release(&machine.bus, nic()).unwrap();
    assert_eq!(machine.state().1.as_deref(), Some("virtio-pci"));
}

#[test]
fn another_name_is_told() {
    let machine = Machine::new();
    machine.claim().unwrap();
    machine.hardware.stock.replace(Some("eth7"));
    let renamed = Renamed {
        now: "eth7".to_owned(),
        before: "eth0".to_owned(),
    };
    assert_eq!(release(&machine.bus, nic()).unwrap(), Some(renamed));
}

#[test]
fn an_interface_that_does_not_come_back_is_no_failure() {
    let machine = Machine::new();
    machine.claim().unwrap();
    machine.hardware.stock.replace(None);
    assert_eq!(release(&machine.bus, nic()).unwrap(), None);
}

#[test]
fn every_failure_gives_the_nic_back() {
    // Which write fails; without one the driver refuses.
    for (write, reason) in [
        (
            None,
            "smplb_virtio_net does not take it: Operation not supported",
        ),
        (Some(0), "driver_override: Input/output error"),
        (Some(1), "virtio-pci/unbind: Input/output error"),
        (
            Some(2),
            "smplb_virtio_net does not take it: Input/output error",
        ),
    ] {
        let machine = Machine::new();
        machine.hardware.probe.set(EOPNOTSUPP);
        machine.hardware.fails_after.set(write);
        let refused = machine.claim().unwrap_err();
        let text = format!("{:#}", refused.reason);
        assert!(text.contains(reason), "{text}");
        assert!(machine.is_stock(), "{text}: {:?}", machine.state());
        assert_eq!(refused.renamed, None);
    }
}

#[test]
fn a_later_step_fails() {
    let machine = Machine::new();
    let claimed = machine.claim().unwrap();
    let refused = claimed.undo(&machine.bus, anyhow!("no such CPU"));
    assert_eq!(refused.reason.to_string(), "no such CPU");
    assert!(machine.is_stock());
    assert!(!machine.root.join("run").join(NIC).exists());
}

#[test]
fn what_cannot_be_given_back_is_told() {
    let machine = Machine::new();
    machine.hardware.for_good.set(true);
    machine.hardware.fails_after.set(Some(2));
    let text = format!("{:#}", machine.claim().unwrap_err().reason);
    assert!(text.contains("does not take it"), "{text}");
    assert!(
        text.contains("; nor can it be given back: cannot write"),
        "{text}"
    );

    let machine = Machine::new();
    machine.claim().unwrap();
    machine.hardware.has_stock.set(false);
    let error = release(&machine.bus, nic()).unwrap_err().to_string();
    assert!(error.starts_with("no driver takes it; load one"), "{error}");
}

#[test]
fn a_nic_without_a_driver() {
    let machine = Machine::new();
    machine.bus.reserve(nic(), Some("vfio-pci")).unwrap();
    machine.bus.unbind(nic()).unwrap();
    // It stays reserved when it is not taken, so that nobody takes it.
    machine.hardware.probe.set(EOPNOTSUPP);
    machine.claim().unwrap_err();
    assert_eq!(machine.bus.reserved(nic()).as_deref(), Some("vfio-pci"));
    machine.hardware.probe.set(0);
    assert_eq!(machine.claim().unwrap().ifname, "smplb0");
    assert_eq!(release(&machine.bus, nic()).unwrap(), None);
    let (driver, reserved, _) = machine.state();
    assert_eq!((driver, reserved.as_deref()), (None, Some("vfio-pci")));
}

#[test]
fn what_is_in_use_is_not_taken() {
    let machine = Machine::new();
    let taken = "(--force takes it nevertheless)";
    machine.put("proc/net/route", "Iface\tDestination\neth0\t0001A8C0\n");
    let routes = format!("eth0 has routes, so it is in use {taken}");
    assert_eq!(machine.refused(None), routes);
    machine.put("proc/net/route", "Iface\tDestination\neth01\t0001A8C0\n");
    let line = |dest: &str| format!("{dest}  40 0 00 0 00000100 1 0 1     eth0\n");
    let global = "20010db8000000000000000000000000";
    machine.put("proc/net/ipv6_route", &line(global));
    assert_eq!(machine.refused(None), routes);
    let own = [
        "fe800000000000000000000000000000",
        "ff000000000000000000000000000000",
    ];
    machine.put("proc/net/ipv6_route", &own.map(line).concat());
    let place = machine.root.join("sys/class/net/eth0");
    symlink("../br0", place.join("master")).unwrap();
    assert_eq!(
        machine.refused(None),
        format!("eth0 belongs to br0 {taken}")
    );
    fs::remove_file(place.join("master")).unwrap();
    symlink("../eth0.5", place.join("upper_eth0.5")).unwrap();
    assert_eq!(
        machine.refused(None),
        format!("eth0 carries eth0.5 {taken}")
    );
    machine.claim_as(None, true).unwrap();
    release(&machine.bus, nic()).unwrap();
    // The directory of interfaces is there, and what is in it is somebody else's.
    fs::remove_dir(machine.bus.device(nic()).join("virtio0/net/eth0")).unwrap();
    let elsewhere = format!("its interface is in another network namespace {taken}");
    assert_eq!(machine.refused(None), elsewhere);
}

#[test]
fn what_cannot_be_claimed() {
    let machine = Machine::new();
    let device = format!("sys/bus/pci/devices/{NIC}");
    let other = "1af4:1041 is not a NIC of driver intel";
    assert_eq!(machine.refused(Some("intel")), other);
    let unknown = "the kernel module smplb has no driver e1000";
    assert_eq!(machine.refused(Some("e1000")), unknown);
    machine.put(&format!("{device}/vendor"), "0x8086\n");
    let missing = "the kernel module smplb has no driver intel";
    assert_eq!(machine.refused(None), missing);
    machine.put(&format!("{device}/vendor"), "0x10ec\n");
    let none = "no driver of smplb is for 10ec:1041; try --driver netdev";
    assert_eq!(machine.refused(None), none);
    machine.put(&format!("{device}/vendor"), "0x1af4\n");
    machine.put(&format!("{device}/device"), "0x1000\n");
    assert!(machine.refused(None).contains("disable-legacy=on"));
    machine.put(&format!("{device}/class"), "0x010000\n");
    let disk = "1af4:1000 is not a network controller";
    assert_eq!(machine.refused(Some("virtio_net")), disk);
    let wanted = Wanted {
        address: "00:03.0".parse().unwrap(),
        driver: None,
        force: true,
    };
    let refused = wanted.claim(&machine.bus, || Ok(())).unwrap_err();
    assert_eq!(refused.reason.to_string(), "there is no such PCI device");
    assert!(machine.is_stock());
}

#[test]
fn without_the_module_or_elsewhere() {
    let machine = Machine::new();
    fs::remove_dir(machine.root.join("sys/bus/pci/drivers/smplb_virtio_net")).unwrap();
    fs::remove_dir(machine.root.join("sys/module/smplb")).unwrap();
    let module = "the kernel module smplb is not loaded (load it with: modprobe smplb)";
    assert_eq!(machine.refused(None), module);
    let link = machine.root.join("proc/self/ns/net");
    fs::remove_file(&link).unwrap();
    symlink("net:[4026532000]", &link).unwrap();
    assert!(machine.refused(None).contains("initial network namespace"));
}
