// SPDX-License-Identifier: MIT OR Apache-2.0
//! Peers on the loopback interface, and what a follower tells of them.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use smplb_master::{Report, Word};
use smplb_probe::{check, Check, Event, Trouble};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything takes here, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A follower under test.
pub struct Follower {
    events: mpsc::Receiver<Event>,
    pub task: JoinHandle<()>,
}

impl Follower {
    pub fn start<F>(follow: impl FnOnce(mpsc::Sender<Event>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, events) = mpsc::channel(8);
        Self {
            events,
            task: tokio::spawn(follow(sender)),
        }
    }

    pub async fn event(&mut self) -> Event {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("no event").expect("the follower ended")
    }

    /// What it tells within a time, which passes wholly.
    pub async fn events(&mut self, time: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        let _ = timeout(time, async {
            while let Some(event) = self.events.recv().await {
                events.push(event);
            }
        })
        .await;
        events
    }

    /// The next report, after troubles that may come before it.
    pub async fn report(&mut self) -> Report {
        loop {
            match self.event().await {
                Event::Report(report) => return report,
                Event::Trouble(_) => {}
                other => panic!("no report: {other:?}"),
            }
        }
    }

    /// The next trouble, after reports that may come before it.
    pub async fn trouble(&mut self) -> Trouble {
        loop {
            match self.event().await {
                Event::Trouble(trouble) => return trouble,
                Event::Report(_) => {}
                other => panic!("no trouble: {other:?}"),
            }
        }
    }

    pub async fn word(&mut self) -> Word {
        match self.event().await {
            Event::Word(word) => word,
            other => panic!("no word: {other:?}"),
        }
    }

    pub async fn health(&mut self) -> (bool, String) {
        match self.event().await {
            Event::Health { up, why } => (up, why),
            other => panic!("no health: {other:?}"),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the first check of a server finds.
pub async fn verdict(text: &str, target: SocketAddr) -> (bool, String) {
    // A check that takes long has its own timeout in `text`.
    let timeout = if text.contains("timeout") {
        ""
    } else {
        "\ntimeout = 20"
    };
    let text = format!("{text}{timeout}\ninterval = 0.1");
    let check: Check = toml::from_str(&text).unwrap();
    check.verify().unwrap();
    Follower::start(|events| check::follow(check, target, events))
        .health()
        .await
}

pub async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    (listener, addr)
}

/// An address on which nothing listens.
pub async fn nobody() -> SocketAddr {
    listener().await.1
}

/// A server that treats each connection as it is told, and how many there were.
pub async fn serve<F>(
    treat: impl Fn(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, addr) = listener().await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(treat(stream));
        }
    });
    (addr, count)
}
