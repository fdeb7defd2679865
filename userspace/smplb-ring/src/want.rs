// SPDX-License-Identifier: MIT OR Apache-2.0

use std::net::{Ipv4Addr, SocketAddrV4};

use smplb_core::channel::uapi;

/// A port of the switch, see [`Channel::port`](crate::Channel::port).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its number in frames.
    pub number: u16,
    /// Index of its pseudo interface.
    pub ifindex: u32,
    /// Its MTU, octets.
    pub mtu: u32,
    /// Its MAC address.
    pub mac: [u8; 6],
}

/// Traffic that an application wants. Of two that a packet fits, the one that comes first here is
/// taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// All that a port receives.
    All(Port),
    /// TCP or UDP (by the number of the protocol) to an address and port.
    Local(u8, SocketAddrV4),
    /// IPv4 to an address. Connections that the switch has given to a backend stay there.
    Address(Ipv4Addr),
    /// Frames of an Ethernet type that a port receives.
    EtherType(Port, u16),
}

impl Want {
    /// UDP to an address and port.
    pub fn udp(to: SocketAddrV4) -> Self {
        Self::Local(17, to)
    }

    /// TCP to an address and port.
    pub fn tcp(to: SocketAddrV4) -> Self {
        Self::Local(6, to)
    }

    pub(crate) fn asked(&self) -> uapi::Want {
        let nothing = uapi::Want::default();
        match *self {
            Self::All(port) => uapi::Want {
                kind: uapi::WANT_PORT,
                ifindex: port.ifindex,
                ..nothing
            },
            Self::Local(protocol, to) => uapi::Want {
                kind: uapi::WANT_LOCAL,
                addr: to.ip().octets(),
                port: to.port().to_be_bytes(),
                protocol,
                ..nothing
            },
            Self::Address(addr) => uapi::Want {
                kind: uapi::WANT_ADDRESS,
                addr: addr.octets(),
                ..nothing
            },
            Self::EtherType(port, ethertype) => uapi::Want {
                kind: uapi::WANT_ETHERTYPE,
                ifindex: port.ifindex,
                ethertype: ethertype.to_be_bytes(),
                ..nothing
            },
        }
    }
}
