// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load reports of grpc-js, which brings an ORCA server of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use smplb_master::Report;
use smplb_probe::Trouble;

use super::peer::{cached, installed, run, skipped, Follower, Server};

/// The folder in which grpc-js is installed.
pub fn modules() -> Option<PathBuf> {
    if !installed("npm") || !installed("node") {
        skipped("npm is not installed");
        return None;
    }
    let modules = cached("grpc-js", |folder| {
        let options = [
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--prefix",
        ];
        let arguments = options.iter().map(OsStr::new);
        run(
            "npm",
            arguments.chain([folder.as_os_str(), OsStr::new("@grpc/grpc-js@1.14")]),
        )
    });
    modules
        .inspect_err(|why| skipped(&format!("grpc-js cannot be installed: {why}")))
        .ok()
}

pub fn server(modules: &Path, port: u16) -> Server {
    let mut command = Command::new("node");
    command.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/orca.js"
    ));
    command.arg(modules).arg(port.to_string());
    Server::start(command)
}

pub fn expected() -> Report {
    Report {
        rate: Some(1234.5),
        errors: Some(2.5),
        application: Some(1.25),
        cpu: Some(0.8210),
        named: [("util".to_owned(), 0.30499)].into(),
        ..Report::default()
    }
}

#[tokio::test]
async fn reports_of_grpc_js_arrive_through_restarts() {
    let Some(modules) = modules() else { return };
    let mut first = server(&modules, 0);
    let port = first.port;
    let fast = Duration::from_millis(100);
    let slow = Duration::from_secs(1);
    let mut often = Follower::start(port, fast);
    let mut seldom = Follower::start(port, slow);
    for (follower, interval) in [(&mut often, fast), (&mut seldom, slow)] {
        // Its first report takes one interval, too.
        assert_eq!(follower.report().await, expected());
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(follower.report().await, expected());
        }
        // Events wait in the channel while the other one is looked at, at most eight.
        assert!(start.elapsed() < 30 * interval, "{:?}", start.elapsed());
    }

    // It sends GOAWAY and waits for its calls: it goes because they are given up.
    first.go_away();
    for follower in [&mut often, &mut seldom] {
        let trouble = follower.trouble().await;
        assert!(matches!(trouble, Trouble::GoAway { .. }), "{trouble}");
    }
    first.gone().await;

    let second = server(&modules, port);
    for follower in [&mut often, &mut seldom] {
        assert_eq!(follower.report_at_last().await, expected());
    }
    // It is killed, and its connections with it.
    drop(second);
    for follower in [&mut often, &mut seldom] {
        let trouble = follower.trouble().await;
        assert!(matches!(trouble.name(), "closed" | "reset"), "{trouble}");
    }

    let _third = server(&modules, port);
    for follower in [&mut often, &mut seldom] {
        assert_eq!(follower.report_at_last().await, expected());
    }
}
