// SPDX-License-Identifier: MIT OR Apache-2.0
//! Exit status and standard error of the program itself. Nothing here gets as far as the kernel.

use std::fs;
use std::process::{Command, Output};

fn smplbctl(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_smplbctl");
    Command::new(program).args(args).output().unwrap()
}

#[test]
fn help_and_version_are_done() {
    for args in [&["--help"][..], &["-V"], &["port", "list", "--help"]] {
        let output = smplbctl(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn a_wrong_command_line_is_2() {
    for args in [
        &[][..],
        &["frobnicate"],
        &["port"],
        &["service", "add", "tcp:192.0.2.1:70000"],
        &["show", "--toml", "-j"],
    ] {
        let output = smplbctl(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_wrong_file_is_1_and_every_fault_has_its_line() {
    let name = format!("smplbctl-exit-{}.toml", std::process::id());
    let file = std::env::temp_dir().join(name);
    fs::write(
        &file,
        "[[service]]\naddress = \"tcp:192.0.2.1:80\"\nmod = \"nat\"\n",
    )
    .unwrap();
    let path = file.to_str().unwrap();
    let output = smplbctl(&["apply", path]);
    fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "smplbctl: cannot apply {path}, nothing is changed:\n\
             {path}:3:1: service.mod: unknown key, known are: \
             address, scheduler, mode, timeout, announce, backend\n"
        )
    );
}

#[test]
fn man_pages_and_completions_are_written() {
    let name = format!("smplbctl-man-{}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    let path = dir.to_str().unwrap();
    let output = smplbctl(&["man", "--dir", path, "--completions", path]);
    let page = fs::read_to_string(dir.join("smplbctl-service-list.8")).unwrap();
    let written = ["smplbctl.8", "smplbctl.bash", "smplbctl.fish", "_smplbctl"];
    let missing: Vec<_> = written
        .iter()
        .filter(|name| !dir.join(name).exists())
        .collect();
    fs::remove_dir_all(&dir).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(missing.is_empty(), "{missing:?}");
    assert!(page.contains("scheduler    wrr or lc"));
}
