// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of services and backends, as `smplbctl` writes them.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::str::FromStr;

use smplb_nl::ServiceDef;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// Why a name is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not three parts.
    #[error("not PROTO:ADDR:PORT, as tcp:192.0.2.1:80 is")]
    Shape,
    /// Not a protocol.
    #[error("{0} is neither tcp nor udp")]
    Protocol(String),
    /// Not an address.
    #[error("{0} is not an IPv4 address")]
    Address(String),
    /// Not a port.
    #[error("{0} is not a port number")]
    Port(String),
}

/// A service: `tcp:192.0.2.1:80`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceKey {
    /// IP protocol number.
    pub protocol: u8,
    /// Virtual address.
    pub addr: Ipv4Addr,
    /// Virtual port.
    pub port: u16,
}

impl ServiceKey {
    /// The protocol, by name where it has one.
    pub fn protocol_name(self) -> String {
        match self.protocol {
            TCP => "tcp".to_owned(),
            UDP => "udp".to_owned(),
            other => other.to_string(),
        }
    }

    /// As the key inside a message to the kernel.
    pub fn def(self) -> ServiceDef {
        ServiceDef {
            protocol: Some(self.protocol),
            addr: Some(self.addr),
            port: Some(self.port),
            ..ServiceDef::default()
        }
    }

    /// From the parts of a message, where all are there.
    pub fn of(protocol: Option<u8>, addr: Option<Ipv4Addr>, port: Option<u16>) -> Option<Self> {
        Some(Self {
            protocol: protocol?,
            addr: addr?,
            port: port?,
        })
    }
}

impl FromStr for ServiceKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (protocol, rest) = text.split_once(':').ok_or(KeyError::Shape)?;
        let (addr, port) = rest.rsplit_once(':').ok_or(KeyError::Shape)?;
        let protocol = match protocol {
            "tcp" => TCP,
            "udp" => UDP,
            _ => return Err(KeyError::Protocol(protocol.to_owned())),
        };
        Ok(Self {
            protocol,
            addr: parse_addr(addr)?,
            port: parse_port(port)?,
        })
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.protocol_name(), self.addr, self.port)
    }
}

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
        let (addr, port) = match text.rsplit_once(':') {
            Some((addr, port)) => (addr, parse_port(port)?),
            None => (text, service_port),
        };
        Ok(Self {
            addr: parse_addr(addr)?,
            port,
        })
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

fn parse_addr(text: &str) -> Result<Ipv4Addr, KeyError> {
    text.parse().map_err(|_| KeyError::Address(text.to_owned()))
}

fn parse_port(text: &str) -> Result<u16, KeyError> {
    // A leading `+` is a number to Rust, and a slip to everybody else.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.then(|| text.parse().ok()).flatten();
    port.ok_or_else(|| KeyError::Port(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_went() {
        for text in ["tcp:192.0.2.1:80", "udp:0.0.0.0:53"] {
            assert_eq!(text.parse::<ServiceKey>().unwrap().to_string(), text);
        }
        let backend = BackendKey::parse("10.0.0.1:8080", 80).unwrap();
        assert_eq!(backend.to_string(), "10.0.0.1:8080");
        let backend = BackendKey::parse("10.0.0.1", 80).unwrap();
        assert_eq!(backend.to_string(), "10.0.0.1:80");
    }

    #[test]
    fn bad_names_say_why() {
        for (text, reason) in [
            ("tcp", "not PROTO:ADDR:PORT, as tcp:192.0.2.1:80 is"),
            ("sctp:192.0.2.1:80", "sctp is neither tcp nor udp"),
            ("tcp:192.0.2.256:80", "192.0.2.256 is not an IPv4 address"),
            ("tcp:192.0.2.1:+80", "+80 is not a port number"),
        ] {
            let error = text.parse::<ServiceKey>().unwrap_err();
            assert_eq!(error.to_string(), reason, "{text}");
        }
        let error = BackendKey::parse("web1:80", 80).unwrap_err();
        assert_eq!(error.to_string(), "web1 is not an IPv4 address");
    }
}
