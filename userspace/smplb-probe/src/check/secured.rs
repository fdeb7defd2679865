// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a check is secured.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::net::TcpStream;

use crate::connect::Io;
use crate::{tls, Tls, Trouble};

/// How long the files are held before they are read again.
const HELD: Duration = Duration::from_secs(60);

/// How a check is secured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Secured {
    pub(super) verify: bool,
    pub(super) tls: Tls,
}

impl Secured {
    /// Looks whether the files can be used.
    pub(super) fn check(&self) -> Result<(), String> {
        tls::config(&self.tls, self.verify, &[]).map_err(|trouble| trouble.to_string())?;
        self.tls
            .name("127.0.0.1")
            .map_err(|trouble| trouble.to_string())?;
        Ok(())
    }
}

/// Secures the connections of one check after the other.
pub(super) struct Securer<'a> {
    secured: &'a Secured,
    alpn: &'static str,
    held: Option<(Arc<ClientConfig>, Instant)>,
}

impl<'a> Securer<'a> {
    pub(super) fn new(secured: &'a Secured, alpn: &'static str) -> Self {
        Self {
            secured,
            alpn,
            held: None,
        }
    }

    /// Secures a connection to `host`, as far as the configuration does not name it otherwise.
    pub(super) async fn secure(
        &mut self,
        stream: TcpStream,
        host: Option<&str>,
        ip: IpAddr,
    ) -> Result<Io, Trouble> {
        let config = match &self.held {
            Some((config, read)) if read.elapsed() < HELD => config.clone(),
            _ => {
                let config = tls::read(&self.secured.tls, self.secured.verify, self.alpn).await?;
                self.held = Some((config.clone(), Instant::now()));
                config
            }
        };
        let name = match host {
            Some(host) => self.secured.tls.name(host)?,
            None => self.secured.tls.name(&ip.to_string())?,
        };
        Io::secured(stream, config, name).await
    }
}
