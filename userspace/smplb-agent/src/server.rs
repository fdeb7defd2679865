// SPDX-License-Identifier: MIT OR Apache-2.0
//! Serves reports as ORCA, out of band (gRFC A51): whoever asks gets the whole report at once,
//! and again every interval.
//!
//! Nothing a client does can make the server grow: connections, streams and messages are bounded,
//! a connection that is silent is closed, and a stream that is read slowly gets the newest report
//! when it is read.

mod connection;
mod demand;
mod service;
mod stream;
pub mod tls;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use smplb_orca::open_rca_service_server::OpenRcaServiceServer;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::ServerTlsConfig;
use tracing::{debug, error, warn};

use crate::config::Config;
use crate::report::Report;
use connection::Connection;
pub use demand::Demand;
use service::{Service, Terms};

/// The port on which load is reported.
pub const PORT: u16 = 9470;

/// Most bytes of a request, which holds an interval and names.
const MOST_REQUEST: usize = 16 << 10;

/// Most bytes of a report; what receivers take.
const MOST_REPORT: usize = 64 << 10;

/// A client that does not answer a ping in this time after this time is gone.
const PING: Duration = Duration::from_secs(20);

/// The server.
pub struct Server {
    listener: TcpListener,
    /// How many more connections there may be.
    connections: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    max_streams: usize,
    newest: watch::Receiver<Report>,
    demand: Demand,
    current: Option<Running>,
}

/// A server as it is configured now.
struct Running {
    accepted: mpsc::Sender<io::Result<Connection>>,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Listens where the configuration says, or else on [`PORT`] of every address.
pub async fn listen(at: Option<SocketAddr>) -> io::Result<TcpListener> {
    let Some(at) = at else {
        // One socket for both versions of IP, where there are both.
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT));
        let old = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
        return match TcpListener::bind(both).await {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(old).await,
            outcome => outcome,
        };
    };
    TcpListener::bind(at).await
}

impl Server {
    /// A server on `listener` of the reports in `newest`. It serves nobody until it is configured.
    pub fn new(listener: TcpListener, config: &Config, newest: watch::Receiver<Report>) -> Self {
        let max_streams = config.max_streams;
        Self {
            listener,
            connections: Arc::new(Semaphore::new(max_streams + 32)),
            streams: Arc::new(Semaphore::new(max_streams)),
            max_streams,
            newest,
            demand: Demand::default(),
            current: None,
        }
    }

    /// What clients ask for.
    pub fn demand(&self) -> Demand {
        self.demand.clone()
    }

    /// Serves by these terms from now on. Those who are served by earlier ones are sent away, and
    /// come back.
    pub fn configure(
        &mut self,
        config: &Config,
        tls: Option<ServerTlsConfig>,
    ) -> anyhow::Result<()> {
        let mut builder = tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(PING))
            .http2_keepalive_timeout(Some(PING))
            // One more than there are, so that who comes last is told so.
            .max_concurrent_streams(Some(self.max_streams as u32 + 1))
            .http2_max_header_list_size(Some(16 << 10));
        if let Some(tls) = tls {
            builder = builder.tls_config(tls.timeout(Duration::from_secs(5)))?;
        }
        let (closing, closed) = watch::channel(false);
        let service = Service::new(
            Terms {
                interval: config.interval,
                min_interval: config.min_interval,
            },
            self.newest.clone(),
            self.demand.clone(),
            Arc::clone(&self.streams),
            closed.clone(),
        );
        let service = OpenRcaServiceServer::new(service)
            .max_decoding_message_size(MOST_REQUEST)
            .max_encoding_message_size(MOST_REPORT);
        let (accepted, incoming) = mpsc::channel(16);
        let task = tokio::spawn(async move {
            let server = builder.add_service(service);
            let incoming = ReceiverStream::new(incoming);
            let end = stream::closed(closed);
            if let Err(error) = server.serve_with_incoming_shutdown(incoming, end).await {
                error!(%error, "the server of reports has ended");
            }
        });
        let before = self.current.replace(Running {
            accepted,
            closing,
            task,
        });
        if let Some(before) = before {
            before.closing.send_replace(true);
        }
        Ok(())
    }

    /// Takes one connection. To be called for ever; it can be cancelled at any time.
    pub async fn accept(&self) {
        let (stream, peer) = match self.listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // As when there are too many open files, which does not go away at once.
                warn!(%error, "cannot take a connection");
                sleep(Duration::from_millis(100)).await;
                return;
            }
        };
        let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() else {
            debug!(%peer, "too many connections");
            return;
        };
        // Reports are small and must not wait for more to come.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%peer, %error, "a connection went at once");
            return;
        }
        if let Some(current) = &self.current {
            if current
                .accepted
                .try_send(Ok(Connection::new(stream, permit)))
                .is_err()
            {
                debug!(%peer, "too many connections at a time");
            }
        }
    }

    /// Ends every stream, and waits a short time for clients to hear of it.
    pub async fn end(self) {
        if let Some(current) = self.current {
            current.closing.send_replace(true);
            drop(current.accepted);
            let _ = timeout(Duration::from_secs(1), current.task).await;
        }
    }
}
