// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check by the gRPC health checking protocol.

use std::net::SocketAddr;

use tonic::codegen::http::Uri;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::HealthCheckRequest;

use super::secured::{Secured, Securer};
use super::tcp::connect;
use crate::connect::Io;
use crate::trouble::printable;
use crate::{wire, Trouble};

/// Longest name of a service.
const NAME: usize = 255;
/// Largest answer that is taken, in octets.
const ANSWER: usize = 1024;

/// Which service is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grpc {
    pub(super) secured: Option<Secured>,
    pub(super) service: String,
}

impl Grpc {
    pub(super) fn verify(&self) -> Result<(), String> {
        let service = &self.service;
        if service.len() > NAME || !service.chars().all(|c| c.is_ascii_graphic()) {
            return Err(format!(
                "service = {service:?}: a name like \"shop.Cart\" is wanted"
            ));
        }
        self.secured.as_ref().map_or(Ok(()), Secured::check)
    }
}

pub(super) struct Prober<'a> {
    grpc: &'a Grpc,
    target: SocketAddr,
    securer: Option<Securer<'a>>,
}

impl<'a> Prober<'a> {
    pub(super) fn new(grpc: &'a Grpc, target: SocketAddr) -> Self {
        let securer = grpc
            .secured
            .as_ref()
            .map(|secured| Securer::new(secured, "h2"));
        Self {
            grpc,
            target,
            securer,
        }
    }

    pub(super) async fn probe(&mut self) -> Result<String, Trouble> {
        let scheme = if self.securer.is_some() {
            "https"
        } else {
            "http"
        };
        let origin: Uri = format!("{scheme}://{}", self.target)
            .parse()
            .map_err(|error| Trouble::Unexpected {
                why: format!("no request: {error}"),
            })?;
        let stream = connect(self.target).await?;
        let io = match &mut self.securer {
            None => Io::plain(stream),
            Some(securer) => securer.secure(stream, None, self.target.ip()).await?,
        };
        let (wire, mut driver) = wire::open(io).await?;
        let mut client = HealthClient::with_origin(wire, origin).max_decoding_message_size(ANSWER);
        let request = HealthCheckRequest {
            service: self.grpc.service.clone(),
        };
        let result = driver.during(client.check(request)).await?;
        drop(client);
        let result = match result {
            Ok(answer) => match answer.into_inner().status() {
                ServingStatus::Serving => Ok("SERVING".to_owned()),
                status => Err(Trouble::Unexpected {
                    why: status.as_str_name().to_owned(),
                }),
            },
            Err(status) => {
                let message = printable(status.message());
                let local = std::error::Error::source(&status).is_some();
                Err(match (status.code(), driver.seen()) {
                    (_, Some(seen)) if local => seen,
                    (Code::Unimplemented, _) => Trouble::Unimplemented,
                    (Code::NotFound, _) => Trouble::Unexpected {
                        why: format!("the server does not know service {:?}", self.grpc.service),
                    },
                    (code, _) => Trouble::Status {
                        code: format!("{code:?}"),
                        message,
                    },
                })
            }
        };
        driver.close().await;
        result
    }
}
