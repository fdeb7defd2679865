// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of services and backends, as `smplbctl` writes them.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};

use smplb_nl::key;

pub use smplb_nl::key::{KeyError, Protocol, ServiceKey};

/// A backend: `10.0.0.1:8080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendKey {
    /// Address of the server.
    pub addr: Ipv4Addr,
    /// Port of the server.
    pub port: u16,
}

impl BackendKey {
    /// Reads a name; without a port it has that of its service.
    pub fn parse(text: &str, service_port: u16) -> Result<Self, KeyError> {
        let key::BackendKey { addr, port } = text.parse()?;
        let port = port.unwrap_or(service_port);
        Ok(Self { addr, port })
    }

    /// Where the server listens.
    pub fn socket(self) -> SocketAddrV4 {
        SocketAddrV4::new(self.addr, self.port)
    }
}

impl fmt::Display for BackendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.addr, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_has_the_port_of_its_service_if_none_is_said() {
        let backend = BackendKey::parse("10.0.0.1:8080", 80).unwrap();
        assert_eq!(backend.to_string(), "10.0.0.1:8080");
        let backend = BackendKey::parse("10.0.0.1", 80).unwrap();
        assert_eq!(backend.to_string(), "10.0.0.1:80");
        let error = BackendKey::parse("web1:80", 80).unwrap_err();
        assert_eq!(error.to_string(), "web1 is not an IPv4 address");
    }
}
