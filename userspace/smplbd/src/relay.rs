// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbd relay`: serves the switch of this host to a daemon on another one.
//!
//! Who comes must have a certificate of the given authority: there is no way to switch that off.
//! And who comes gets no more than is needed to follow load: weights, and backends of services
//! that exist. Size, rate and number of what is asked are bounded, so that no daemon gone wrong
//! can keep the control processor busy.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

use crate::door::Door;
use crate::limit::Limit;
use crate::switch::wire::proto::switch_server::{self, SwitchServer};
use crate::switch::wire::proto::{PublishReply, PublishRequest, ReadReply, ReadRequest};
use crate::switch::{Change, Switch, SwitchError};

/// The greatest request: a weight for each of some ten thousand backends.
const MAX_REQUEST: usize = 1 << 20;
/// Connections at once.
const CONNECTIONS: usize = 16;
/// Requests at once on a connection.
const STREAMS: u32 = 8;
/// Publications a second over all connections: one daemon makes at most 10.
const PUBLICATIONS: u32 = 12;
/// Readings a second over all connections.
const READINGS: u32 = 20;
/// For a handshake, a request, and a sign of life.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Serve the switch of this host to a smplbd on another one, over mutual TLS
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Address and port to listen on, as 192.0.2.1:9471
    #[arg(long, value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Certificate of the relay, PEM
    #[arg(long, value_name = "FILE")]
    pub certificate: PathBuf,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Authority that has signed the certificates of daemons that may come, PEM
    #[arg(long, value_name = "FILE")]
    pub client_ca: PathBuf,
    /// Let daemons also make and delete services
    #[arg(long)]
    pub allow_create: bool,
    /// Filter of the log, as info or smplbd=debug
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// Serves `switch` until `stop` is done.
///
/// # Errors
/// When a file cannot be read or is not what it should be, or the listener fails.
pub async fn serve(
    args: &Args,
    listener: TcpListener,
    switch: Arc<dyn Switch>,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let identity = Identity::from_pem(read(&args.certificate)?, read(&args.key)?);
    let tls = ServerTlsConfig::new()
        .identity(identity)
        .client_ca_root(Certificate::from_pem(read(&args.client_ca)?))
        .client_auth_optional(false)
        .timeout(TIMEOUT);
    let relay = Relay {
        switch,
        allow_create: args.allow_create,
        publications: Limit::new(PUBLICATIONS),
        readings: Limit::new(READINGS),
    };
    let service = SwitchServer::new(relay).max_decoding_message_size(MAX_REQUEST);
    Server::builder()
        .tls_config(tls)
        .context("certificate, key or client CA")?
        .timeout(TIMEOUT)
        .max_concurrent_streams(STREAMS)
        .http2_keepalive_interval(Some(TIMEOUT))
        .http2_keepalive_timeout(Some(TIMEOUT))
        .add_service(service)
        .serve_with_incoming_shutdown(Door::new(listener, CONNECTIONS).guests(), stop)
        .await
        .context("relay")
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

struct Relay {
    switch: Arc<dyn Switch>,
    allow_create: bool,
    publications: Limit,
    readings: Limit,
}

#[tonic::async_trait]
impl switch_server::Switch for Relay {
    async fn read(&self, _: Request<ReadRequest>) -> Result<Response<ReadReply>, Status> {
        limited(&self.readings, "readings")?;
        let state = self.switch.read().await.map_err(|error| status(&error))?;
        Ok(Response::new((&state).into()))
    }

    async fn publish(
        &self,
        request: Request<PublishRequest>,
    ) -> Result<Response<PublishReply>, Status> {
        limited(&self.publications, "publications")?;
        let peer = request.remote_addr();
        let PublishRequest {
            expect_generation,
            changes,
        } = request.into_inner();
        let changes = changes.into_iter().map(Change::try_from);
        let changes = changes.collect::<Result<Vec<_>, _>>();
        let changes = changes.map_err(|error| Status::invalid_argument(error.to_string()))?;
        if let Some(change) = changes.iter().find(|change| !self.allows(change)) {
            let why =
                format!("{change}: the relay changes no services: start it with --allow-create");
            tracing::warn!(?peer, %change, "refused: services are only changed with --allow-create");
            return Err(Status::permission_denied(why));
        }
        let count = changes.len();
        let published = self.switch.publish(changes, expect_generation).await;
        let published = published.map_err(|error| {
            tracing::debug!(?peer, expect_generation, %error, "not published");
            status(&error)
        })?;
        tracing::info!(
            ?peer,
            generation = published.generation,
            slots_moved = published.slots_moved,
            changes = count,
            "published"
        );
        Ok(Response::new(PublishReply {
            generation: published.generation,
            slots_moved: published.slots_moved,
        }))
    }
}

impl Relay {
    fn allows(&self, change: &Change) -> bool {
        self.allow_create || !matches!(change, Change::AddService(..) | Change::RemoveService(_))
    }
}

fn limited(limit: &Limit, what: &str) -> Result<(), Status> {
    match limit.take() {
        true => Ok(()),
        false => Err(Status::resource_exhausted(format!("too many {what}"))),
    }
}

fn status(error: &SwitchError) -> Status {
    let words = error.to_string();
    match error {
        SwitchError::Conflict(_) => Status::aborted(words),
        SwitchError::Refused(_) => Status::failed_precondition(words),
        SwitchError::Unavailable(_) => Status::unavailable(words),
        SwitchError::Timeout(_) => Status::deadline_exceeded(words),
    }
}

#[cfg(test)]
mod tests;
