// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check by an HTTP/1.1 request.

use std::net::SocketAddr;
use std::pin::pin;

use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tonic::codegen::Bytes;

use super::secured::{Secured, Securer};
use super::status::Statuses;
use super::tcp::connect;
use crate::connect::Io;
use crate::trouble::printable;
use crate::wire::AGENT;
use crate::Trouble;

/// Octets of headers that are taken.
const HEADERS: usize = 16 * 1024;
/// Octets of a body that are looked through.
const BODY: usize = 64 * 1024;

/// What is asked for, and what the answer must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Http {
    pub(super) secured: Option<Secured>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) host: Option<String>,
    pub(super) status: Statuses,
    pub(super) body: Option<String>,
}

impl Http {
    pub(super) fn verify(&self) -> Result<(), String> {
        let Self {
            method,
            path,
            host,
            body,
            ..
        } = self;
        if Method::from_bytes(method.as_bytes()).is_err() || method == "CONNECT" {
            return Err(format!(
                "method = {method:?}: a method like \"GET\" is wanted"
            ));
        }
        if !path.starts_with('/') || path.parse::<Uri>().is_err() {
            return Err(format!(
                "path = {path:?}: a path like \"/health\" is wanted"
            ));
        }
        if let Some(host) = host {
            if name(host).is_none() {
                return Err(format!(
                    "host = {host:?}: a name like \"web.example\" is wanted"
                ));
            }
        }
        if body
            .as_ref()
            .is_some_and(|body| body.is_empty() || body.len() > BODY)
        {
            return Err(format!(
                "body = ...: a text of 1 to {BODY} octets is wanted"
            ));
        }
        self.secured.as_ref().map_or(Ok(()), Secured::check)
    }
}

/// The name in a `Host` header, which the certificate must have: without a port, or brackets.
fn name(host: &str) -> Option<String> {
    let host: Authority = host.parse().ok()?;
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    (!name.is_empty() && !host.as_str().contains('@')).then(|| name.to_owned())
}

pub(super) struct Prober<'a> {
    http: &'a Http,
    target: SocketAddr,
    securer: Option<Securer<'a>>,
}

impl<'a> Prober<'a> {
    pub(super) fn new(http: &'a Http, target: SocketAddr) -> Self {
        let securer = http
            .secured
            .as_ref()
            .map(|secured| Securer::new(secured, "http/1.1"));
        Self {
            http,
            target,
            securer,
        }
    }

    pub(super) async fn probe(&mut self) -> Result<String, Trouble> {
        let request = self.request()?;
        let stream = connect(self.target).await?;
        let io = match &mut self.securer {
            None => Io::plain(stream),
            Some(securer) => {
                let name = self.http.host.as_deref().and_then(name);
                securer
                    .secure(stream, name.as_deref(), self.target.ip())
                    .await?
            }
        };
        let seen = io.seen();
        let failed = |error: hyper::Error| {
            let otherwise = || Trouble::Protocol {
                why: printable(&format!("HTTP: {error}")),
            };
            match seen.first() {
                // An answer that cannot be read says more than that the connection then ended.
                Some(trouble) if !error.is_parse() => trouble,
                _ => otherwise(),
            }
        };
        let (send, connection) = Builder::new()
            .max_buf_size(HEADERS)
            .handshake(TokioIo::new(io))
            .await
            .map_err(failed)?;
        let mut exchange = pin!(self.exchange(send, request));
        let result = tokio::select! {
            biased;
            result = &mut exchange => result,
            // It may end before the last of the body was looked at.
            _ = connection => exchange.await,
        };
        result.map_err(failed)?
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, Trouble> {
        let host = self
            .http
            .host
            .clone()
            .unwrap_or_else(|| self.target.to_string());
        Request::builder()
            .method(self.http.method.as_str())
            .uri(self.http.path.as_str())
            .header(HOST, host)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "*/*")
            .header(CONNECTION, "close")
            .body(Empty::new())
            .map_err(|error| Trouble::Unexpected {
                why: format!("no request: {error}"),
            })
    }

    async fn exchange(
        &self,
        mut send: SendRequest<Empty<Bytes>>,
        request: Request<Empty<Bytes>>,
    ) -> Result<Result<String, Trouble>, hyper::Error> {
        let answer = send.send_request(request).await?;
        let status = answer.status().as_u16();
        if !self.http.status.contains(status) {
            let why = format!("HTTP status {status}, not {}", self.http.status);
            return Ok(Err(Trouble::Unexpected { why }));
        }
        if let Some(text) = &self.http.body {
            if !has(answer, text.as_bytes()).await? {
                let why = format!("HTTP status {status}, but its body has no {text:?}");
                return Ok(Err(Trouble::Unexpected {
                    why: printable(&why),
                }));
            }
        }
        Ok(Ok(format!("HTTP status {status}")))
    }
}

/// Whether the first [`BODY`] octets of the body have `text`.
async fn has(mut answer: Response<Incoming>, text: &[u8]) -> Result<bool, hyper::Error> {
    let mut body = Vec::new();
    while let Some(frame) = answer.body_mut().frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        // Only what is new is looked through, with the end of what was there before.
        let from = body.len().saturating_sub(text.len().saturating_sub(1));
        body.extend_from_slice(&data[..data.len().min(BODY - body.len())]);
        if body[from..]
            .windows(text.len().max(1))
            .any(|part| part == text)
        {
            return Ok(true);
        }
        if body.len() == BODY {
            break;
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_host_has_no_port() {
        for (host, expected) in [
            ("web.example", "web.example"),
            ("web.example:8443", "web.example"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(name(host).as_deref(), Some(expected), "{host}");
        }
        for host in [
            "",
            ":80",
            "a b",
            "me@web.example",
            "a\r\nb: c",
            "web/example",
        ] {
            assert_eq!(name(host), None, "{host:?}");
        }
    }
}
