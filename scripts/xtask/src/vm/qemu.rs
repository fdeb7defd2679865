// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's command line.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{ensure, Context, Result};

use super::generator::Generator;
use super::taps;
use super::{Accel, Machine};
use crate::kernel::Flavour;
use crate::run::command as process;

/// The plugin of `--lines`, where cargo puts what it builds.
pub const PLUGIN: &str = "libsmplb_lines.so";

/// Whether QEMU was built with support for plugins.
pub fn has_plugins() -> Result<bool> {
    let help = process("qemu-system-x86_64")
        .arg("-help")
        .output()
        .context("cannot run qemu-system-x86_64")?;
    let text = String::from_utf8_lossy(&help.stdout);
    Ok(text.lines().any(|line| line.starts_with("-plugin ")))
}

/// What one boot consists of.
pub struct Boot<'a> {
    /// The kernel's image.
    pub kernel: &'a Path,
    /// The first root of the guest.
    pub initramfs: &'a Path,
    /// For the console's log and the guest's exit code.
    pub dir: &'a Path,
    /// What the guest can write.
    pub out: &'a Path,
    /// Which kernel it is.
    pub flavour: Flavour,
    /// The machine.
    pub machine: &'a Machine,
    /// Settled, not `auto`.
    pub accel: Accel,
    /// Its NICs.
    pub nics: &'a [Nic],
    /// What they are cabled to instead of each other.
    pub generator: Option<&'a Generator>,
    /// The plugin that counts cache lines.
    pub lines: Option<&'a Path>,
}

/// One NIC.
pub struct Nic {
    /// QEMU's device, with its options.
    pub device: String,
    /// The guest's module for it.
    pub driver: String,
    /// Its address, by which the guest names it.
    pub mac: String,
}

/// The NICs for `--nic MODEL…`.
pub fn nics(models: &[String]) -> Vec<Nic> {
    let nic = |(number, model): (usize, &String)| {
        let (name, options) = model.split_once(',').unwrap_or((model, ""));
        let (device, driver) = match name {
            "virtio" => ("virtio-net-pci,disable-legacy=on", "virtio_net"),
            name if name.starts_with("virtio") => (name, "virtio_net"),
            name => (name, name),
        };
        let comma = if options.is_empty() { "" } else { "," };
        Nic {
            device: format!("{device}{comma}{options}"),
            driver: driver.to_owned(),
            mac: format!("52:54:00:00:{:02x}:{:02x}", number >> 8, number & 0xff),
        }
    };
    models.iter().enumerate().map(nic).collect()
}

/// The whole command line.
pub fn command(boot: &Boot<'_>) -> Result<Command> {
    let machine = boot.machine;
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let (kernel, initramfs) = (path(boot.kernel), path(boot.initramfs));
    let (dir, out) = (path(boot.dir), path(boot.out));
    let processors = machine.smp.unwrap_or(if machine.icount { 1 } else { 3 });
    ensure!(
        !out.contains(','),
        "QEMU does not work in a directory named {out:?}"
    );

    let mut args = Args::default();
    args.add("-name smplb -nodefaults -no-user-config -display none -no-reboot");
    // Remapping interrupts, as an IOMMU may, is not for those of KVM's kernel part.
    let machine_type = match (boot.accel, machine.iommu) {
        (Accel::Kvm, true) => "-machine q35,kernel-irqchip=split",
        _ => "-machine q35",
    };
    args.add(machine_type);
    args.add("-rtc base=utc");
    match boot.accel {
        Accel::Kvm => args.add("-accel kvm -cpu host"),
        Accel::Tcg | Accel::Auto if machine.icount => {
            args.add("-accel tcg -cpu max");
            // Several processors may wait for the host, while time goes on.
            let sleep = if processors > 1 { "on" } else { "off" };
            args.pair("-icount", &format!("shift=0,sleep={sleep}"));
        }
        Accel::Tcg | Accel::Auto => args.add("-accel tcg,thread=multi -cpu max"),
    }
    let memory = machine.mem.as_deref().unwrap_or(match boot.flavour {
        Flavour::Release => "2G",
        Flavour::Debug => "4G",
    });
    args.pair("-smp", &processors.to_string());
    args.pair("-m", memory);
    args.pair("-kernel", &kernel);
    args.pair("-initrd", &initramfs);
    args.pair("-append", &kernel_line(machine));

    args.add("-device virtio-rng-pci");
    args.pair(
        "-chardev",
        &format!("file,id=console,path={dir}/console.log"),
    );
    args.add("-serial chardev:console");
    args.add("-device virtio-serial-pci");
    let (out_port, status_port) = (
        "file,path=/proc/self/fd/1",
        format!("file,path={dir}/status"),
    );
    if machine.ram {
        // Linux 7.3 gets no more through a virtio port after a sleep.
        args.serial("out", out_port);
        args.serial("status", &status_port);
    } else {
        args.port("out", out_port);
        args.port("err", "file,path=/proc/self/fd/2");
        args.port("status", &status_port);
    }

    // QEMU's own command line, for scenarios that pull a cable.
    args.pair(
        "-chardev",
        &format!("socket,id=mon,path={dir}/monitor,server=on,wait=off"),
    );
    args.add("-mon chardev=mon,mode=readline");
    args.port("monitor", &format!("socket,path={dir}/monitor"));

    // Of more than one file system below the host's root, each has its own
    // inode numbers.
    args.add("-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap");
    args.add("-device virtio-9p-pci,fsdev=root,mount_tag=root");
    args.pair(
        "-fsdev",
        &format!("local,id=out,path={out},security_model=none,multidevs=remap"),
    );
    args.add("-device virtio-9p-pci,fsdev=out,mount_tag=out");

    if machine.iommu {
        args.add("-device intel-iommu");
    }
    for (number, nic) in boot.nics.iter().enumerate() {
        args.pair("-netdev", &netdev(number, boot.generator, machine.tap));
        args.pair(
            "-device",
            &format!("{},netdev=nic{number},mac={},romfile=", nic.device, nic.mac),
        );
    }
    if let Some(generator) = boot.generator {
        let path = path(&generator.control);
        args.port("generator", &format!("socket,path={path}"));
    }
    if let Some(plugin) = boot.lines {
        let plugin = path(plugin);
        args.pair("-plugin", &format!("file={plugin},out={out}/lines"));
    }
    for arg in &machine.qemu_arg {
        args.0.push(arg.into());
    }

    // Dies with us, also when we are killed.
    let mut command = process("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--", "qemu-system-x86_64"])
        .args(args.0);
    Ok(command)
}

/// What the NIC with this number is cabled to.
fn netdev(number: usize, generator: Option<&Generator>, tap: Option<u32>) -> String {
    if let Some(queues) = tap {
        return taps::netdev(number, queues);
    }
    let wires = generator.map(|generator| match number % 2 {
        0 => &generator.wires,
        _ => &generator.ends,
    });
    match wires.and_then(|wires| wires.get(number / 2)) {
        Some(wire) => format!(
            "stream,id=nic{number},server=off,addr.type=unix,addr.path={}",
            wire.display()
        ),
        None => format!("hubport,id=nic{number},hubid={}", number / 2),
    }
}

/// The kernel's own command line. A kernel that oopses is of no more use.
fn kernel_line(machine: &Machine) -> String {
    let mut line = String::from(
        "console=ttyS0 mitigations=off oops=panic panic=-1 log_buf_len=8M \
         tsc=reliable random.trust_cpu=on",
    );
    if let Some(more) = &machine.append {
        line.push(' ');
        line.push_str(more);
    }
    line
}

#[derive(Default)]
struct Args(Vec<OsString>);

impl Args {
    /// Words without spaces in them.
    fn add(&mut self, words: &str) {
        self.0.extend(words.split(' ').map(OsString::from));
    }

    fn pair(&mut self, option: &str, value: &str) {
        self.0.extend([option.into(), value.into()]);
    }

    /// What is at the host's end of a port.
    fn chardev(&mut self, name: &str, backend: &str) {
        let (kind, rest) = backend.split_once(',').unwrap_or((backend, ""));
        self.pair("-chardev", &format!("{kind},id={name},{rest}"));
    }

    /// The guest's next serial port.
    fn serial(&mut self, name: &str, backend: &str) {
        self.chardev(name, backend);
        self.pair("-serial", &format!("chardev:{name}"));
    }

    /// A port from the guest to the host, by name.
    fn port(&mut self, name: &str, backend: &str) {
        self.chardev(name, backend);
        self.pair(
            "-device",
            &format!("virtserialport,chardev={name},name={name}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nics_have_drivers_and_distinct_addresses() {
        let found = nics(&["virtio".to_owned(), "e1000e".to_owned()]);
        assert_eq!(found[0].driver, "virtio_net");
        assert_eq!(found[1].driver, "e1000e");
        assert_eq!(found[1].mac, "52:54:00:00:00:01");
    }

    #[test]
    fn models_have_options() {
        let models = ["virtio,packed=on", "virtio-net-pci,mq=on", "e1000e"].map(str::to_owned);
        let found = nics(&models);
        let devices: Vec<_> = found.iter().map(|nic| nic.device.as_str()).collect();
        assert_eq!(
            devices,
            [
                "virtio-net-pci,disable-legacy=on,packed=on",
                "virtio-net-pci,mq=on",
                "e1000e"
            ]
        );
        assert_eq!(found[0].driver, "virtio_net");
        assert_eq!(found[1].driver, "virtio_net");
    }
}
