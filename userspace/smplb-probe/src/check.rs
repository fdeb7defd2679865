// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks from outside whether a server works.
//!
//! Checks are what users of HAProxy and keepalived know: one every interval, each within a timeout; so many
//! in a row that pass (`rise`) or fail (`fall`) change the word on the server. The very first one counts
//! alone, so that a server is neither held back nor sent clients for nothing when the daemon starts.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, Instant};

use crate::connect::within;
use crate::outlet::{while_heard, Outlet};
use crate::{Event, Trouble};

mod config;
pub mod count;
mod dns;
mod grpc;
mod http;
mod secured;
pub mod status;
mod tcp;

pub use config::Check;

use config::Kind;
use count::Count;

/// The first check comes within this time at most, at random.
const SPREAD: Duration = Duration::from_secs(2);

/// Checks the server at `target`, or at its port that `check` names.
///
/// It tells [`Event::Health`] after the first check and at each change, and runs until it is
/// dropped or nobody listens.
pub async fn follow(check: Check, target: SocketAddr, events: mpsc::Sender<Event>) {
    while_heard(events, |outlet| run(check, target, outlet)).await;
}

async fn run(check: Check, target: SocketAddr, outlet: Outlet) {
    let target = SocketAddr::new(target.ip(), check.port().unwrap_or(target.port()));
    let mut prober = Prober::new(&check, target);
    let mut count = Count::new(check.rise(), check.fall());
    sleep(check.interval().min(SPREAD).mul_f64(rand::random())).await;
    loop {
        let start = Instant::now();
        let result = within(check.timeout(), "check", prober.probe()).await;
        tracing::trace!(%target, ?result, "checked");
        if let Some(up) = count.result(result.is_ok()) {
            let why = result.unwrap_or_else(|trouble| trouble.to_string());
            outlet.tell(Event::Health { up, why }).await;
        }
        let wait = if count.changing() {
            check.fast_interval()
        } else {
            check.interval()
        };
        sleep_until(start + wait).await;
    }
}

/// What makes a single check. `Ok` is what was seen of a server that works.
enum Prober<'a> {
    Tcp(SocketAddr),
    Http(http::Prober<'a>),
    Dns(dns::Prober<'a>),
    Grpc(grpc::Prober<'a>),
}

impl<'a> Prober<'a> {
    fn new(check: &'a Check, target: SocketAddr) -> Self {
        match check.kind() {
            Kind::Tcp => Self::Tcp(target),
            Kind::Http(http) => Self::Http(http::Prober::new(http, target)),
            Kind::Dns(dns) => Self::Dns(dns::Prober::new(dns, target)),
            Kind::Grpc(grpc) => Self::Grpc(grpc::Prober::new(grpc, target)),
        }
    }

    async fn probe(&mut self) -> Result<String, Trouble> {
        match self {
            Self::Tcp(target) => tcp::probe(*target).await,
            Self::Http(prober) => prober.probe().await,
            Self::Dns(prober) => prober.probe().await,
            Self::Grpc(prober) => prober.probe().await,
        }
    }
}
