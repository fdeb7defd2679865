// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whom a follower asks.

use std::path::PathBuf;

use rustls::pki_types::ServerName;
use serde::Deserialize;

use crate::{tls, Trouble};

/// Whom a follower asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `HOST:PORT`. A name is resolved at each connect.
    pub addr: String,
    /// How the connection is secured, if it is.
    pub tls: Option<Tls>,
}

/// How a connection is secured.
///
/// The files are read again when a connection is made, so that renewed ones need no restart.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Tls {
    /// Authorities that may sign the server's certificate (PEM); the system's when it is absent.
    pub ca: Option<PathBuf>,
    /// Certificate to show (PEM, with those between it and its authority), if the server asks.
    pub certificate: Option<PathBuf>,
    /// Key of `certificate` (PEM).
    pub key: Option<PathBuf>,
    /// Name that the server's certificate must have; the host of its address when it is absent.
    pub server_name: Option<String>,
}

impl Target {
    /// Looks whether the address and the files can be used, without connecting.
    ///
    /// # Errors
    ///
    /// One line that names what is wrong.
    pub fn verify(&self) -> Result<(), String> {
        let (host, _) = split(&self.addr)?;
        match &self.tls {
            Some(tls) => tls.verify(host),
            None => Ok(()),
        }
    }

    /// Host of its address, without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        split(&self.addr).map_or(self.addr.as_str(), |(host, _)| host)
    }
}

impl Tls {
    /// Looks whether the files can be read and belong together.
    ///
    /// # Errors
    ///
    /// One line that names the file.
    pub fn verify(&self, host: &str) -> Result<(), String> {
        tls::config(self, true, &[]).map_err(|trouble| trouble.to_string())?;
        self.name(host).map_err(|trouble| trouble.to_string())?;
        Ok(())
    }

    /// Name that the certificate of the server at `host` must have.
    pub(crate) fn name(&self, host: &str) -> Result<ServerName<'static>, Trouble> {
        let name = self.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned()).map_err(|_| Trouble::WrongCertificate {
            why: format!("{name:?} is no name that a certificate can have: set server-name"),
        })
    }
}

/// Host and port of `HOST:PORT`.
pub(crate) fn split(addr: &str) -> Result<(&str, u16), String> {
    let wrong = || format!("{addr:?} is no address: HOST:PORT is wanted");
    let (host, port) = addr.rsplit_once(':').ok_or_else(wrong)?;
    let port = port
        .parse()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(wrong)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(wrong)?,
        None if host.contains(':') => return Err(wrong()),
        None => host,
    };
    if host.is_empty() || !host.chars().all(|c| c.is_ascii_graphic()) {
        return Err(wrong());
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        assert_eq!(split("10.0.0.1:80"), Ok(("10.0.0.1", 80)));
        assert_eq!(split("[2001:db8::1]:80"), Ok(("2001:db8::1", 80)));
        assert_eq!(split("web.example:9470"), Ok(("web.example", 9470)));
        for wrong in [
            "",
            "web",
            "web:",
            ":80",
            "web:0",
            "web:65536",
            "2001:db8::1:80",
            "[::1:80",
            "a b:1",
        ] {
            assert!(split(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn files_are_looked_at_before_they_are_needed() {
        let target = Target {
            addr: "web.example:9470".into(),
            tls: Some(Tls {
                ca: Some("/nonexistent/ca.pem".into()),
                ..Tls::default()
            }),
        };
        let error = target.verify().unwrap_err();
        assert!(error.starts_with("/nonexistent/ca.pem: "), "{error}");
    }

    #[test]
    fn a_key_without_a_certificate_is_refused() {
        let tls = Tls {
            key: Some("/nonexistent/key.pem".into()),
            ..Tls::default()
        };
        let error = tls.verify("web.example").unwrap_err();
        assert!(error.contains("certificate"), "{error}");
    }
}
