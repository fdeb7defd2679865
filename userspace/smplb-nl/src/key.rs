// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of services and backends, as users type them and programs show them.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::generated::{Backend, Service, ServiceDef};

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

/// An IP protocol, by name where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

impl FromStr for Protocol {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text {
            "tcp" => Ok(Self(TCP)),
            "udp" => Ok(Self(UDP)),
            _ => Err(KeyError::Protocol(text.to_owned())),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            TCP => f.write_str("tcp"),
            UDP => f.write_str("udp"),
            other => write!(f, "{other}"),
        }
    }
}

/// A service: `tcp:192.0.2.1:80`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceKey {
    /// IP protocol.
    pub protocol: Protocol,
    /// Virtual address.
    pub addr: Ipv4Addr,
    /// Virtual port.
    pub port: u16,
}

impl ServiceKey {
    /// As the key of a service message.
    pub fn service(self) -> Service {
        Service {
            protocol: Some(self.protocol.0),
            addr: Some(self.addr),
            port: Some(self.port),
            ..Service::default()
        }
    }

    /// As the key inside another message.
    pub fn def(self) -> ServiceDef {
        ServiceDef {
            protocol: Some(self.protocol.0),
            addr: Some(self.addr),
            port: Some(self.port),
            ..ServiceDef::default()
        }
    }

    /// The key of a service that came, where it is whole.
    pub fn of(service: &Service) -> Option<Self> {
        Self::from_parts(service.protocol, service.addr, service.port)
    }

    /// The key of a service inside another message, where it is whole.
    pub fn of_def(service: &ServiceDef) -> Option<Self> {
        Self::from_parts(service.protocol, service.addr, service.port)
    }

    fn from_parts(protocol: Option<u8>, addr: Option<Ipv4Addr>, port: Option<u16>) -> Option<Self> {
        Some(Self {
            protocol: Protocol(protocol?),
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
        let protocol = protocol.parse()?;
        Ok(Self {
            protocol,
            addr: parse_addr(addr)?,
            port: parse_port(port)?,
        })
    }
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.protocol, self.addr, self.port)
    }
}

/// A backend: `10.0.0.1:8080`, or `10.0.0.1` for the port of its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendKey {
    /// Address of the server.
    pub addr: Ipv4Addr,
    /// Port of the server; nothing for that of the service.
    pub port: Option<u16>,
}

impl BackendKey {
    /// As the key of a backend message.
    pub fn backend(self, service: ServiceKey) -> Backend {
        Backend {
            service: Some(service.def()),
            addr: Some(self.addr),
            port: self.port,
            ..Backend::default()
        }
    }
}

impl FromStr for BackendKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (addr, port) = match text.rsplit_once(':') {
            Some((addr, port)) => (addr, Some(parse_port(port)?)),
            None => (text, None),
        };
        Ok(Self {
            addr: parse_addr(addr)?,
            port,
        })
    }
}

impl fmt::Display for BackendKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.addr),
            None => write!(f, "{}", self.addr),
        }
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
        for text in [
            "tcp:192.0.2.1:80",
            "udp:0.0.0.0:0",
            "tcp:255.255.255.255:65535",
        ] {
            assert_eq!(text.parse::<ServiceKey>().unwrap().to_string(), text);
        }
        for text in ["10.0.0.1", "10.0.0.1:8080", "10.0.0.1:0"] {
            assert_eq!(text.parse::<BackendKey>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn bad_services_say_why() {
        for (text, reason) in [
            ("", "not PROTO:ADDR:PORT, as tcp:192.0.2.1:80 is"),
            ("tcp", "not PROTO:ADDR:PORT, as tcp:192.0.2.1:80 is"),
            (
                "tcp:192.0.2.1",
                "not PROTO:ADDR:PORT, as tcp:192.0.2.1:80 is",
            ),
            ("TCP:192.0.2.1:80", "TCP is neither tcp nor udp"),
            (":192.0.2.1:80", " is neither tcp nor udp"),
            ("tcp:192.0.2.1:", " is not a port number"),
            ("tcp:192.0.2.1:+80", "+80 is not a port number"),
            ("tcp:192.0.2.1:-1", "-1 is not a port number"),
            ("tcp:192.0.2.1:65536", "65536 is not a port number"),
            ("tcp:192.0.2.1:http", "http is not a port number"),
            ("tcp:192.0.2.256:80", "192.0.2.256 is not an IPv4 address"),
            ("tcp:192.0.2.01:80", "192.0.2.01 is not an IPv4 address"),
            (
                "tcp:[2001:db8::1]:80",
                "[2001:db8::1] is not an IPv4 address",
            ),
            ("tcp::80", " is not an IPv4 address"),
            ("tcp: 192.0.2.1:80", " 192.0.2.1 is not an IPv4 address"),
        ] {
            assert_eq!(
                text.parse::<ServiceKey>().unwrap_err().to_string(),
                reason,
                "{text}"
            );
        }
    }

    #[test]
    fn bad_backends_say_why() {
        for (text, reason) in [
            ("", " is not an IPv4 address"),
            ("10.0.0", "10.0.0 is not an IPv4 address"),
            ("10.0.0.1:", " is not a port number"),
            ("10.0.0.1:80:80", "10.0.0.1:80 is not an IPv4 address"),
            ("2001:db8::1", "2001:db8: is not an IPv4 address"),
            ("web1:80", "web1 is not an IPv4 address"),
        ] {
            assert_eq!(
                text.parse::<BackendKey>().unwrap_err().to_string(),
                reason,
                "{text}"
            );
        }
    }

    #[test]
    fn a_protocol_without_a_name_is_a_number() {
        assert_eq!(Protocol(132).to_string(), "132");
    }
}
