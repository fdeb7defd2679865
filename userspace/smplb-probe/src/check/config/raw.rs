// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check as it is written.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::{Check, Dns, Grpc, Http, Kind};
use crate::check::secured::Secured;
use crate::Tls;

/// All that can be written, of whatever type the check is.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Raw {
    r#type: Type,
    interval: Option<f64>,
    fast_interval: Option<f64>,
    timeout: Option<f64>,
    rise: Option<u32>,
    fall: Option<u32>,
    port: Option<u16>,

    method: Option<String>,
    path: Option<String>,
    host: Option<String>,
    status: Option<String>,
    body: Option<String>,

    tls: Option<bool>,
    verify: Option<bool>,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    server_name: Option<String>,

    name: Option<String>,
    record: Option<String>,
    rcode: Option<String>,
    address: Option<IpAddr>,

    service: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Type {
    Tcp,
    Http,
    Https,
    Dns,
    Grpc,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Https => "https",
            Self::Dns => "dns",
            Self::Grpc => "grpc",
        }
    }
}

impl Raw {
    /// The name of a value that has no meaning for this type of check.
    fn stray(&self) -> Option<&'static str> {
        let http = matches!(self.r#type, Type::Http | Type::Https);
        let grpc = self.r#type == Type::Grpc;
        let secured = self.r#type == Type::Https || (grpc && self.tls == Some(true));
        let dns = self.r#type == Type::Dns;
        let values = [
            ("method", self.method.is_some(), http),
            ("path", self.path.is_some(), http),
            ("host", self.host.is_some(), http),
            ("status", self.status.is_some(), http),
            ("body", self.body.is_some(), http),
            ("tls", self.tls.is_some(), grpc),
            ("verify", self.verify.is_some(), secured),
            ("ca", self.ca.is_some(), secured),
            ("certificate", self.certificate.is_some(), secured),
            ("key", self.key.is_some(), secured),
            ("server-name", self.server_name.is_some(), secured),
            ("name", self.name.is_some(), dns),
            ("record", self.record.is_some(), dns),
            ("rcode", self.rcode.is_some(), dns),
            ("address", self.address.is_some(), dns),
            ("service", self.service.is_some(), grpc),
        ];
        values
            .into_iter()
            .find(|(_, written, meant)| *written && !*meant)
            .map(|(name, ..)| name)
    }

    fn secured(&mut self) -> Option<Secured> {
        (self.r#type == Type::Https || self.tls == Some(true)).then(|| Secured {
            verify: self.verify.unwrap_or(true),
            tls: Tls {
                ca: self.ca.take(),
                certificate: self.certificate.take(),
                key: self.key.take(),
                server_name: self.server_name.take(),
            },
        })
    }
}

impl TryFrom<Raw> for Check {
    type Error = String;

    fn try_from(mut raw: Raw) -> Result<Self, String> {
        if let Some(name) = raw.stray() {
            let kind = raw.r#type.name();
            return Err(format!("{name} has no meaning for a check of type {kind}"));
        }
        let kind = match raw.r#type {
            Type::Tcp => Kind::Tcp,
            Type::Http | Type::Https => Kind::Http(Http {
                secured: raw.secured(),
                method: raw.method.unwrap_or_else(|| "GET".into()),
                path: raw.path.unwrap_or_else(|| "/".into()),
                host: raw.host,
                status: raw
                    .status
                    .map(|text| text.parse())
                    .transpose()?
                    .unwrap_or_default(),
                body: raw.body,
            }),
            Type::Dns => Kind::Dns(Dns {
                name: raw.name.unwrap_or_else(|| ".".into()),
                record: raw.record.unwrap_or_else(|| "SOA".into()),
                rcode: raw.rcode.unwrap_or_else(|| "NOERROR".into()),
                address: raw.address,
            }),
            Type::Grpc => Kind::Grpc(Grpc {
                secured: raw.secured(),
                service: raw.service.unwrap_or_default(),
            }),
        };
        Ok(Self {
            interval: raw.interval.unwrap_or(2.0),
            fast_interval: raw.fast_interval,
            timeout: raw.timeout.unwrap_or(2.0),
            rise: raw.rise.unwrap_or(2),
            fall: raw.fall.unwrap_or(3),
            port: raw.port,
            kind,
        })
    }
}
