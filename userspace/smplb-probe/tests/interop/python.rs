// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load reports of gRPC's C core, by Python.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use smplb_master::Report;
use smplb_probe::Trouble;

use super::peer::{cached, run, skipped, Follower, Server};

/// The interpreter of a virtual environment that has what is needed.
pub fn python(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let folder = cached(name, |folder| {
        run(
            "python3",
            ["-m".as_ref(), "venv".as_ref(), folder.as_os_str()],
        )?;
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        run(folder.join("bin/python3"), install.iter().chain(packages))
    });
    match folder {
        Ok(folder) => Some(folder.join("bin/python3")),
        Err(why) => {
            skipped(&format!("{packages:?} cannot be installed: {why}"));
            None
        }
    }
}

pub fn grpcio() -> Option<PathBuf> {
    python("grpcio", &["grpcio>=1.74", "xds-protos==1.85.0"])
}

pub fn server(python: &Path, mode: &str, port: u16) -> Server {
    let mut command = Command::new(python);
    command.arg(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/interop/orca.py"
    ));
    command.arg(mode).arg(port.to_string());
    Server::start(command)
}

pub fn expected() -> Report {
    Report {
        rate: Some(77.5),
        errors: Some(0.5),
        cpu: Some(0.8210),
        memory: Some(0.5847),
        named: [("util".to_owned(), 0.30499)].into(),
        clients: Some(12.0),
        exec_seconds: Some(0.0125),
        labels: vec!["gpu".into()],
        ..Report::default()
    }
}

#[tokio::test]
async fn reports_of_python_arrive_through_restarts() {
    let Some(python) = grpcio() else { return };
    let mut first = server(&python, "first", 0);
    let port = first.port;
    let mut often = Follower::start(port, Duration::from_millis(100));
    let mut seldom = Follower::start(port, Duration::from_secs(1));
    for follower in [&mut often, &mut seldom] {
        for _ in 0..3 {
            assert_eq!(follower.report().await, expected());
        }
    }
    first.go_away();
    for follower in [&mut often, &mut seldom] {
        let trouble = follower.trouble().await;
        assert!(matches!(trouble, Trouble::GoAway { .. }), "{trouble}");
    }
    first.gone().await;
    let second = server(&python, "first", port);
    for follower in [&mut often, &mut seldom] {
        assert_eq!(follower.report_at_last().await, expected());
    }
    drop(second);
    for follower in [&mut often, &mut seldom] {
        let trouble = follower.trouble().await;
        assert!(matches!(trouble.name(), "closed" | "reset"), "{trouble}");
    }
}

#[tokio::test]
async fn a_first_report_of_python_may_be_slow() {
    let Some(python) = grpcio() else { return };
    let server = server(&python, "slow", 0);
    let start = Instant::now();
    let mut follower = Follower::start(server.port, Duration::from_millis(500));
    assert_eq!(follower.report().await, expected());
    assert!(
        start.elapsed() >= Duration::from_millis(2400),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(follower.report().await, expected());
}

#[tokio::test]
async fn troubles_of_python_have_names() {
    let Some(python) = grpcio() else { return };
    let interval = Duration::from_secs(1);
    let without = server(&python, "unimplemented", 0);
    assert_eq!(
        Follower::start(without.port, interval).trouble().await,
        Trouble::Unimplemented
    );

    let refusing = server(&python, "refuse", 0);
    let status = Trouble::Status {
        code: "ResourceExhausted".into(),
        message: "too many clients".into(),
    };
    assert_eq!(
        Follower::start(refusing.port, interval).trouble().await,
        status
    );

    let wild = server(&python, "wild", 0);
    let report = Follower::start(wild.port, interval).report().await;
    assert!(report.cpu.unwrap().is_nan());
    assert_eq!(report.rate, Some(-5.0));
}
