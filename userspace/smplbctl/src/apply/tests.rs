// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl apply` against files and bytes.

use super::*;
use crate::testing::{documented, keys_of, Bench};
use smplb_nl::attr::Attributes;
use smplb_nl::Command;

const GOOD: &str = "\
[[service]]
address = \"tcp:192.0.2.1:80\"
[[service.backend]]
address = \"10.0.0.1:8080\"
weight = 70000
";

/// A file that is gone when the test is over.
struct File(String);

impl File {
    fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let unique = format!("smplbctl-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(unique);
        fs::write(&path, text).unwrap();
        Self(path.to_str().unwrap().to_owned())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

fn done() -> Config {
    Config {
        generation: Some(8),
        slots_moved: Some(12),
        ..Config::default()
    }
}

#[test]
fn a_file_is_applied() {
    let file = File::new("applied", GOOD);
    let mut bench = Bench::default();
    bench.kernel().reply(Command::ConfigApply, &done());
    let text = bench.run(&format!("apply {}", file.0)).unwrap();
    assert_eq!(text, "generation 8, slots moved: 12\n");
    let asked = Config::decode(bench.kernel().attributes(0)).unwrap();
    assert_eq!(asked, Document::read(GOOD).unwrap().request());
}

#[test]
fn a_file_is_only_checked() {
    let file = File::new("checked", GOOD);
    let mut bench = Bench::default();
    bench.kernel().reply(Command::ConfigApply, &done());
    let text = bench
        .run(&format!("apply --dry-run --expect-generation 7 {}", file.0))
        .unwrap();
    assert_eq!(text, "would make generation 8, slots moved: 12\n");
    let asked = Config::decode(bench.kernel().attributes(0)).unwrap();
    assert_eq!((asked.dry_run, asked.expect_generation), (true, Some(7)));
}

#[test]
fn json() {
    let file = File::new("json", GOOD);
    let mut bench = Bench::default();
    bench.kernel().reply(Command::ConfigApply, &done());
    let json = bench.run(&format!("-j apply {}", file.0)).unwrap();
    assert_eq!(
        json,
        "{\"generation\":8,\"slots_moved\":12,\"dry_run\":false}\n"
    );
    let (_, keys) = AFTER.split_once("With -j").unwrap();
    assert_eq!(keys_of(&json), documented(keys));
}

#[test]
fn a_wrong_file_does_not_reach_the_kernel() {
    let file = File::new("wrong", "[[service]]\nadress = 1\n");
    let mut bench = Bench::default();
    let error = bench.run(&format!("apply {}", file.0)).unwrap_err();
    let name = &file.0;
    assert_eq!(
        error,
        format!(
            "cannot apply {name}, nothing is changed:\n\
             {name}:1:1: service.address: missing\n\
             {name}:2:1: service.adress: unknown key, known are: \
             address, scheduler, mode, timeout, announce, backend"
        )
    );
    assert!(bench.commands().is_empty());
}

#[test]
fn what_the_kernel_refuses_has_a_place() {
    let file = File::new("refused", GOOD);
    let mut bench = Bench::default();
    // 20 bytes of headers, 28 of the service, then headers and three attributes of the backend.
    bench
        .kernel()
        .refuse(34, "integer out of range", Some(20 + 28 + 4 + 24));
    let error = bench.run(&format!("apply {}", file.0)).unwrap_err();
    let name = &file.0;
    assert_eq!(
        error,
        format!(
            "cannot apply {name}, nothing is changed:\n\
             {name}:5:10: service.backend.weight: integer out of range (backend[0].weight)"
        )
    );
}

#[test]
fn a_refusal_of_the_whole_has_none() {
    let file = File::new("whole", GOOD);
    let mut bench = Bench::default();
    bench
        .kernel()
        .refuse(11, "generation 9 is active", Some(20 + 28 + 36));
    let error = bench
        .run(&format!("apply {} --expect-generation 7", file.0))
        .unwrap_err();
    let wanted = format!(
        "cannot apply {}: generation 9 is active (expect-generation)",
        file.0
    );
    assert_eq!(error, wanted);
}

#[test]
fn what_cannot_be_read() {
    let error = Bench::default().run("apply /no/such/file").unwrap_err();
    assert_eq!(
        error,
        "cannot read /no/such/file: No such file or directory (os error 2)"
    );
    let file = File::new("bytes", b"# fine\n\xff\n");
    let error = Bench::default()
        .run(&format!("apply {}", file.0))
        .unwrap_err();
    assert_eq!(error, format!("cannot apply {}:2:1: not UTF-8", file.0));
}
