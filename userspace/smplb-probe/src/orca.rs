// SPDX-License-Identifier: MIT OR Apache-2.0
//! Follows the load reports of a server, as gRFC A51 has it for a client.
//!
//! One stream is kept. When it ends, for whatever reason, it is opened again after a wait that
//! grows until a report arrives. A server without the service is asked again every five minutes
//! only; its agent may come with its next release.

use std::time::{Duration, Instant};

use smplb_orca::open_rca_service_client::OpenRcaServiceClient;
use smplb_orca::OrcaLoadReportRequest;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::codegen::http::Uri;
use tonic::{Code, Status};

use self::limit::Limit;
use self::silence::Silence;
use crate::backoff::{jittered, Backoff};
use crate::connect::{tcp, within, Io};
use crate::outlet::{while_heard, Outlet};
use crate::trouble::printable;
use crate::wire::{self, Wire};
use crate::{tls, Event, Target, Trouble};

pub mod convert;
mod limit;
mod silence;

/// Largest report that is taken, in octets.
pub const LARGEST: usize = 64 * 1024;
/// Shortest and longest interval that is asked for. Some servers take 0 for "as fast as you can".
const INTERVALS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(300));
/// What a report is slowed down by that is left out, so that a server cannot keep us busy.
const BRAKE: Duration = Duration::from_millis(2);
/// Reports that cannot be read are told at most this often.
const COMPLAINT: Duration = Duration::from_secs(1);

/// Follows the load reports of `target`, which is asked for one every `interval`.
///
/// It runs until it is dropped or nobody listens. A server that reports less often than it is
/// asked to is followed at its own pace.
pub async fn follow(target: Target, interval: Duration, events: mpsc::Sender<Event>) {
    follow_at(Pace::default(), target, interval, events).await;
}

async fn follow_at(pace: Pace, target: Target, interval: Duration, events: mpsc::Sender<Event>) {
    while_heard(events, |outlet| async move {
        let interval = interval.clamp(INTERVALS.0, INTERVALS.1);
        let mut follower = Follower {
            pace,
            target,
            interval,
            outlet,
            backoff: Backoff::new(),
        };
        loop {
            let trouble = follower.stream().await;
            let wait = follower.wait(&trouble);
            tracing::debug!(server = follower.target.addr, %trouble, ?wait, "no load reports");
            follower.outlet.trouble(trouble);
            sleep(wait).await;
        }
    })
    .await;
}

/// The times by which a follower goes.
#[derive(Clone, Copy)]
struct Pace {
    /// For a connection, and again for TLS.
    connect: Duration,
    /// For the first two reports of a stream, which show how often the server reports.
    first: Duration,
    /// For the other ones, at least.
    least: Duration,
    /// Until a server without the service is asked again.
    unimplemented: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            // A server whose own minimum is 30 s, as is common, reports that late.
            first: Duration::from_secs(40),
            least: Duration::from_secs(10),
            unimplemented: Duration::from_secs(300),
        }
    }
}

struct Follower {
    pace: Pace,
    target: Target,
    interval: Duration,
    outlet: Outlet,
    backoff: Backoff,
}

impl Follower {
    /// How long to wait after `trouble`.
    fn wait(&mut self, trouble: &Trouble) -> Duration {
        let chance = rand::random();
        match trouble {
            Trouble::Unimplemented => self.pace.unimplemented.mul_f64(jittered(1.0, chance)),
            _ => self.backoff.wait(chance),
        }
    }

    /// Follows one stream to its end.
    async fn stream(&mut self) -> Trouble {
        let (origin, io) = match self.connect().await {
            Ok(connected) => connected,
            Err(trouble) => return trouble,
        };
        let (wire, mut driver) = match within(self.pace.connect, "HTTP/2", wire::open(io)).await {
            Ok(open) => open,
            Err(trouble) => return trouble,
        };
        let end = driver.during(self.reports(wire, origin)).await;
        let trouble = match end {
            Ok(End::Of(trouble)) | Err(trouble) => trouble,
            Ok(End::Lost(otherwise)) => driver.seen().unwrap_or(otherwise),
        };
        driver.close().await;
        trouble
    }

    async fn connect(&self) -> Result<(Uri, Io), Trouble> {
        let Target { addr, tls: secured } = &self.target;
        let scheme = if secured.is_some() { "https" } else { "http" };
        let origin = Uri::builder()
            .scheme(scheme)
            .authority(addr.as_str())
            .path_and_query("/");
        let origin = origin.build().map_err(|error| Trouble::Unresolved {
            why: format!("{addr:?} is no address: {error}"),
        })?;
        let stream = tcp(addr, self.pace.connect).await?;
        let io = match secured {
            None => Io::plain(stream),
            Some(secured) => {
                let config = tls::read(secured, true, "h2");
                let config = within(self.pace.connect, "reading of certificates", config).await?;
                let name = secured.name(self.target.host())?;
                let io = Io::secured(stream, config, name);
                within(self.pace.connect, "TLS handshake", io).await?
            }
        };
        Ok((origin, io))
    }

    /// Asks for reports, and passes them on until there are no more.
    async fn reports(&mut self, wire: Wire, origin: Uri) -> End {
        let start = Instant::now();
        let mut silence = Silence::new(self.interval, self.pace.first, self.pace.least);
        let mut limit = Limit::new();
        let mut complaint: Option<Instant> = None;
        let request = OrcaLoadReportRequest {
            report_interval: prost_types::Duration::try_from(self.interval).ok(),
            request_cost_names: Vec::new(),
        };
        let mut client =
            OpenRcaServiceClient::with_origin(wire, origin).max_decoding_message_size(LARGEST);
        // Some servers send nothing at all before their first report.
        let stream = timeout(silence.patience(), client.stream_core_metrics(request)).await;
        let mut stream = match stream {
            Ok(Ok(stream)) => stream.into_inner(),
            Ok(Err(status)) => return End::by(&status),
            Err(_) => {
                return End::Of(Trouble::Silent {
                    within: silence.patience(),
                })
            }
        };
        let end = loop {
            let message = match timeout(silence.patience(), stream.message()).await {
                Ok(Ok(Some(message))) => message,
                Ok(Ok(None)) => break End::Of(Trouble::Closed),
                Ok(Err(status)) => break End::by(&status),
                Err(_) => {
                    break End::Of(Trouble::Silent {
                        within: silence.patience(),
                    })
                }
            };
            let now = start.elapsed();
            silence.heard(now);
            let admitted = limit.admit(now);
            if let Some(dropped) = limit.told(now) {
                self.outlet.trouble(Trouble::TooFast { dropped });
            }
            if !admitted {
                sleep(BRAKE).await;
                continue;
            }
            match convert::report(message) {
                Ok(report) => {
                    self.backoff.reset();
                    self.outlet.offer(Event::Report(report));
                }
                Err(wrong) => {
                    if complaint.is_none_or(|last| last.elapsed() >= COMPLAINT) {
                        complaint = Some(Instant::now());
                        self.outlet.trouble(Trouble::BadReport {
                            why: wrong.to_string(),
                        });
                    }
                }
            }
        };
        if let Some(dropped) = limit.untold() {
            self.outlet.trouble(Trouble::TooFast { dropped });
        }
        end
    }
}

/// How a stream ended.
enum End {
    /// In a way that is named.
    Of(Trouble),
    /// Along with its connection, which knows more; if it does not, in this way.
    Lost(Trouble),
}

impl End {
    fn by(status: &Status) -> Self {
        let message = printable(status.message());
        match status.code() {
            Code::Unimplemented => Self::Of(Trouble::Unimplemented),
            // The words of the library, which keeps to the limit it was given.
            Code::OutOfRange if message.contains("decoded message length too large") => {
                Self::Of(Trouble::TooLarge { limit: LARGEST })
            }
            Code::Internal if message.contains("failed to decode Protobuf message") => {
                Self::Of(Trouble::BadReport { why: message })
            }
            code => {
                let trouble = Trouble::Status {
                    code: format!("{code:?}"),
                    message,
                };
                match std::error::Error::source(status) {
                    Some(_) => Self::Lost(trouble),
                    None => Self::Of(trouble),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
