// SPDX-License-Identifier: MIT OR Apache-2.0
//! Programs of others, and what they need.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use smplb_master::Report;
use smplb_probe::{orca, Event, Target, Trouble};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything takes here, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Says why a test is skipped.
pub fn skipped(why: &str) {
    println!("skipped: {why}");
}

/// Whether a program is installed.
pub fn installed(program: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg("-v").stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

/// A folder in which something was installed, once for all tests and runs. `Err` says why it could not be.
pub fn cached(
    name: &str,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    // Tests run at the same time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let done = folder.join(".installed");
    if !done.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        install(&folder)?;
        fs::write(done, "").unwrap();
    }
    Ok(folder)
}

/// Runs a program that installs something.
pub fn run<S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = S>,
) -> Result<(), String> {
    let program = Path::new(program.as_ref());
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    let last = error
        .trim_end()
        .lines()
        .last()
        .unwrap_or("no word")
        .to_owned();
    Err(format!("{} failed: {last}", program.display()))
}

/// A server that is a program. It prints its port, and goes away in peace on a line of input.
pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    pub port: u16,
}

impl Server {
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("no server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line
            .trim()
            .parse()
            .expect("the server did not print its port");
        Self {
            input: child.stdin.take(),
            child,
            port,
        }
    }

    /// Asks it to go away in peace.
    pub fn go_away(&mut self) {
        self.input.take().unwrap().write_all(b"go\n").unwrap();
    }

    /// Waits until it has gone.
    pub async fn gone(mut self) {
        let waited = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        assert!(timeout(PATIENCE, waited)
            .await
            .expect("it does not go")
            .unwrap()
            .success());
    }
}

/// Cuts it off.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A follower of load reports.
pub struct Follower {
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
}

impl Follower {
    pub fn start(port: u16, interval: Duration) -> Self {
        let target = Target {
            addr: format!("127.0.0.1:{port}"),
            tls: None,
        };
        let (sender, events) = mpsc::channel(8);
        Self {
            events,
            task: tokio::spawn(orca::follow(target, interval, sender)),
        }
    }

    pub async fn event(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv())
            .await
            .expect("no event")
            .expect("it ended")
    }

    /// The next event, which must be a report.
    pub async fn report(&mut self) -> Report {
        match self.event().await {
            Event::Report(report) => report,
            other => panic!("no report: {other:?}"),
        }
    }

    /// The next report, after any troubles.
    pub async fn report_at_last(&mut self) -> Report {
        loop {
            if let Event::Report(report) = self.event().await {
                return report;
            }
        }
    }

    /// The next trouble, after any reports.
    pub async fn trouble(&mut self) -> Trouble {
        loop {
            if let Event::Trouble(trouble) = self.event().await {
                return trouble;
            }
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}
