// SPDX-License-Identifier: MIT OR Apache-2.0
use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::machine::Size;
use super::*;

const SIZE: Size = Size {
    cpus: 8.0,
    memory: 1e9,
};

/// A hierarchy of cgroups made of files.
struct Tree {
    dir: TempDir,
    start: Instant,
}

impl Tree {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            start: Instant::now(),
        }
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.dir.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn cpu_time(&self, cgroup: &str, used: u64, throttled: u64) {
        let text = format!(
            "usage_usec {used}\nuser_usec 0\nnr_periods 1\nnr_throttled 1\n\
             throttled_usec {throttled}\n"
        );
        self.write(&format!("{cgroup}/cpu.stat"), &text);
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }
}

fn limited(value: f64) -> Granted {
    Granted::Limited(Some(value))
}

#[test]
fn nothing_is_added_while_cpu_is_left() {
    for used in [0.0, 0.3, 0.8] {
        assert_eq!(overloaded(used, 1.0), used);
    }
    assert_eq!(overloaded(0.95, 0.0), 0.95);
    assert!((overloaded(0.95, 0.5) - 1.45).abs() < 1e-9);
    assert_eq!(overloaded(1.0, 7.0), 2.0);
    // It rises all the way, without a step.
    let rise: Vec<f64> = (0..=100)
        .map(|n| overloaded(f64::from(n) / 100.0, 1.0))
        .collect();
    assert!(
        rise.windows(2)
            .all(|two| two[0] < two[1] && two[1] - two[0] < 0.08),
        "{rise:?}"
    );
}

#[test]
fn a_limit_is_100_percent() {
    let tree = Tree::new();
    tree.write("app/cpu.max", "200000 100000\n");
    tree.write("app/memory.max", "1000000\n");
    tree.write("app/memory.current", "700000\n");
    tree.write(
        "app/memory.stat",
        "anon 1\ninactive_file 200000\nactive_file 3\n",
    );
    tree.cpu_time("app", 1_000_000, 0);
    let mut app = Cgroup::at(tree.dir.path(), "/app");
    let first = app.sample(tree.at(0), SIZE).unwrap();
    assert_eq!(first.cpu, Granted::Limited(None));
    assert_eq!(first.memory, limited(0.5));
    // Half a second of CPU time in one of two granted.
    tree.cpu_time("app", 1_500_000, 0);
    assert_eq!(app.sample(tree.at(1), SIZE).unwrap().cpu, limited(0.25));
    // Counters begin again: the cgroup was made anew.
    tree.cpu_time("app", 10, 0);
    assert_eq!(
        app.sample(tree.at(2), SIZE).unwrap().cpu,
        Granted::Limited(None)
    );
    tree.cpu_time("app", 1_000_010, 0);
    assert_eq!(app.sample(tree.at(3), SIZE).unwrap().cpu, limited(0.5));
    assert_eq!(app.limits(SIZE), (Some(2.0), Some(1e6)));
}

#[test]
fn a_throttled_cgroup_reads_above_one() {
    let tree = Tree::new();
    tree.write("app/cpu.max", "50000 100000");
    tree.cpu_time("app", 0, 0);
    let mut app = Cgroup::at(tree.dir.path(), "/app");
    app.sample(tree.at(0), SIZE).unwrap();
    // All of the half CPU was used, and a quarter of the time a task was held back.
    tree.cpu_time("app", 500_000, 250_000);
    assert_eq!(app.sample(tree.at(1), SIZE).unwrap().cpu, limited(1.5));
    // A burst was held back, but most of the limit is left.
    tree.cpu_time("app", 650_000, 350_000);
    assert_eq!(app.sample(tree.at(2), SIZE).unwrap().cpu, limited(0.3));
}

#[test]
fn pressure_tells_of_overload_where_nothing_is_throttled() {
    let tree = Tree::new();
    tree.write("app/cpuset.cpus.effective", "0-1,5\n");
    tree.cpu_time("app", 0, 0);
    tree.write(
        "app/cpu.pressure",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=100\n",
    );
    let mut app = Cgroup::at(tree.dir.path(), "/app");
    app.sample(tree.at(0), SIZE).unwrap();
    tree.cpu_time("app", 3_000_000, 0);
    tree.write(
        "app/cpu.pressure",
        "some avg10=60.00 avg60=0.00 avg300=0.00 total=600100\n",
    );
    assert_eq!(app.sample(tree.at(1), SIZE).unwrap().cpu, limited(1.6));
}

#[test]
fn the_level_nearest_to_its_limit_counts() {
    let tree = Tree::new();
    // The pod grants less than the container in it asks for, and others are in the pod, too.
    tree.write("pod/memory.max", "1000000");
    tree.write("pod/memory.current", "900000");
    tree.write("pod/cpu.max", "100000 100000");
    tree.write("pod/app/memory.max", "800000");
    tree.write("pod/app/memory.current", "400000");
    tree.write("pod/app/cpu.max", "400000 100000");
    tree.cpu_time("pod", 0, 0);
    tree.cpu_time("pod/app", 0, 0);
    let mut app = Cgroup::at(tree.dir.path(), "/pod/app");
    app.sample(tree.at(0), SIZE).unwrap();
    tree.cpu_time("pod", 750_000, 0);
    tree.cpu_time("pod/app", 500_000, 0);
    let sample = app.sample(tree.at(1), SIZE).unwrap();
    assert_eq!((sample.cpu, sample.memory), (limited(0.75), limited(0.9)));
    assert_eq!(app.limits(SIZE), (Some(1.0), Some(800_000.0)));
}

#[test]
fn no_limit_below_the_machine_is_none() {
    let tree = Tree::new();
    for (cpu, memory) in [
        ("max 100000", "max"),
        ("800000 100000", "1000000000"),
        ("", "x"),
    ] {
        tree.write("app/cpu.max", cpu);
        tree.write("app/memory.max", memory);
        tree.write("app/cpuset.cpus.effective", "0-7");
        let mut app = Cgroup::at(tree.dir.path(), "/app");
        assert_eq!(
            app.sample(tree.at(0), SIZE),
            Some(cgroup::Sample::default()),
            "{cpu}"
        );
    }
}

#[test]
fn own_limits_are_those_of_the_container() {
    let tree = Tree::new();
    tree.write("hierarchy/memory.max", "500000");
    tree.write("hierarchy/memory.current", "100000");
    tree.write("hierarchy/system.slice/agent.service/memory.max", "64000");
    tree.write(
        "hierarchy/system.slice/agent.service/memory.current",
        "32000",
    );
    let root = tree.dir.path().join("hierarchy");
    let membership = tree.dir.path().join("membership");
    let memory = |text: &str, unit: bool| {
        fs::write(&membership, text).unwrap();
        let mut own = Cgroup::own(&root, &membership, unit);
        own.sample(tree.at(0), SIZE).unwrap().memory
    };
    assert_eq!(memory("1:cpu:/x\n0::/\n", false), limited(0.2));
    let unit = "0::/system.slice/agent.service\n";
    assert_eq!(memory(unit, false), limited(0.5));
    // The limit of the agent's own unit is not the application's.
    assert_eq!(memory(unit, true), limited(0.2));
    assert_eq!(memory("0::/../../elsewhere\n", false), limited(0.2));
    assert_eq!(memory("0::/not/here\n", false), limited(0.2));
    assert_eq!(memory("", true), limited(0.2));
}

#[test]
fn a_named_cgroup_may_come_and_go() {
    let tree = Tree::new();
    let settings = Settings {
        cgroup: "/app".to_owned(),
        cgroup_root: tree.dir.path().to_owned(),
        ..Settings::default()
    };
    let mut system = System::new(&settings, Path::new("/proc"), false);
    assert_eq!(system.sample(tree.at(0)), Figures::default());
    tree.write("app/memory.max", "1000");
    tree.write("app/memory.current", "250");
    assert_eq!(system.sample(tree.at(1)).memory, Some(0.25));
    fs::remove_dir_all(tree.dir.path().join("app")).unwrap();
    assert_eq!(system.sample(tree.at(2)), Figures::default());
}

#[test]
fn the_machine_counts_where_nothing_is_limited() {
    let settings = Settings {
        cgroup: "none".to_owned(),
        ..Settings::default()
    };
    let mut system = System::of_this_machine(&settings);
    assert_eq!(system.sample(Instant::now()).cpu, None);
    // Use what there is of one CPU, so that there is something to see.
    let end = Instant::now() + Duration::from_millis(300);
    while Instant::now() < end {}
    let figures = system.sample(Instant::now());
    let (cpu, memory) = (figures.cpu.unwrap(), figures.memory.unwrap());
    assert!(cpu > 0.001 && cpu <= 2.0, "{cpu}");
    assert!(memory > 0.001 && memory < 1.0, "{memory}");
}

#[test]
fn what_is_not_wanted_is_not_said() {
    let settings = Settings {
        cpu: false,
        memory: false,
        cgroup: "none".to_owned(),
        ..Settings::default()
    };
    let mut system = System::of_this_machine(&settings);
    system.sample(Instant::now());
    assert_eq!(system.sample(Instant::now()), Figures::default());
}
