// SPDX-License-Identifier: MIT OR Apache-2.0
//! An ORCA server that reports as it is told.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smplb_orca::open_rca_service_server::{OpenRcaService, OpenRcaServiceServer};
use smplb_orca::{OrcaLoadReport, OrcaLoadReportRequest};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::Stream;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

use super::peer::listener;

pub type Reports = mpsc::Sender<Result<OrcaLoadReport, Status>>;
type Play = dyn Fn(Reports) -> Pin<Box<dyn std::future::Future<Output = ()> + Send>> + Send + Sync;

/// A service that plays the same to every client.
#[derive(Clone)]
struct Service {
    play: Arc<Play>,
    asked: Arc<Mutex<Vec<Duration>>>,
}

#[tonic::async_trait]
impl OpenRcaService for Service {
    type StreamCoreMetricsStream =
        Pin<Box<dyn Stream<Item = Result<OrcaLoadReport, Status>> + Send>>;

    async fn stream_core_metrics(
        &self,
        request: Request<OrcaLoadReportRequest>,
    ) -> Result<Response<Self::StreamCoreMetricsStream>, Status> {
        let interval = request.into_inner().report_interval.unwrap_or_default();
        self.asked
            .lock()
            .unwrap()
            .push(interval.try_into().unwrap());
        let (sender, reports) = mpsc::channel(1);
        tokio::spawn((self.play)(sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(reports))))
    }
}

pub struct OrcaServer {
    pub addr: SocketAddr,
    /// Intervals that clients asked for.
    pub asked: Arc<Mutex<Vec<Duration>>>,
    pub task: JoinHandle<()>,
    /// Makes it go away in peace: GOAWAY, then an end when the clients have gone.
    pub stop: oneshot::Sender<()>,
}

impl OrcaServer {
    pub async fn start<F>(play: impl Fn(Reports) -> F + Send + Sync + 'static) -> Self
    where
        F: std::future::Future<Output = ()> + Send + 'static,
    {
        let (listener, _) = listener().await;
        Self::start_at(listener, None, play)
    }

    pub fn start_at<F>(
        listener: TcpListener,
        tls: Option<ServerTlsConfig>,
        play: impl Fn(Reports) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: std::future::Future<Output = ()> + Send + 'static,
    {
        let addr = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let play: Arc<Play> = Arc::new(move |reports| Box::pin(play(reports)));
        let service = OpenRcaServiceServer::new(Service {
            play,
            asked: asked.clone(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let task = tokio::spawn(async move {
            let stopped = async { stopped.await.unwrap_or(()) };
            let incoming = TcpListenerStream::new(listener);
            let served = server.add_service(service);
            served
                .serve_with_incoming_shutdown(incoming, stopped)
                .await
                .unwrap();
        });
        Self {
            addr,
            asked,
            task,
            stop,
        }
    }
}

/// A report that can be told from others.
pub fn load(cpu: f64) -> OrcaLoadReport {
    OrcaLoadReport {
        cpu_utilization: cpu,
        rps_fractional: 10.0,
        ..OrcaLoadReport::default()
    }
}

/// Reports the same every 50 ms.
pub async fn steady(reports: Reports) {
    while reports.send(Ok(load(0.5))).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
