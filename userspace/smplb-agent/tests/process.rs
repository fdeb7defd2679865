// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program itself: what it costs, how it ends, and how it talks to the service manager.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{kill_process, Pid, Signal};
use smplb_orca::open_rca_service_client::OpenRcaServiceClient;
use smplb_orca::{OrcaLoadReport, OrcaLoadReportRequest};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use tonic::Streaming;

const PROGRAM: &str = env!("CARGO_BIN_EXE_smplb-agent");

/// An agent that runs, with a service manager that is played by the test.
struct Agent {
    child: Child,
    address: SocketAddr,
    manager: UnixDatagram,
    dir: TempDir,
}

impl Agent {
    /// Starts one with this configuration, and waits until it says that it is ready.
    fn start(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("agent.toml");
        fs::write(&file, config).unwrap();
        let socket = dir.path().join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let child = Command::new(PROGRAM)
            .arg("--config")
            .arg(&file)
            .args(["--listen", "127.0.0.1:0"])
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "1000000")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut agent = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            manager,
            dir,
        };
        let log = BufReader::new(agent.child.stderr.take().unwrap());
        let mut lines = log.lines().map(Result::unwrap);
        let at = lines.find_map(|line| {
            let word = line.split("listen=").nth(1)?;
            word.split_whitespace().next()?.parse().ok()
        });
        agent.address = at.expect("it does not say where it listens");
        // Nobody need read the rest, but the pipe must stay open and must not fill.
        std::thread::spawn(move || lines.for_each(drop));
        agent.hears("READY=1");
        agent
    }

    /// Waits until it tells the service manager this.
    fn hears(&self, wanted: &str) -> String {
        let mut message = [0; 1024];
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            let length = self.manager.recv(&mut message).expect(wanted);
            let message = String::from_utf8_lossy(&message[..length]);
            if message.lines().any(|line| line == wanted) {
                return message.into_owned();
            }
        }
        panic!("it does not say {wanted}");
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    async fn reports(&self, millis: i32) -> Streaming<OrcaLoadReport> {
        let to: Endpoint = format!("http://{}", self.address).parse().unwrap();
        let mut client: OpenRcaServiceClient<Channel> =
            OpenRcaServiceClient::new(to.connect().await.unwrap());
        let request = OrcaLoadReportRequest {
            report_interval: Some(prost_types::Duration {
                seconds: 0,
                nanos: millis * 1_000_000,
            }),
            ..OrcaLoadReportRequest::default()
        };
        client
            .stream_core_metrics(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// A value of /proc/PID/status, in KiB.
    fn status(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(key)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// CPU time used, in ticks of 10 ms.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after_name = stat.rsplit(')').next().unwrap();
        let words: Vec<&str> = after_name.split_whitespace().collect();
        words[11].parse::<u64>().unwrap() + words[12].parse::<u64>().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn ten_reports_a_second_cost_little() {
    let agent = Agent::start("");
    let mut reports = agent.reports(100).await;
    reports.message().await.unwrap().unwrap();
    let (start, ticks) = (Instant::now(), agent.ticks());
    let mut count = 0;
    while start.elapsed() < Duration::from_secs(3) {
        let report = reports.message().await.unwrap().unwrap();
        assert!(report.mem_utilization > 0.0);
        count += 1;
    }
    let (used, rss) = (agent.ticks() - ticks, agent.status("VmRSS:"));
    println!(
        "{count} reports, {used} ticks, {rss} KiB, {} threads",
        agent.status("Threads:")
    );
    assert!((25..=35).contains(&count), "{count} reports");
    assert!(rss <= 20 << 10, "{rss} KiB");
    assert_eq!(agent.status("Threads:"), 1);
    // 1 % of a CPU at one report per second is 10 % at ten.
    assert!(used <= 30, "{used} ticks of 10 ms in 3 s");
}

#[tokio::test]
async fn a_reload_changes_what_is_reported() {
    let agent = Agent::start("labels = [\"old\"]");
    let mut reports = agent.reports(100).await;
    let labels = |report: OrcaLoadReport| report.named_metrics.into_keys().collect::<Vec<_>>();
    let report = reports.message().await.unwrap().unwrap();
    assert_eq!(labels(report), ["smplb.label.old"]);
    let file = agent.dir.path().join("agent.toml");
    let load = agent.dir.path().join("load");
    fs::write(&load, "exec-seconds 0.5\n").unwrap();
    let source = format!(
        "[[source]]\ntype = \"file\"\npath = \"{}\"\n",
        load.display()
    );
    for (config, wanted) in [
        (
            format!("labels = [\"new\"]\n{source}"),
            ["smplb.exec_seconds", "smplb.label.new"],
        ),
        // One with an error changes nothing.
        (
            "labels = \"x\"".to_owned(),
            ["smplb.exec_seconds", "smplb.label.new"],
        ),
    ] {
        fs::write(&file, config).unwrap();
        agent.signal(Signal::HUP);
        assert!(agent.hears("RELOADING=1").contains("MONOTONIC_USEC="));
        agent.hears("READY=1");
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            // The stream goes on all the time.
            let mut names = labels(reports.message().await.unwrap().unwrap());
            names.sort();
            if names == wanted {
                break;
            }
            assert!(Instant::now() < end, "{names:?}");
        }
    }
}

#[test]
fn a_signal_ends_it_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut agent = Agent::start("");
        agent.signal(signal);
        agent.hears("STOPPING=1");
        assert!(agent.child.wait().unwrap().success());
    }
}

#[test]
fn the_watchdog_is_fed_by_who_was_started() {
    // WATCHDOG_PID is not the agent's, as in a child of a service: nothing must be said.
    let agent = Agent::start("");
    agent
        .manager
        .set_read_timeout(Some(Duration::from_millis(1500)))
        .unwrap();
    assert!(agent.manager.recv(&mut [0; 1024]).is_err());
    drop(agent);
    // A shell sets it to its own id, which the agent takes over.
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let script = format!("WATCHDOG_PID=$$ exec {PROGRAM} --listen 127.0.0.1:0");
    let mut child = Command::new("/bin/sh")
        .args(["-c", &script])
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "400000")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut fed = 0;
    let mut message = [0; 1024];
    while fed < 5 {
        let length = manager.recv(&mut message).expect("the watchdog starves");
        fed += usize::from(&message[..length] == b"WATCHDOG=1\n");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_check_says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("agent.toml");
    let path = file.to_str().unwrap();
    let check = |config: &str| {
        fs::write(&file, config).unwrap();
        run(&["--config", path, "--check"])
    };
    let good = check("labels = [\"gpu\"]");
    assert!(good.status.success());
    assert_eq!(good.stdout, format!("{path}: good\n").as_bytes());
    for (config, words) in [
        ("labels = 5", "agent.toml: labels: "),
        (
            "[tls]\ncertificate = \"/nonexistent/a\"\nkey = \"b\"",
            "cannot read /nonexistent/a: ",
        ),
    ] {
        let bad = check(config);
        assert_eq!(bad.status.code(), Some(1));
        let message = stderr(&bad);
        assert!(
            message.starts_with("smplb-agent: ") && message.contains(words),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    let none = run(&["--config", "/nonexistent/agent.toml"]);
    assert!(stderr(&none).contains("cannot read /nonexistent/agent.toml: No such file"));
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &at]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains(&format!("cannot listen on {at}; see `listen`: ")),
        "{message}"
    );
}

fn print_with(dir: &Path, config: &str) -> Output {
    let file = dir.join("agent.toml");
    fs::write(&file, config).unwrap();
    run(&["--config", file.to_str().unwrap(), "--print"])
}

#[test]
fn one_report_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let source = "[[source]]\ntype = \"command\"\n";
    let config = format!("labels = [\"gpu\"]\n{source}command = [\"/bin/echo\", \"rps 12.5\"]\n");
    let good = print_with(dir.path(), &config);
    assert!(good.status.success(), "{}", stderr(&good));
    let report: serde_json::Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!(report["rps_fractional"], 12.5);
    assert_eq!(report["named_metrics"]["smplb.label.gpu"], 1.0);
    assert!(report["cpu_utilization"].as_f64().unwrap() >= 0.0);
    assert!(report["mem_utilization"].as_f64().unwrap() > 0.0);
    // What fails is told, and the rest is printed all the same.
    let config = format!("{config}{source}command = [\"/bin/false\"]\nname = \"broken\"\n");
    let bad = print_with(dir.path(), &config);
    assert_eq!(bad.status.code(), Some(1));
    let again: serde_json::Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(again["rps_fractional"], 12.5);
    assert!(
        stderr(&bad).contains("broken: /bin/false: exit status: 1"),
        "{}",
        stderr(&bad)
    );
}
