// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program itself: what it prints, how it ends, and what signals do. There need be no switch.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const GOOD: &str = "
[daemon]
format = 'json'
[[service]]
address = 'tcp:192.0.2.1:80'
[[service.backend]]
address = '127.0.0.1:1'
";

fn smplbd() -> Command {
    Command::new(env!("CARGO_BIN_EXE_smplbd"))
}

fn check(file: &Path) -> Output {
    let mut command = smplbd();
    command
        .arg("--config")
        .arg(file)
        .arg("--check")
        .output()
        .unwrap()
}

#[test]
fn a_good_file_is_ok() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("smplbd.toml");
    fs::write(&file, GOOD).unwrap();
    let output = check(&file);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("{}: ok\n", file.display()));
}

#[test]
fn a_bad_file_is_told_fault_by_fault() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("smplbd.toml");
    fs::write(
        &file,
        GOOD.replace(
            "'127.0.0.1:1'",
            "'x'\nweight = -1\n[[service.backend]]\naddress = 'y'",
        ),
    )
    .unwrap();
    let output = check(&file);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("service tcp:192.0.2.1:80: backend x: address: x is not"),
        "{text}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_wrong_command_line_is_2() {
    let output = smplbd().arg("--nonsense").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// A running daemon, with what it logs and what it tells systemd.
struct Daemon {
    child: Child,
    lines: mpsc::Receiver<String>,
    systemd: UnixDatagram,
}

impl Daemon {
    fn start(dir: &Path, file: &Path) -> Self {
        let socket = dir.join("notify");
        let systemd = UnixDatagram::bind(&socket).unwrap();
        systemd
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        // systemd says whose watchdog it is; a shell sets that to its own id, which becomes the daemon's.
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "WATCHDOG_PID=$$ exec \"$0\" --config \"$1\""])
            .arg(smplbd().get_program())
            .arg(file)
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "1000000");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            systemd,
        }
    }

    fn logs(&self, words: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(20));
            let line = line.unwrap_or_else(|_| panic!("nothing is logged of {words}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    fn tells(&self, words: &str) -> String {
        let mut bytes = [0; 512];
        loop {
            let count = self.systemd.recv(&mut bytes).unwrap();
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            if text.contains(words) {
                return text;
            }
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_reload_is_judged_first_and_a_stop_is_clean() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("smplbd.toml");
    fs::write(&file, GOOD).unwrap();
    let mut daemon = Daemon::start(dir.path(), &file);
    assert!(daemon.logs("smplbd starts").starts_with('{'));

    fs::write(&file, GOOD.replace("tcp:", "sctp:")).unwrap();
    daemon.signal("HUP");
    assert!(daemon.tells("RELOADING=1").contains("\nMONOTONIC_USEC="));
    let line = daemon.logs("reload refused");
    assert!(line.contains("sctp is neither tcp nor udp"), "{line}");

    fs::write(&file, GOOD).unwrap();
    daemon.signal("HUP");
    daemon.logs("reloaded");

    daemon.signal("TERM");
    daemon.tells("STOPPING=1");
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_watchdog_hears_of_a_daemon_that_goes_on_and_of_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("smplbd.toml");
    fs::write(&file, GOOD).unwrap();
    let daemon = Daemon::start(dir.path(), &file);
    for _ in 0..3 {
        daemon.tells("WATCHDOG=1");
    }
    daemon.signal("STOP");
    // What it told before may still be in the socket.
    daemon.systemd.set_nonblocking(true).unwrap();
    while daemon.systemd.recv(&mut [0; 512]).is_ok() {}
    std::thread::sleep(Duration::from_millis(1500));
    let told = daemon.systemd.recv(&mut [0; 512]).map_err(|e| e.kind());
    assert_eq!(told, Err(ErrorKind::WouldBlock));
    daemon.systemd.set_nonblocking(false).unwrap();
    daemon.signal("CONT");
    daemon.tells("WATCHDOG=1");
}
