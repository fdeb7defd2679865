// SPDX-License-Identifier: MIT OR Apache-2.0
//! A switch on another host, behind its relay.

use std::time::Duration;

use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};

use super::wire::proto::switch_client::SwitchClient;
use super::wire::proto::{PublishRequest, ReadRequest};
use super::{Change, Published, State, Switch, SwitchError};
use crate::config;

/// For one answer of the relay.
const TIMEOUT: Duration = Duration::from_secs(3);
/// A dead connection is found this soon, also when nothing is asked.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// The greatest answer that is read: some ten thousand backends.
const MAX_ANSWER: usize = 4 << 20;

/// A switch behind a relay. It is connected to when it is first asked, and again when it was lost.
#[derive(Clone, Debug)]
pub struct Remote {
    client: SwitchClient<Channel>,
}

impl Remote {
    /// Prepares the way to it.
    ///
    /// # Errors
    /// When a file of the configuration cannot be read, or holds no certificate or key.
    pub fn new(config: &config::Remote) -> anyhow::Result<Self> {
        use anyhow::Context;
        let read = |file: &std::path::Path| {
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
        };
        let identity = Identity::from_pem(read(&config.certificate)?, read(&config.key)?);
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(read(&config.ca)?))
            .identity(identity);
        if let Some(name) = &config.server_name {
            tls = tls.domain_name(name);
        }
        let channel = Endpoint::from_shared(config.url.clone())
            .and_then(|endpoint| endpoint.tls_config(tls))
            .with_context(|| format!("switch: remote: {}", config.url))?
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE)
            .keep_alive_timeout(TIMEOUT)
            .connect_lazy();
        let client = SwitchClient::new(channel).max_decoding_message_size(MAX_ANSWER);
        Ok(Self { client })
    }
}

#[tonic::async_trait]
impl Switch for Remote {
    async fn read(&self) -> Result<State, SwitchError> {
        let mut client = self.client.clone();
        let reply = client.read(ReadRequest {}).await;
        let reply = reply.map_err(|status| told(&status, 0))?.into_inner();
        let strange =
            |error| SwitchError::Unavailable(format!("the relay tells nonsense: {error}"));
        State::try_from(reply).map_err(strange)
    }

    async fn publish(
        &self,
        changes: Vec<Change>,
        expect_generation: u64,
    ) -> Result<Published, SwitchError> {
        let mut client = self.client.clone();
        let request = PublishRequest {
            expect_generation,
            changes: changes.iter().map(Into::into).collect(),
        };
        let reply = client.publish(request).await;
        let reply = reply.map_err(|status| told(&status, expect_generation))?;
        let reply = reply.into_inner();
        Ok(Published {
            generation: reply.generation,
            slots_moved: reply.slots_moved,
        })
    }
}

fn told(status: &Status, expected: u64) -> SwitchError {
    match status.code() {
        Code::Aborted => SwitchError::Conflict(expected),
        Code::FailedPrecondition | Code::PermissionDenied | Code::InvalidArgument => {
            SwitchError::Refused(status.message().to_owned())
        }
        Code::DeadlineExceeded => SwitchError::Timeout(TIMEOUT),
        // The client's own clock says it this way; a connection that breaks is cancelled, too.
        Code::Cancelled if status.message().contains("Timeout") => SwitchError::Timeout(TIMEOUT),
        _ => SwitchError::Unavailable(cause(status)),
    }
}

/// The innermost reason says most: above it stands only that there was an error.
fn cause(status: &Status) -> String {
    let mut error: Option<&dyn std::error::Error> = std::error::Error::source(status);
    let mut words = status.message().to_owned();
    while let Some(inner) = error {
        words = inner.to_string();
        error = inner.source();
    }
    format!("relay: {words}")
}
