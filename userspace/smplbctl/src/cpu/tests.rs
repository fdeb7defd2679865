// SPDX-License-Identifier: MIT OR Apache-2.0
//! CPUs of a machine that is a map of files.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::files::Files;
use super::isolate::{isolate, release};
use super::list::{rows, AFTER};
use super::set::CpuSet;
use super::state;
use super::*;
use crate::table::render;
use crate::testing::{documented, keys_of};

const CGROUP: &str = "/sys/fs/cgroup";
const MANAGED: &str = "/proc/irq/26/smp_affinity_list";
const UNUSED: &str = "/proc/irq/2/smp_affinity_list";

/// Four CPUs, interrupts of which one is managed and one unused, and a cgroup2 that does what it is told.
struct Fake {
    files: RefCell<BTreeMap<String, String>>,
    dirs: RefCell<BTreeSet<String>>,
    /// What the kernel says of a partition.
    verdict: &'static str,
    /// How many writes there are before the program dies.
    life: RefCell<usize>,
}

impl Fake {
    fn new() -> Self {
        let files = [
            ("/sys/devices/system/cpu/online", "0-3"),
            ("/sys/devices/system/cpu/possible", "0-4"),
            ("/sys/devices/system/cpu/isolated", ""),
            ("/sys/devices/system/cpu/nohz_full", "(null)"),
            ("/proc/cmdline", "root=/dev/sda rcu_nocbs=3-N quiet"),
            ("/proc/sys/kernel/random/boot_id", "b-1"),
            (
                "/proc/self/mountinfo",
                "22 1 0:5 / /proc rw - proc proc rw\n\
                 31 1 0:9 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
            ),
            ("/proc/irq/default_smp_affinity", "f"),
            (UNUSED, "0-3"),
            ("/proc/irq/24/smp_affinity_list", "0-3"),
            ("/proc/irq/24/effective_affinity_list", "1"),
            ("/proc/irq/24/eth0/x", ""),
            ("/proc/irq/25/smp_affinity_list", "2"),
            ("/proc/irq/25/effective_affinity_list", "2"),
            ("/proc/irq/25/eth0-rx/x", ""),
            (MANAGED, "3"),
            ("/proc/irq/26/effective_affinity_list", "3"),
            ("/proc/irq/26/nvme/x", ""),
            ("/sys/devices/virtual/workqueue/cpumask", "f"),
            ("/proc/sys/kernel/watchdog_cpumask", "0-3"),
            ("/sys/class/net/eth0/queues/rx-0/rps_cpus", "00000000"),
            ("/sys/class/net/eth0/queues/rx-1/rps_cpus", "0000000c"),
            ("/sys/class/net/eth0/queues/tx-0/xps_cpus", "0000000c"),
            ("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu memory"),
            ("/sys/fs/cgroup/cgroup.subtree_control", "cpu"),
            ("/sys/fs/cgroup/cpuset.cpus.isolated", ""),
        ];
        let files = files.map(|(path, text)| (path.to_owned(), format!("{text}\n")));
        Self {
            files: RefCell::new(files.into()),
            dirs: RefCell::default(),
            verdict: "isolated",
            life: RefCell::new(usize::MAX),
        }
    }

    fn set(&self, path: &str, text: &str) {
        self.files
            .borrow_mut()
            .insert(path.to_owned(), format!("{text}\n"));
    }

    fn get(&self, path: &str) -> String {
        self.text(path).unwrap()
    }

    /// Every file but those that nobody is to compare: sets in one form.
    fn snapshot(&self) -> BTreeMap<String, String> {
        let mut files = self.files.borrow().clone();
        for (path, text) in &mut files {
            if path.contains("cpumask") && !path.contains("watchdog")
                || path.contains("_cpus")
                || path.contains("default_smp")
            {
                *text = CpuSet::from_mask(text).unwrap().to_string();
            }
            *text = text.trim().to_owned();
        }
        files
    }

    fn change(&self) -> io::Result<()> {
        let mut life = self.life.borrow_mut();
        *life = life
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("the program died"))?;
        Ok(())
    }
}

impl Files for Fake {
    fn read(&self, path: &str) -> io::Result<String> {
        let files = self.files.borrow();
        files
            .get(path)
            .cloned()
            .ok_or(io::ErrorKind::NotFound.into())
    }

    fn write(&self, path: &str, text: &str) -> io::Result<()> {
        self.change()?;
        self.read(path)?;
        if path == MANAGED || path == UNUSED {
            return Err(io::Error::from_raw_os_error(5));
        }
        if path.ends_with("/smp_affinity_list") {
            let online = set(&self.get("/sys/devices/system/cpu/online"));
            if !set(text).meets(&online) {
                return Err(io::Error::from_raw_os_error(22));
            }
        }
        match path.strip_prefix("/sys/fs/cgroup/") {
            Some("cgroup.subtree_control") if text == "+cpuset" => self.set(path, "cpuset cpu"),
            Some("cgroup.subtree_control") => self.set(path, "cpu"),
            Some("smplb/cpuset.cpus") => {
                self.set(path, text);
                self.set("/sys/fs/cgroup/smplb/cpuset.cpus.effective", text);
                self.set("/sys/fs/cgroup/cpuset.cpus.isolated", text);
            }
            Some("smplb/cpuset.cpus.partition") if text == "isolated" => {
                self.set(path, self.verdict);
            }
            _ => self.set(path, text),
        }
        Ok(())
    }

    fn names(&self, dir: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{dir}/");
        let files = self.files.borrow();
        let below = files.keys().filter_map(|path| path.strip_prefix(&prefix));
        let mut names: Vec<_> = below
            .filter_map(|rest| rest.split('/').next().map(str::to_owned))
            .collect();
        names.dedup();
        match names.is_empty() {
            true => Err(io::ErrorKind::NotFound.into()),
            false => Ok(names),
        }
    }

    fn make_dir(&self, dir: &str) -> io::Result<()> {
        self.change()?;
        if !self.dirs.borrow_mut().insert(dir.to_owned()) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        for name in ["cpus", "cpus.exclusive", "cpus.effective"] {
            self.set(&format!("{dir}/cpuset.{name}"), "");
        }
        self.set(&format!("{dir}/cpuset.cpus.partition"), "member");
        Ok(())
    }

    fn remove_dir(&self, dir: &str) -> io::Result<()> {
        self.change()?;
        if !self.dirs.borrow_mut().remove(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let prefix = format!("{dir}/");
        let mut files = self.files.borrow_mut();
        files.retain(|path, _| !path.starts_with(&prefix));
        files.insert(format!("{CGROUP}/cpuset.cpus.isolated"), "\n".to_owned());
        Ok(())
    }

    fn store(&self, path: &str, text: &str) -> io::Result<()> {
        self.change()?;
        self.set(path, text);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.change()?;
        let gone = self.files.borrow_mut().remove(path);
        gone.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }
}

fn set(text: &str) -> CpuSet {
    text.parse().unwrap()
}

fn refused(machine: &Fake, cpus: &str) -> String {
    let before = machine.snapshot();
    let error = isolate(machine, &set(cpus)).unwrap_err();
    assert_eq!(machine.snapshot(), before, "{error:#}");
    format!("{error:#}")
}

#[test]
fn everything_moves_and_comes_back() {
    let machine = Fake::new();
    let before = machine.snapshot();
    let warnings = isolate(&machine, &set("2-3")).unwrap();
    let managed = "interrupt 26 (nvme) stays as it is: Input/output error (os error 5)";
    assert_eq!(warnings, [managed]);
    for (path, text) in [
        ("/proc/irq/default_smp_affinity", "00000003"),
        ("/proc/irq/24/smp_affinity_list", "0-1"),
        ("/proc/irq/25/smp_affinity_list", "0-1"),
        (MANAGED, "3"),
        ("/sys/devices/virtual/workqueue/cpumask", "00000003"),
        ("/proc/sys/kernel/watchdog_cpumask", "0-1"),
        ("/sys/class/net/eth0/queues/rx-0/rps_cpus", "00000000"),
        ("/sys/class/net/eth0/queues/rx-1/rps_cpus", "00000003"),
        ("/sys/class/net/eth0/queues/tx-0/xps_cpus", "0000000c"),
        ("/sys/fs/cgroup/cgroup.subtree_control", "cpuset cpu"),
        ("/sys/fs/cgroup/smplb/cpuset.cpus", "2-3"),
        ("/sys/fs/cgroup/smplb/cpuset.cpus.exclusive", "2-3"),
        ("/sys/fs/cgroup/smplb/cpuset.cpus.partition", "isolated"),
    ] {
        assert_eq!(machine.get(path), text, "{path}");
    }
    assert!(release(&machine, None).unwrap().is_empty());
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn isolating_twice_adds_and_releasing_a_part_keeps_the_rest() {
    let machine = Fake::new();
    let before = machine.snapshot();
    isolate(&machine, &set("2")).unwrap();
    assert_eq!(machine.get("/proc/irq/25/smp_affinity_list"), "0-1,3");
    isolate(&machine, &set("3")).unwrap();
    assert_eq!(machine.get("/proc/irq/25/smp_affinity_list"), "0-1");
    assert_eq!(machine.get("/sys/fs/cgroup/smplb/cpuset.cpus"), "2-3");
    release(&machine, Some(&set("2"))).unwrap();
    assert_eq!(machine.get("/sys/fs/cgroup/smplb/cpuset.cpus"), "3");
    assert_eq!(machine.get("/proc/irq/25/smp_affinity_list"), "2");
    assert_eq!(machine.get("/proc/irq/24/smp_affinity_list"), "0-2");
    let error = release(&machine, Some(&set("2"))).unwrap_err().to_string();
    assert_eq!(error, "CPU 2 is not one of those that smplbctl isolated, 3");
    release(&machine, Some(&set("3"))).unwrap();
    assert_eq!(machine.snapshot(), before);
    let error = release(&machine, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "smplbctl has isolated no CPU since the machine booted (there is no /run/smplb/cpu.json)"
    );
}

#[test]
fn what_others_changed_meanwhile_is_theirs() {
    let machine = Fake::new();
    isolate(&machine, &set("2-3")).unwrap();
    machine.set("/proc/irq/24/smp_affinity_list", "1");
    machine.set("/proc/irq/27/smp_affinity_list", "0-1");
    machine.set("/proc/irq/28/smp_affinity_list", "0");
    machine
        .files
        .borrow_mut()
        .remove("/proc/irq/25/smp_affinity_list");
    release(&machine, None).unwrap();
    assert_eq!(machine.get("/proc/irq/24/smp_affinity_list"), "1");
    // Came with the default of that time, or with a choice of its own.
    assert_eq!(machine.get("/proc/irq/27/smp_affinity_list"), "0-3");
    assert_eq!(machine.get("/proc/irq/28/smp_affinity_list"), "0");
}

#[test]
fn what_a_crash_left_is_undone() {
    for life in 1..14 {
        let machine = Fake::new();
        let before = machine.snapshot();
        machine.life.replace(life);
        let _ = isolate(&machine, &set("2-3"));
        machine.life.replace(usize::MAX);
        let _ = release(&machine, None);
        assert_eq!(machine.snapshot(), before, "after {life} changes");
        isolate(&machine, &set("2")).unwrap();
        machine.life.replace(life);
        let _ = isolate(&machine, &set("3"));
        machine.life.replace(life);
        let _ = release(&machine, None);
        machine.life.replace(usize::MAX);
        let _ = release(&machine, None);
        assert_eq!(machine.snapshot(), before, "twice after {life} changes");
    }
}

/// The CPU of an interrupt is offline when it is to have that one again.
#[test]
fn what_cannot_be_put_back_is_put_back_later() {
    let machine = Fake::new();
    let before = machine.snapshot();
    isolate(&machine, &set("2-3")).unwrap();
    machine.set("/sys/devices/system/cpu/online", "0-1,3");
    for _ in 0..2 {
        let warnings = release(&machine, None).unwrap();
        let interrupt = "interrupt 25 (eth0-rx) stays as it is: Invalid argument (os error 22)";
        assert_eq!(
            warnings,
            [interrupt, "once that can be put back: smplbctl cpu release"]
        );
    }
    machine.set("/sys/devices/system/cpu/online", "0-3");
    assert!(release(&machine, None).unwrap().is_empty());
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn what_another_boot_left_counts_for_nothing() {
    let machine = Fake::new();
    isolate(&machine, &set("2-3")).unwrap();
    machine.set("/proc/sys/kernel/random/boot_id", "b-2");
    assert!(release(&machine, None).is_err());
    machine.set(state::PATH, "{}");
    let error = release(&machine, None).unwrap_err().to_string();
    assert!(
        error.starts_with("/run/smplb/cpu.json was not written by smplbctl"),
        "{error}"
    );
}

#[test]
fn refusals_change_nothing_and_say_what_helps() {
    let mut machine = Fake::new();
    assert_eq!(
        refused(&machine, "4"),
        "CPU 4 is offline; bring it online with: echo 1 >/sys/devices/system/cpu/cpu4/online"
    );
    assert_eq!(refused(&machine, "1,7"), "there is no CPU 7; there are 0-4");
    assert_eq!(refused(&machine, ""), "no CPU is named");
    let last = "no CPU would be left for everything else; leave out one that is online";
    assert_eq!(refused(&machine, "0-3"), last);
    machine.set("/sys/devices/system/cpu/isolated", "0-1");
    assert_eq!(refused(&machine, "2-3"), last);
    machine.set("/sys/devices/system/cpu/isolated", "");
    machine.verdict = "isolated invalid (Parent unable to distribute cpu downstream)";
    assert_eq!(
        refused(&machine, "2"),
        "the kernel refuses the partition: Parent unable to distribute cpu downstream"
    );
    machine.set("/sys/fs/cgroup/cgroup.controllers", "cpu");
    let error = refused(&machine, "2");
    assert!(
        error.contains("no cpuset controller for the cgroup2 at /sys/fs/cgroup"),
        "{error}"
    );
    machine.set("/proc/self/mountinfo", "22 1 0:5 / /proc rw - proc proc rw");
    let error = refused(&machine, "2");
    assert!(
        error.starts_with("cgroup2 is not mounted; mount it with: mount -t"),
        "{error}"
    );
}

#[test]
fn a_refused_addition_leaves_the_first_isolated() {
    let mut machine = Fake::new();
    isolate(&machine, &set("2")).unwrap();
    let before = machine.snapshot();
    machine.verdict = "isolated invalid (x)";
    machine.set("/sys/fs/cgroup/smplb/cpuset.cpus.partition", "member");
    let error = isolate(&machine, &set("3")).unwrap_err().to_string();
    assert!(
        error.starts_with("the kernel refuses the partition: x"),
        "{error}"
    );
    machine.verdict = "isolated";
    assert_eq!(machine.get("/sys/fs/cgroup/smplb/cpuset.cpus"), "2");
    isolate(&machine, &set("2")).unwrap();
    assert_eq!(machine.snapshot(), before);
}

fn engine(cpu: u32) -> Engine {
    Engine {
        cpu: Some(cpu),
        ports: Some(1),
        isolated: Some(u8::from(cpu == 2)),
        interrupts: Some(0),
        ticks: Some(250),
        switches: Some(4),
        preemptions: Some(1),
        time: Some(1_000_000_000),
        busy_time: Some(370_000_000),
        longest_gap: Some(1_250_000),
        ..Engine::default()
    }
}

#[test]
fn the_listing_says_what_is_missing() {
    let machine = Fake::new();
    isolate(&machine, &set("2-3")).unwrap();
    let table = |engines: &[Engine]| render(&rows(&machine, engines).unwrap());
    assert_eq!(
        table(&[engine(1), engine(2)]),
        "\
CPU  PORTS  INTERRUPTS  TICKS  SWITCHES   BUSY  LONGEST-GAP  ISOLATED
  1      1           0    250         4  37.0%        1.2ms  lacks partition, nohz_full, rcu_nocbs, irq 24
  2      1           0    250         4  37.0%        1.2ms  lacks nohz_full, rcu_nocbs, irq 25 (pending)
  3      -           -      -         -      -            -  lacks nohz_full, irq 26
"
    );
    machine.set("/proc/irq/25/effective_affinity_list", "0");
    machine.set("/sys/devices/system/cpu/nohz_full", "2");
    assert_eq!(
        table(&[engine(2)]).lines().nth(1).unwrap(),
        "  2      1           0    250         4  37.0%        1.2ms  yes"
    );
    let warnings = elsewhere(&[engine(1), engine(2)]);
    assert_eq!(
        warnings,
        ["ports are polled by CPU 1, which is not isolated; \
          move them with: smplbctl port set NAME --cpu N"]
    );
}

#[test]
fn json() {
    let machine = Fake::new();
    isolate(&machine, &set("2")).unwrap();
    let rows = rows(&machine, &[engine(2)]).unwrap();
    let json = serde_json::to_string(&rows).unwrap();
    assert_eq!(
        json,
        "[{\"cpu\":2,\"ports\":1,\"isolated\":true,\
         \"missing\":[\"nohz_full\",\"rcu_nocbs\",\"irq 25 (pending)\"],\
         \"irqs\":[{\"irq\":25,\"names\":[\"eth0-rx\"],\"pending\":true}],\
         \"interrupts\":0,\"ticks\":250,\"switches\":4,\"preemptions\":1,\"time\":1000000000,\
         \"busy_time\":370000000,\"longest_gap\":1250000}]"
    );
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let inner = keys_of(&value[0]["irqs"].to_string());
    let mut keys = [keys_of(&json), inner].concat();
    keys.sort();
    assert_eq!(keys, documented(AFTER));
}

#[test]
fn an_application_moves_in() {
    let fake = Fake::new();
    let engines = [Engine {
        cpu: Some(1),
        ..Engine::default()
    }];
    let refused = run::move_in(&fake, 1, &engines, 77).unwrap_err();
    assert!(refused.to_string().contains("has an engine"), "{refused}");
    fake.set(&format!("{CGROUP}/smplb/cgroup.procs"), "");
    let warnings = run::move_in(&fake, 2, &engines, 77).unwrap();
    assert_eq!(fake.get(&format!("{CGROUP}/smplb/cgroup.procs")), "77");
    assert_eq!(fake.get(&format!("{CGROUP}/smplb/cpuset.cpus")), "2");
    let lacks = warnings.last().unwrap();
    assert!(
        lacks.starts_with("CPU 2 lacks nohz_full, rcu_nocbs"),
        "{lacks}"
    );
    // Another one beside it, and one that was isolated when the machine booted.
    run::move_in(&fake, 3, &engines, 78).unwrap();
    assert_eq!(fake.get(&format!("{CGROUP}/smplb/cpuset.cpus")), "2-3");
    fake.set("/sys/devices/system/cpu/isolated", "0");
    run::move_in(&fake, 0, &engines, 79).unwrap();
    assert_eq!(fake.get(&format!("{CGROUP}/smplb/cgroup.procs")), "78");
}
