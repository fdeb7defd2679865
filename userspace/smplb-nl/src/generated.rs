// SPDX-License-Identifier: MIT OR Apache-2.0
//! Written by `cargo xtask codegen` from `Documentation/netlink/specs/smplb.yaml`.
//! Do not edit; change the specification.
//!
//! Control of the smplb packet switch and server load balancer.
//!
//! Ports are made and removed with rtnetlink (link kind ``smplb``); everything
//! else is here. All objects belong to the network namespace of the socket.
//! Addresses and ports of packets are in network byte order, all other numbers
//! in host byte order.

use std::fmt;
use std::net::Ipv4Addr;

use crate::attr::{Attributes, DecodeError, Value, Writer};
use crate::set::{Attribute, AttributeSet};

/// Name of the generic netlink family.
pub const FAMILY: &str = "smplb";
/// Version in the generic netlink header.
pub const VERSION: u8 = 1;
/// Name of the multicast group `config`.
pub const GROUP_CONFIG: &str = "config";

/// An operation of the family, by its number in the generic netlink header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Command {
    /// Get one port, by ifindex or ifname of the pseudo interface, or all.
    PortGet = 1,
    /// Move a port to the engine of another CPU, or its queue pairs to those of several.
    PortSet = 2,
    /// Add a service.
    ServiceNew = 3,
    /// Change a service; attributes left out stay as they are.
    ServiceSet = 4,
    /// Delete a service with its backends.
    ServiceDel = 5,
    /// Get one service or all.
    ServiceGet = 6,
    /// Add a backend to a service.
    BackendNew = 7,
    /// Change the weight of a backend.
    BackendSet = 8,
    /// Delete a backend; its connections end with a reset.
    BackendDel = 9,
    /// Get one backend, or all (of one service when it is given).
    BackendGet = 10,
    /// Replace the whole configuration in one generation.
    ConfigApply = 11,
    /// Get the generations of the active and the standby table.
    GenerationGet = 12,
    /// Make the standby table active again.
    GenerationRollback = 13,
    /// Get all engines that poll ports or serve channels of this network namespace.
    EngineGet = 14,
    /// Get totals and drops by reason.
    StatsGet = 15,
    /// List tracked connections.
    ConnectionGet = 16,
    /// A new generation is active.
    GenerationNtf = 17,
    /// Get who has how many buffers of the pool.
    PoolGet = 18,
    /// Say how many queue pairs a PCI device is to have the next time it is bound to a driver of the module, which is how such a port is made. Without this it has one.
    PortPlan = 19,
}

impl Command {
    /// The name in the specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PortGet => "port-get",
            Self::PortSet => "port-set",
            Self::ServiceNew => "service-new",
            Self::ServiceSet => "service-set",
            Self::ServiceDel => "service-del",
            Self::ServiceGet => "service-get",
            Self::BackendNew => "backend-new",
            Self::BackendSet => "backend-set",
            Self::BackendDel => "backend-del",
            Self::BackendGet => "backend-get",
            Self::ConfigApply => "config-apply",
            Self::GenerationGet => "generation-get",
            Self::GenerationRollback => "generation-rollback",
            Self::EngineGet => "engine-get",
            Self::StatsGet => "stats-get",
            Self::ConnectionGet => "connection-get",
            Self::GenerationNtf => "generation-ntf",
            Self::PoolGet => "pool-get",
            Self::PortPlan => "port-plan",
        }
    }
}

/// How a new connection is given to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheduler {
    /// Weighted round-robin over an interleaved slot list.
    Wrr,
    /// Fewest connections per unit of weight.
    Lc,
    /// A number that a newer kernel has given a meaning.
    Other(u32),
}

impl Scheduler {
    /// Every known value, in the order of the numbers.
    pub const ALL: &'static [Self] = &[
        Self::Wrr,
        Self::Lc,
    ];

    /// The value of a number.
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Wrr,
            1 => Self::Lc,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        match self {
            Self::Wrr => 0,
            Self::Lc => 1,
            Self::Other(other) => other,
        }
    }

    /// The name in the specification, if the value is known.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Wrr => Some("wrr"),
            Self::Lc => Some("lc"),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("unknown-{}", self.number())),
        }
    }
}

/// What is rewritten in a packet to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// MAC address, IP address and port; replies are rewritten back.
    Nat,
    /// MAC address only; the backend answers the client directly.
    Dr,
    /// A number that a newer kernel has given a meaning.
    Other(u32),
}

impl Mode {
    /// Every known value, in the order of the numbers.
    pub const ALL: &'static [Self] = &[
        Self::Nat,
        Self::Dr,
    ];

    /// The value of a number.
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Nat,
            1 => Self::Dr,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        match self {
            Self::Nat => 0,
            Self::Dr => 1,
            Self::Other(other) => other,
        }
    }

    /// The name in the specification, if the value is known.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Nat => Some("nat"),
            Self::Dr => Some("dr"),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("unknown-{}", self.number())),
        }
    }
}

/// Why a packet was dropped. One counter each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// The frame ends before a header that it announces.
    ShortFrame,
    /// Version, header length or total length is wrong.
    BadIpHeader,
    /// The IPv4 header checksum does not match.
    BadIpChecksum,
    /// An IPv4 packet to a service carries options.
    IpOptions,
    /// An IPv4 fragment to a service.
    Fragment,
    /// TCP data offset or UDP length is wrong.
    BadL4Header,
    /// The time to live would reach zero.
    TtlExpired,
    /// To a VIP, but not to a port of a service; UDP, or TCP answered with a reset.
    NoService,
    /// TCP segment of no known connection, answered with a reset.
    NoConnection,
    /// The service has no backend with a weight above zero.
    NoBackend,
    /// The connection's backend has been deleted; answered with a reset.
    BackendGone,
    /// A reset was due, but the reset rate limit was reached, or the packet was itself a reset.
    ResetLimited,
    /// No room for a new connection.
    TableFull,
    /// The reply direction of a new connection is in use by another one.
    TupleConflict,
    /// No route to the next hop leaves through a port.
    NoRoute,
    /// Larger than the MTU of the port it must leave by.
    MtuExceeded,
    /// The port it must leave by is down or gone.
    PortDown,
    /// The transmit queue of the port took no more packets.
    TxBusy,
    /// The ring from the port's driver to its engine was full.
    RxFull,
    /// The ring from the engine to the pseudo interface was full.
    StackFull,
    /// The ring from the pseudo interface to the engine was full.
    HostFull,
    /// A packet buffer could not be allocated or made writable.
    NoMemory,
    /// The application behind the channel gave no buffer for it, or its ring was full.
    ChannelFull,
    /// A number that a newer kernel has given a meaning.
    Other(u32),
}

impl DropReason {
    /// Every known value, in the order of the numbers.
    pub const ALL: &'static [Self] = &[
        Self::ShortFrame,
        Self::BadIpHeader,
        Self::BadIpChecksum,
        Self::IpOptions,
        Self::Fragment,
        Self::BadL4Header,
        Self::TtlExpired,
        Self::NoService,
        Self::NoConnection,
        Self::NoBackend,
        Self::BackendGone,
        Self::ResetLimited,
        Self::TableFull,
        Self::TupleConflict,
        Self::NoRoute,
        Self::MtuExceeded,
        Self::PortDown,
        Self::TxBusy,
        Self::RxFull,
        Self::StackFull,
        Self::HostFull,
        Self::NoMemory,
        Self::ChannelFull,
    ];

    /// The value of a number.
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::ShortFrame,
            1 => Self::BadIpHeader,
            2 => Self::BadIpChecksum,
            3 => Self::IpOptions,
            4 => Self::Fragment,
            5 => Self::BadL4Header,
            6 => Self::TtlExpired,
            7 => Self::NoService,
            8 => Self::NoConnection,
            9 => Self::NoBackend,
            10 => Self::BackendGone,
            11 => Self::ResetLimited,
            12 => Self::TableFull,
            13 => Self::TupleConflict,
            14 => Self::NoRoute,
            15 => Self::MtuExceeded,
            16 => Self::PortDown,
            17 => Self::TxBusy,
            18 => Self::RxFull,
            19 => Self::StackFull,
            20 => Self::HostFull,
            21 => Self::NoMemory,
            22 => Self::ChannelFull,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        match self {
            Self::ShortFrame => 0,
            Self::BadIpHeader => 1,
            Self::BadIpChecksum => 2,
            Self::IpOptions => 3,
            Self::Fragment => 4,
            Self::BadL4Header => 5,
            Self::TtlExpired => 6,
            Self::NoService => 7,
            Self::NoConnection => 8,
            Self::NoBackend => 9,
            Self::BackendGone => 10,
            Self::ResetLimited => 11,
            Self::TableFull => 12,
            Self::TupleConflict => 13,
            Self::NoRoute => 14,
            Self::MtuExceeded => 15,
            Self::PortDown => 16,
            Self::TxBusy => 17,
            Self::RxFull => 18,
            Self::StackFull => 19,
            Self::HostFull => 20,
            Self::NoMemory => 21,
            Self::ChannelFull => 22,
            Self::Other(other) => other,
        }
    }

    /// The name in the specification, if the value is known.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::ShortFrame => Some("short-frame"),
            Self::BadIpHeader => Some("bad-ip-header"),
            Self::BadIpChecksum => Some("bad-ip-checksum"),
            Self::IpOptions => Some("ip-options"),
            Self::Fragment => Some("fragment"),
            Self::BadL4Header => Some("bad-l4-header"),
            Self::TtlExpired => Some("ttl-expired"),
            Self::NoService => Some("no-service"),
            Self::NoConnection => Some("no-connection"),
            Self::NoBackend => Some("no-backend"),
            Self::BackendGone => Some("backend-gone"),
            Self::ResetLimited => Some("reset-limited"),
            Self::TableFull => Some("table-full"),
            Self::TupleConflict => Some("tuple-conflict"),
            Self::NoRoute => Some("no-route"),
            Self::MtuExceeded => Some("mtu-exceeded"),
            Self::PortDown => Some("port-down"),
            Self::TxBusy => Some("tx-busy"),
            Self::RxFull => Some("rx-full"),
            Self::StackFull => Some("stack-full"),
            Self::HostFull => Some("host-full"),
            Self::NoMemory => Some("no-memory"),
            Self::ChannelFull => Some("channel-full"),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("unknown-{}", self.number())),
        }
    }
}

/// State of a tracked connection; UDP has only `established`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// `none`.
    None,
    /// `syn-sent`.
    SynSent,
    /// `syn-recv`.
    SynRecv,
    /// `established`.
    Established,
    /// `fin-wait`.
    FinWait,
    /// `time-wait`.
    TimeWait,
    /// `close`.
    Close,
    /// A number that a newer kernel has given a meaning.
    Other(u32),
}

impl ConnectionState {
    /// Every known value, in the order of the numbers.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::SynSent,
        Self::SynRecv,
        Self::Established,
        Self::FinWait,
        Self::TimeWait,
        Self::Close,
    ];

    /// The value of a number.
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::SynSent,
            2 => Self::SynRecv,
            3 => Self::Established,
            4 => Self::FinWait,
            5 => Self::TimeWait,
            6 => Self::Close,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub const fn number(self) -> u32 {
        match self {
            Self::None => 0,
            Self::SynSent => 1,
            Self::SynRecv => 2,
            Self::Established => 3,
            Self::FinWait => 4,
            Self::TimeWait => 5,
            Self::Close => 6,
            Self::Other(other) => other,
        }
    }

    /// The name in the specification, if the value is known.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => Some("none"),
            Self::SynSent => Some("syn-sent"),
            Self::SynRecv => Some("syn-recv"),
            Self::Established => Some("established"),
            Self::FinWait => Some("fin-wait"),
            Self::TimeWait => Some("time-wait"),
            Self::Close => Some("close"),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for ConnectionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("unknown-{}", self.number())),
        }
    }
}

/// Numbers of the attributes of the set `port`.
pub mod port {
    /// Index of the pseudo interface.
    pub const IFINDEX: u16 = 1;
    /// Name of the pseudo interface.
    pub const IFNAME: u16 = 2;
    /// Index of the claimed NIC.
    pub const LOWER_IFINDEX: u16 = 3;
    /// Name of the claimed NIC; for one that the module drives, its place on the bus, as 0000:00:02.0.
    pub const LOWER_IFNAME: u16 = 4;
    /// Port driver, `netdev` for any Linux NIC.
    pub const DRIVER: u16 = 5;
    /// Switching CPU whose engine polls the port. Of several the first polls the first queue pair, and so on, in turn.
    pub const CPU: u16 = 6;
    /// Number of the port inside the switch.
    pub const ID: u16 = 7;
    /// Packets taken from the NIC.
    pub const RX_PACKETS: u16 = 8;
    /// `rx-bytes`.
    pub const RX_BYTES: u16 = 9;
    /// Packets put on the NIC.
    pub const TX_PACKETS: u16 = 10;
    /// `tx-bytes`.
    pub const TX_BYTES: u16 = 11;
    /// Packets passed up to the host through the pseudo interface.
    pub const STACK_PACKETS: u16 = 12;
    /// Packets the host sent on the pseudo interface.
    pub const HOST_PACKETS: u16 = 13;
    /// Packets dropped at this port, for any reason.
    pub const DROPPED: u16 = 14;
    /// Queue pairs of a NIC that the module drives; absent for others.
    pub const QUEUES: u16 = 15;
    /// Times that the NIC was reset because it had failed.
    pub const RESETS: u16 = 16;
}

/// A claimed NIC and its pseudo interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// Index of the pseudo interface.
    pub ifindex: Option<u32>,
    /// Name of the pseudo interface.
    pub ifname: Option<String>,
    /// Index of the claimed NIC.
    pub lower_ifindex: Option<u32>,
    /// Name of the claimed NIC; for one that the module drives, its place on the bus, as 0000:00:02.0.
    pub lower_ifname: Option<String>,
    /// Port driver, `netdev` for any Linux NIC.
    pub driver: Option<String>,
    /// Switching CPU whose engine polls the port. Of several the first polls the first queue pair, and so on, in turn.
    pub cpu: Vec<u32>,
    /// Number of the port inside the switch.
    pub id: Option<u32>,
    /// Packets taken from the NIC.
    pub rx_packets: Option<u64>,
    /// `rx-bytes`.
    pub rx_bytes: Option<u64>,
    /// Packets put on the NIC.
    pub tx_packets: Option<u64>,
    /// `tx-bytes`.
    pub tx_bytes: Option<u64>,
    /// Packets passed up to the host through the pseudo interface.
    pub stack_packets: Option<u64>,
    /// Packets the host sent on the pseudo interface.
    pub host_packets: Option<u64>,
    /// Packets dropped at this port, for any reason.
    pub dropped: Option<u64>,
    /// Queue pairs of a NIC that the module drives; absent for others.
    pub queues: Option<u32>,
    /// Times that the NIC was reset because it had failed.
    pub resets: Option<u64>,
}

impl Attributes for Port {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "port",
        attributes: &[
            Attribute::plain("ifindex"),
            Attribute::plain("ifname"),
            Attribute::plain("lower-ifindex"),
            Attribute::plain("lower-ifname"),
            Attribute::plain("driver"),
            Attribute::plain("cpu"),
            Attribute::plain("id"),
            Attribute::plain("rx-packets"),
            Attribute::plain("rx-bytes"),
            Attribute::plain("tx-packets"),
            Attribute::plain("tx-bytes"),
            Attribute::plain("stack-packets"),
            Attribute::plain("host-packets"),
            Attribute::plain("dropped"),
            Attribute::plain("queues"),
            Attribute::plain("resets"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(port::IFINDEX, self.ifindex);
        out.string(port::IFNAME, self.ifname.as_deref());
        out.u32(port::LOWER_IFINDEX, self.lower_ifindex);
        out.string(port::LOWER_IFNAME, self.lower_ifname.as_deref());
        out.string(port::DRIVER, self.driver.as_deref());
        out.u32s(port::CPU, &self.cpu);
        out.u32(port::ID, self.id);
        out.uint(port::RX_PACKETS, self.rx_packets);
        out.uint(port::RX_BYTES, self.rx_bytes);
        out.uint(port::TX_PACKETS, self.tx_packets);
        out.uint(port::TX_BYTES, self.tx_bytes);
        out.uint(port::STACK_PACKETS, self.stack_packets);
        out.uint(port::HOST_PACKETS, self.host_packets);
        out.uint(port::DROPPED, self.dropped);
        out.u32(port::QUEUES, self.queues);
        out.uint(port::RESETS, self.resets);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            port::IFINDEX => self.ifindex = Some(value.u32()?),
            port::IFNAME => self.ifname = Some(value.string()?),
            port::LOWER_IFINDEX => self.lower_ifindex = Some(value.u32()?),
            port::LOWER_IFNAME => self.lower_ifname = Some(value.string()?),
            port::DRIVER => self.driver = Some(value.string()?),
            port::CPU => self.cpu.push(value.u32()?),
            port::ID => self.id = Some(value.u32()?),
            port::RX_PACKETS => self.rx_packets = Some(value.uint()?),
            port::RX_BYTES => self.rx_bytes = Some(value.uint()?),
            port::TX_PACKETS => self.tx_packets = Some(value.uint()?),
            port::TX_BYTES => self.tx_bytes = Some(value.uint()?),
            port::STACK_PACKETS => self.stack_packets = Some(value.uint()?),
            port::HOST_PACKETS => self.host_packets = Some(value.uint()?),
            port::DROPPED => self.dropped = Some(value.uint()?),
            port::QUEUES => self.queues = Some(value.u32()?),
            port::RESETS => self.resets = Some(value.uint()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `service`.
pub mod service {
    /// IP protocol number, 6 (TCP) or 17 (UDP).
    pub const PROTOCOL: u16 = 1;
    /// Virtual IPv4 address (VIP).
    pub const ADDR: u16 = 2;
    /// Virtual port, 1 to 65535.
    pub const PORT: u16 = 3;
    /// `scheduler`.
    pub const SCHEDULER: u16 = 4;
    /// `mode`.
    pub const MODE: u16 = 5;
    /// Idle time after which an established connection is forgotten, seconds.
    pub const TIMEOUT: u16 = 6;
    /// Answer ARP for the VIP and announce it (1), or leave that to others (0).
    pub const ANNOUNCE: u16 = 7;
    /// Index of the service in the tables.
    pub const ID: u16 = 8;
    /// Generation that last changed the service.
    pub const GENERATION: u16 = 9;
    /// Packets from clients.
    pub const PACKETS: u16 = 10;
    /// `bytes`.
    pub const BYTES: u16 = 11;
    /// Connections made since the service exists.
    pub const CONNECTIONS: u16 = 12;
    /// Length of the slot list new connections are taken from.
    pub const SLOTS: u16 = 13;
}

/// A virtual address that is balanced. Key is protocol, address and port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// IP protocol number, 6 (TCP) or 17 (UDP).
    pub protocol: Option<u8>,
    /// Virtual IPv4 address (VIP).
    pub addr: Option<Ipv4Addr>,
    /// Virtual port, 1 to 65535.
    pub port: Option<u16>,
    /// `scheduler`.
    pub scheduler: Option<Scheduler>,
    /// `mode`.
    pub mode: Option<Mode>,
    /// Idle time after which an established connection is forgotten, seconds.
    pub timeout: Option<u32>,
    /// Answer ARP for the VIP and announce it (1), or leave that to others (0).
    pub announce: Option<u8>,
    /// Index of the service in the tables.
    pub id: Option<u32>,
    /// Generation that last changed the service.
    pub generation: Option<u64>,
    /// Packets from clients.
    pub packets: Option<u64>,
    /// `bytes`.
    pub bytes: Option<u64>,
    /// Connections made since the service exists.
    pub connections: Option<u64>,
    /// Length of the slot list new connections are taken from.
    pub slots: Option<u32>,
}

impl Attributes for Service {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "service",
        attributes: &[
            Attribute::plain("protocol"),
            Attribute::plain("addr"),
            Attribute::plain("port"),
            Attribute::plain("scheduler"),
            Attribute::plain("mode"),
            Attribute::plain("timeout"),
            Attribute::plain("announce"),
            Attribute::plain("id"),
            Attribute::plain("generation"),
            Attribute::plain("packets"),
            Attribute::plain("bytes"),
            Attribute::plain("connections"),
            Attribute::plain("slots"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u8(service::PROTOCOL, self.protocol);
        out.ipv4(service::ADDR, self.addr);
        out.u16_be(service::PORT, self.port);
        out.u32(service::SCHEDULER, self.scheduler.map(Scheduler::number));
        out.u32(service::MODE, self.mode.map(Mode::number));
        out.u32(service::TIMEOUT, self.timeout);
        out.u8(service::ANNOUNCE, self.announce);
        out.u32(service::ID, self.id);
        out.uint(service::GENERATION, self.generation);
        out.uint(service::PACKETS, self.packets);
        out.uint(service::BYTES, self.bytes);
        out.uint(service::CONNECTIONS, self.connections);
        out.u32(service::SLOTS, self.slots);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            service::PROTOCOL => self.protocol = Some(value.u8()?),
            service::ADDR => self.addr = Some(value.ipv4()?),
            service::PORT => self.port = Some(value.u16_be()?),
            service::SCHEDULER => self.scheduler = Some(Scheduler::from_number(value.u32()?)),
            service::MODE => self.mode = Some(Mode::from_number(value.u32()?)),
            service::TIMEOUT => self.timeout = Some(value.u32()?),
            service::ANNOUNCE => self.announce = Some(value.u8()?),
            service::ID => self.id = Some(value.u32()?),
            service::GENERATION => self.generation = Some(value.uint()?),
            service::PACKETS => self.packets = Some(value.uint()?),
            service::BYTES => self.bytes = Some(value.uint()?),
            service::CONNECTIONS => self.connections = Some(value.uint()?),
            service::SLOTS => self.slots = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `backend`.
pub mod backend {
    /// Key of the service it belongs to.
    pub const SERVICE: u16 = 1;
    /// `addr`.
    pub const ADDR: u16 = 2;
    /// Port of the server; left out, the port of the service.
    pub const PORT: u16 = 3;
    /// Share of new connections; 0 gives no new ones and keeps the old.
    pub const WEIGHT: u16 = 4;
    /// `id`.
    pub const ID: u16 = 5;
    /// Packets to the backend.
    pub const PACKETS: u16 = 6;
    /// `bytes`.
    pub const BYTES: u16 = 7;
    /// Connections given to the backend since it exists.
    pub const CONNECTIONS: u16 = 8;
    /// Connections it has now.
    pub const ACTIVE: u16 = 9;
    /// Packets from the backend to clients (mode nat).
    pub const REPLY_PACKETS: u16 = 10;
    /// `reply-bytes`.
    pub const REPLY_BYTES: u16 = 11;
}

/// A real server of a service. Key is service, address and port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// Key of the service it belongs to.
    pub service: Option<ServiceDef>,
    /// `addr`.
    pub addr: Option<Ipv4Addr>,
    /// Port of the server; left out, the port of the service.
    pub port: Option<u16>,
    /// Share of new connections; 0 gives no new ones and keeps the old.
    pub weight: Option<u32>,
    /// `id`.
    pub id: Option<u32>,
    /// Packets to the backend.
    pub packets: Option<u64>,
    /// `bytes`.
    pub bytes: Option<u64>,
    /// Connections given to the backend since it exists.
    pub connections: Option<u64>,
    /// Connections it has now.
    pub active: Option<u64>,
    /// Packets from the backend to clients (mode nat).
    pub reply_packets: Option<u64>,
    /// `reply-bytes`.
    pub reply_bytes: Option<u64>,
}

impl Attributes for Backend {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "backend",
        attributes: &[
            Attribute::nest("service", ServiceDef::SET),
            Attribute::plain("addr"),
            Attribute::plain("port"),
            Attribute::plain("weight"),
            Attribute::plain("id"),
            Attribute::plain("packets"),
            Attribute::plain("bytes"),
            Attribute::plain("connections"),
            Attribute::plain("active"),
            Attribute::plain("reply-packets"),
            Attribute::plain("reply-bytes"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.nest(backend::SERVICE, self.service.as_ref());
        out.ipv4(backend::ADDR, self.addr);
        out.u16_be(backend::PORT, self.port);
        out.u32(backend::WEIGHT, self.weight);
        out.u32(backend::ID, self.id);
        out.uint(backend::PACKETS, self.packets);
        out.uint(backend::BYTES, self.bytes);
        out.uint(backend::CONNECTIONS, self.connections);
        out.uint(backend::ACTIVE, self.active);
        out.uint(backend::REPLY_PACKETS, self.reply_packets);
        out.uint(backend::REPLY_BYTES, self.reply_bytes);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            backend::SERVICE => self.service = Some(value.nest()?),
            backend::ADDR => self.addr = Some(value.ipv4()?),
            backend::PORT => self.port = Some(value.u16_be()?),
            backend::WEIGHT => self.weight = Some(value.u32()?),
            backend::ID => self.id = Some(value.u32()?),
            backend::PACKETS => self.packets = Some(value.uint()?),
            backend::BYTES => self.bytes = Some(value.uint()?),
            backend::CONNECTIONS => self.connections = Some(value.uint()?),
            backend::ACTIVE => self.active = Some(value.uint()?),
            backend::REPLY_PACKETS => self.reply_packets = Some(value.uint()?),
            backend::REPLY_BYTES => self.reply_bytes = Some(value.uint()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `service-def`.
pub mod service_def {
    /// `protocol`.
    pub const PROTOCOL: u16 = 1;
    /// `addr`.
    pub const ADDR: u16 = 2;
    /// `port`.
    pub const PORT: u16 = 3;
    /// `scheduler`.
    pub const SCHEDULER: u16 = 4;
    /// `mode`.
    pub const MODE: u16 = 5;
    /// `timeout`.
    pub const TIMEOUT: u16 = 6;
    /// `announce`.
    pub const ANNOUNCE: u16 = 7;
}

/// A service inside another message. As a key (of a backend) protocol, addr and port are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceDef {
    /// `protocol`.
    pub protocol: Option<u8>,
    /// `addr`.
    pub addr: Option<Ipv4Addr>,
    /// `port`.
    pub port: Option<u16>,
    /// `scheduler`.
    pub scheduler: Option<Scheduler>,
    /// `mode`.
    pub mode: Option<Mode>,
    /// `timeout`.
    pub timeout: Option<u32>,
    /// `announce`.
    pub announce: Option<u8>,
}

impl Attributes for ServiceDef {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "service-def",
        attributes: &[
            Attribute::plain("protocol"),
            Attribute::plain("addr"),
            Attribute::plain("port"),
            Attribute::plain("scheduler"),
            Attribute::plain("mode"),
            Attribute::plain("timeout"),
            Attribute::plain("announce"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u8(service_def::PROTOCOL, self.protocol);
        out.ipv4(service_def::ADDR, self.addr);
        out.u16_be(service_def::PORT, self.port);
        out.u32(service_def::SCHEDULER, self.scheduler.map(Scheduler::number));
        out.u32(service_def::MODE, self.mode.map(Mode::number));
        out.u32(service_def::TIMEOUT, self.timeout);
        out.u8(service_def::ANNOUNCE, self.announce);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            service_def::PROTOCOL => self.protocol = Some(value.u8()?),
            service_def::ADDR => self.addr = Some(value.ipv4()?),
            service_def::PORT => self.port = Some(value.u16_be()?),
            service_def::SCHEDULER => self.scheduler = Some(Scheduler::from_number(value.u32()?)),
            service_def::MODE => self.mode = Some(Mode::from_number(value.u32()?)),
            service_def::TIMEOUT => self.timeout = Some(value.u32()?),
            service_def::ANNOUNCE => self.announce = Some(value.u8()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `backend-def`.
pub mod backend_def {
    /// Place of its service in the message, counted from 0.
    pub const SERVICE: u16 = 1;
    /// `addr`.
    pub const ADDR: u16 = 2;
    /// `port`.
    pub const PORT: u16 = 3;
    /// `weight`.
    pub const WEIGHT: u16 = 4;
}

/// A backend inside a whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendDef {
    /// Place of its service in the message, counted from 0.
    pub service: Option<u32>,
    /// `addr`.
    pub addr: Option<Ipv4Addr>,
    /// `port`.
    pub port: Option<u16>,
    /// `weight`.
    pub weight: Option<u32>,
}

impl Attributes for BackendDef {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "backend-def",
        attributes: &[
            Attribute::plain("service"),
            Attribute::plain("addr"),
            Attribute::plain("port"),
            Attribute::plain("weight"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(backend_def::SERVICE, self.service);
        out.ipv4(backend_def::ADDR, self.addr);
        out.u16_be(backend_def::PORT, self.port);
        out.u32(backend_def::WEIGHT, self.weight);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            backend_def::SERVICE => self.service = Some(value.u32()?),
            backend_def::ADDR => self.addr = Some(value.ipv4()?),
            backend_def::PORT => self.port = Some(value.u16_be()?),
            backend_def::WEIGHT => self.weight = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `config`.
pub mod config {
    /// `service`.
    pub const SERVICE: u16 = 1;
    /// `backend`.
    pub const BACKEND: u16 = 2;
    /// Check only; nothing is changed.
    pub const DRY_RUN: u16 = 3;
    /// Refuse unless this is the active generation.
    pub const EXPECT_GENERATION: u16 = 4;
    /// The generation made, or the one that would be made.
    pub const GENERATION: u16 = 5;
    /// Slots whose backend differs from the generation before.
    pub const SLOTS_MOVED: u16 = 6;
}

/// A whole configuration, replacing the active one in one generation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `service`.
    pub service: Vec<ServiceDef>,
    /// `backend`.
    pub backend: Vec<BackendDef>,
    /// Check only; nothing is changed.
    pub dry_run: bool,
    /// Refuse unless this is the active generation.
    pub expect_generation: Option<u64>,
    /// The generation made, or the one that would be made.
    pub generation: Option<u64>,
    /// Slots whose backend differs from the generation before.
    pub slots_moved: Option<u64>,
}

impl Attributes for Config {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "config",
        attributes: &[
            Attribute::nests("service", ServiceDef::SET),
            Attribute::nests("backend", BackendDef::SET),
            Attribute::plain("dry-run"),
            Attribute::plain("expect-generation"),
            Attribute::plain("generation"),
            Attribute::plain("slots-moved"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.nests(config::SERVICE, &self.service);
        out.nests(config::BACKEND, &self.backend);
        out.flag(config::DRY_RUN, self.dry_run);
        out.uint(config::EXPECT_GENERATION, self.expect_generation);
        out.uint(config::GENERATION, self.generation);
        out.uint(config::SLOTS_MOVED, self.slots_moved);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            config::SERVICE => self.service.push(value.nest()?),
            config::BACKEND => self.backend.push(value.nest()?),
            config::DRY_RUN => self.dry_run = true,
            config::EXPECT_GENERATION => self.expect_generation = Some(value.uint()?),
            config::GENERATION => self.generation = Some(value.uint()?),
            config::SLOTS_MOVED => self.slots_moved = Some(value.uint()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `generation`.
pub mod generation {
    /// Generation that engines use.
    pub const ACTIVE: u16 = 1;
    /// Generation that a rollback would make active; absent when there is none.
    pub const STANDBY: u16 = 2;
    /// `services`.
    pub const SERVICES: u16 = 3;
    /// `backends`.
    pub const BACKENDS: u16 = 4;
    /// How often the tables have been exchanged.
    pub const FLIPS: u16 = 5;
}

/// The attribute set `generation`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// Generation that engines use.
    pub active: Option<u64>,
    /// Generation that a rollback would make active; absent when there is none.
    pub standby: Option<u64>,
    /// `services`.
    pub services: Option<u32>,
    /// `backends`.
    pub backends: Option<u32>,
    /// How often the tables have been exchanged.
    pub flips: Option<u64>,
}

impl Attributes for Generation {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "generation",
        attributes: &[
            Attribute::plain("active"),
            Attribute::plain("standby"),
            Attribute::plain("services"),
            Attribute::plain("backends"),
            Attribute::plain("flips"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.uint(generation::ACTIVE, self.active);
        out.uint(generation::STANDBY, self.standby);
        out.u32(generation::SERVICES, self.services);
        out.u32(generation::BACKENDS, self.backends);
        out.uint(generation::FLIPS, self.flips);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            generation::ACTIVE => self.active = Some(value.uint()?),
            generation::STANDBY => self.standby = Some(value.uint()?),
            generation::SERVICES => self.services = Some(value.u32()?),
            generation::BACKENDS => self.backends = Some(value.u32()?),
            generation::FLIPS => self.flips = Some(value.uint()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `engine`.
pub mod engine {
    /// `cpu`.
    pub const CPU: u16 = 1;
    /// Ports of this network namespace that it polls.
    pub const PORTS: u16 = 2;
    /// Thread id.
    pub const PID: u16 = 3;
    /// 1 when the scheduler keeps other tasks off this CPU.
    pub const ISOLATED: u16 = 4;
    /// Turns over all its ports.
    pub const ROUNDS: u16 = 5;
    /// Turns that found nothing.
    pub const IDLE_ROUNDS: u16 = 6;
    /// Times it armed the wake-up and slept.
    pub const SLEEPS: u16 = 7;
    /// `bursts`.
    pub const BURSTS: u16 = 8;
    /// Packets of this network namespace it switched.
    pub const PACKETS: u16 = 9;
    /// `forwarded`.
    pub const FORWARDED: u16 = 10;
    /// `stack`.
    pub const STACK: u16 = 11;
    /// Packets answered by the switch itself (ARP, reset, ICMP).
    pub const REPLIED: u16 = 12;
    /// `dropped`.
    pub const DROPPED: u16 = 13;
    /// Packets handed to the kernel to resolve their next hop.
    pub const RESOLVED: u16 = 14;
    /// Nanoseconds since it started.
    pub const TIME: u16 = 15;
    /// Nanoseconds of turns that found packets, out of `time`.
    pub const BUSY_TIME: u16 = 16;
    /// The most nanoseconds from one turn to the next, sleep left out.
    pub const LONGEST_GAP: u16 = 17;
    /// Times that its thread gave its CPU away or had to.
    pub const SWITCHES: u16 = 18;
    /// Times that its thread had to give its CPU away, out of `switches`.
    pub const PREEMPTIONS: u16 = 19;
    /// Interrupts of devices that its CPU took since it started.
    pub const INTERRUPTS: u16 = 20;
    /// Ticks of its CPU's timer since it started, modulo 2^32; absent where
    /// the architecture does not tell.
    pub const TICKS: u16 = 21;
    /// Packets that went to applications by their channels.
    pub const CHANNEL: u16 = 22;
}

/// The poll thread of one switching CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// `cpu`.
    pub cpu: Option<u32>,
    /// Ports of this network namespace that it polls.
    pub ports: Option<u32>,
    /// Thread id.
    pub pid: Option<u32>,
    /// 1 when the scheduler keeps other tasks off this CPU.
    pub isolated: Option<u8>,
    /// Turns over all its ports.
    pub rounds: Option<u64>,
    /// Turns that found nothing.
    pub idle_rounds: Option<u64>,
    /// Times it armed the wake-up and slept.
    pub sleeps: Option<u64>,
    /// `bursts`.
    pub bursts: Option<u64>,
    /// Packets of this network namespace it switched.
    pub packets: Option<u64>,
    /// `forwarded`.
    pub forwarded: Option<u64>,
    /// `stack`.
    pub stack: Option<u64>,
    /// Packets answered by the switch itself (ARP, reset, ICMP).
    pub replied: Option<u64>,
    /// `dropped`.
    pub dropped: Option<u64>,
    /// Packets handed to the kernel to resolve their next hop.
    pub resolved: Option<u64>,
    /// Nanoseconds since it started.
    pub time: Option<u64>,
    /// Nanoseconds of turns that found packets, out of `time`.
    pub busy_time: Option<u64>,
    /// The most nanoseconds from one turn to the next, sleep left out.
    pub longest_gap: Option<u64>,
    /// Times that its thread gave its CPU away or had to.
    pub switches: Option<u64>,
    /// Times that its thread had to give its CPU away, out of `switches`.
    pub preemptions: Option<u64>,
    /// Interrupts of devices that its CPU took since it started.
    pub interrupts: Option<u64>,
    /// Ticks of its CPU's timer since it started, modulo 2^32; absent where
    /// the architecture does not tell.
    pub ticks: Option<u64>,
    /// Packets that went to applications by their channels.
    pub channel: Option<u64>,
}

impl Attributes for Engine {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "engine",
        attributes: &[
            Attribute::plain("cpu"),
            Attribute::plain("ports"),
            Attribute::plain("pid"),
            Attribute::plain("isolated"),
            Attribute::plain("rounds"),
            Attribute::plain("idle-rounds"),
            Attribute::plain("sleeps"),
            Attribute::plain("bursts"),
            Attribute::plain("packets"),
            Attribute::plain("forwarded"),
            Attribute::plain("stack"),
            Attribute::plain("replied"),
            Attribute::plain("dropped"),
            Attribute::plain("resolved"),
            Attribute::plain("time"),
            Attribute::plain("busy-time"),
            Attribute::plain("longest-gap"),
            Attribute::plain("switches"),
            Attribute::plain("preemptions"),
            Attribute::plain("interrupts"),
            Attribute::plain("ticks"),
            Attribute::plain("channel"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(engine::CPU, self.cpu);
        out.u32(engine::PORTS, self.ports);
        out.u32(engine::PID, self.pid);
        out.u8(engine::ISOLATED, self.isolated);
        out.uint(engine::ROUNDS, self.rounds);
        out.uint(engine::IDLE_ROUNDS, self.idle_rounds);
        out.uint(engine::SLEEPS, self.sleeps);
        out.uint(engine::BURSTS, self.bursts);
        out.uint(engine::PACKETS, self.packets);
        out.uint(engine::FORWARDED, self.forwarded);
        out.uint(engine::STACK, self.stack);
        out.uint(engine::REPLIED, self.replied);
        out.uint(engine::DROPPED, self.dropped);
        out.uint(engine::RESOLVED, self.resolved);
        out.uint(engine::TIME, self.time);
        out.uint(engine::BUSY_TIME, self.busy_time);
        out.uint(engine::LONGEST_GAP, self.longest_gap);
        out.uint(engine::SWITCHES, self.switches);
        out.uint(engine::PREEMPTIONS, self.preemptions);
        out.uint(engine::INTERRUPTS, self.interrupts);
        out.uint(engine::TICKS, self.ticks);
        out.uint(engine::CHANNEL, self.channel);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            engine::CPU => self.cpu = Some(value.u32()?),
            engine::PORTS => self.ports = Some(value.u32()?),
            engine::PID => self.pid = Some(value.u32()?),
            engine::ISOLATED => self.isolated = Some(value.u8()?),
            engine::ROUNDS => self.rounds = Some(value.uint()?),
            engine::IDLE_ROUNDS => self.idle_rounds = Some(value.uint()?),
            engine::SLEEPS => self.sleeps = Some(value.uint()?),
            engine::BURSTS => self.bursts = Some(value.uint()?),
            engine::PACKETS => self.packets = Some(value.uint()?),
            engine::FORWARDED => self.forwarded = Some(value.uint()?),
            engine::STACK => self.stack = Some(value.uint()?),
            engine::REPLIED => self.replied = Some(value.uint()?),
            engine::DROPPED => self.dropped = Some(value.uint()?),
            engine::RESOLVED => self.resolved = Some(value.uint()?),
            engine::TIME => self.time = Some(value.uint()?),
            engine::BUSY_TIME => self.busy_time = Some(value.uint()?),
            engine::LONGEST_GAP => self.longest_gap = Some(value.uint()?),
            engine::SWITCHES => self.switches = Some(value.uint()?),
            engine::PREEMPTIONS => self.preemptions = Some(value.uint()?),
            engine::INTERRUPTS => self.interrupts = Some(value.uint()?),
            engine::TICKS => self.ticks = Some(value.uint()?),
            engine::CHANNEL => self.channel = Some(value.uint()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `drop`.
pub mod drop {
    /// `reason`.
    pub const REASON: u16 = 1;
    /// `packets`.
    pub const PACKETS: u16 = 2;
}

/// The attribute set `drop`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drop {
    /// `reason`.
    pub reason: Option<DropReason>,
    /// `packets`.
    pub packets: Option<u64>,
}

impl Attributes for Drop {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "drop",
        attributes: &[
            Attribute::plain("reason"),
            Attribute::plain("packets"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(drop::REASON, self.reason.map(DropReason::number));
        out.uint(drop::PACKETS, self.packets);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            drop::REASON => self.reason = Some(DropReason::from_number(value.u32()?)),
            drop::PACKETS => self.packets = Some(value.uint()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `stats`.
pub mod stats {
    /// `drop`.
    pub const DROP: u16 = 1;
    /// Connections tracked now.
    pub const CONNECTIONS: u16 = 2;
    /// `connections-max`.
    pub const CONNECTIONS_MAX: u16 = 3;
    /// Ranges in the routing table.
    pub const ROUTES: u16 = 4;
    /// Next hops known.
    pub const NEIGHBOURS: u16 = 5;
}

/// Totals of the network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// `drop`.
    pub drop: Vec<Drop>,
    /// Connections tracked now.
    pub connections: Option<u32>,
    /// `connections-max`.
    pub connections_max: Option<u32>,
    /// Ranges in the routing table.
    pub routes: Option<u32>,
    /// Next hops known.
    pub neighbours: Option<u32>,
}

impl Attributes for Stats {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "stats",
        attributes: &[
            Attribute::nests("drop", Drop::SET),
            Attribute::plain("connections"),
            Attribute::plain("connections-max"),
            Attribute::plain("routes"),
            Attribute::plain("neighbours"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.nests(stats::DROP, &self.drop);
        out.u32(stats::CONNECTIONS, self.connections);
        out.u32(stats::CONNECTIONS_MAX, self.connections_max);
        out.u32(stats::ROUTES, self.routes);
        out.u32(stats::NEIGHBOURS, self.neighbours);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            stats::DROP => self.drop.push(value.nest()?),
            stats::CONNECTIONS => self.connections = Some(value.u32()?),
            stats::CONNECTIONS_MAX => self.connections_max = Some(value.u32()?),
            stats::ROUTES => self.routes = Some(value.u32()?),
            stats::NEIGHBOURS => self.neighbours = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `connection`.
pub mod connection {
    /// `protocol`.
    pub const PROTOCOL: u16 = 1;
    /// `client-addr`.
    pub const CLIENT_ADDR: u16 = 2;
    /// `client-port`.
    pub const CLIENT_PORT: u16 = 3;
    /// Virtual address.
    pub const ADDR: u16 = 4;
    /// `port`.
    pub const PORT: u16 = 5;
    /// `backend-addr`.
    pub const BACKEND_ADDR: u16 = 6;
    /// `backend-port`.
    pub const BACKEND_PORT: u16 = 7;
    /// `state`.
    pub const STATE: u16 = 8;
    /// `mode`.
    pub const MODE: u16 = 9;
    /// Generation that made the connection.
    pub const GENERATION: u16 = 10;
    /// Seconds until it is forgotten when nothing more comes.
    pub const EXPIRES: u16 = 11;
}

/// The attribute set `connection`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// `protocol`.
    pub protocol: Option<u8>,
    /// `client-addr`.
    pub client_addr: Option<Ipv4Addr>,
    /// `client-port`.
    pub client_port: Option<u16>,
    /// Virtual address.
    pub addr: Option<Ipv4Addr>,
    /// `port`.
    pub port: Option<u16>,
    /// `backend-addr`.
    pub backend_addr: Option<Ipv4Addr>,
    /// `backend-port`.
    pub backend_port: Option<u16>,
    /// `state`.
    pub state: Option<ConnectionState>,
    /// `mode`.
    pub mode: Option<Mode>,
    /// Generation that made the connection.
    pub generation: Option<u64>,
    /// Seconds until it is forgotten when nothing more comes.
    pub expires: Option<u32>,
}

impl Attributes for Connection {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "connection",
        attributes: &[
            Attribute::plain("protocol"),
            Attribute::plain("client-addr"),
            Attribute::plain("client-port"),
            Attribute::plain("addr"),
            Attribute::plain("port"),
            Attribute::plain("backend-addr"),
            Attribute::plain("backend-port"),
            Attribute::plain("state"),
            Attribute::plain("mode"),
            Attribute::plain("generation"),
            Attribute::plain("expires"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u8(connection::PROTOCOL, self.protocol);
        out.ipv4(connection::CLIENT_ADDR, self.client_addr);
        out.u16_be(connection::CLIENT_PORT, self.client_port);
        out.ipv4(connection::ADDR, self.addr);
        out.u16_be(connection::PORT, self.port);
        out.ipv4(connection::BACKEND_ADDR, self.backend_addr);
        out.u16_be(connection::BACKEND_PORT, self.backend_port);
        out.u32(connection::STATE, self.state.map(ConnectionState::number));
        out.u32(connection::MODE, self.mode.map(Mode::number));
        out.uint(connection::GENERATION, self.generation);
        out.u32(connection::EXPIRES, self.expires);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            connection::PROTOCOL => self.protocol = Some(value.u8()?),
            connection::CLIENT_ADDR => self.client_addr = Some(value.ipv4()?),
            connection::CLIENT_PORT => self.client_port = Some(value.u16_be()?),
            connection::ADDR => self.addr = Some(value.ipv4()?),
            connection::PORT => self.port = Some(value.u16_be()?),
            connection::BACKEND_ADDR => self.backend_addr = Some(value.ipv4()?),
            connection::BACKEND_PORT => self.backend_port = Some(value.u16_be()?),
            connection::STATE => self.state = Some(ConnectionState::from_number(value.u32()?)),
            connection::MODE => self.mode = Some(Mode::from_number(value.u32()?)),
            connection::GENERATION => self.generation = Some(value.uint()?),
            connection::EXPIRES => self.expires = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `pool-port`.
pub mod pool_port {
    /// Number of the port inside the switch.
    pub const ID: u16 = 1;
    /// Name of the pseudo interface; absent while the port goes.
    pub const IFNAME: u16 = 2;
    /// Buffers on the receive ring.
    pub const RX: u16 = 3;
    /// Buffers on the transmit ring.
    pub const TX: u16 = 4;
    /// Buffers on the rings to and from the pseudo interface.
    pub const HOST: u16 = 5;
}

/// Buffers of the pool that a port has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolPort {
    /// Number of the port inside the switch.
    pub id: Option<u32>,
    /// Name of the pseudo interface; absent while the port goes.
    pub ifname: Option<String>,
    /// Buffers on the receive ring.
    pub rx: Option<u32>,
    /// Buffers on the transmit ring.
    pub tx: Option<u32>,
    /// Buffers on the rings to and from the pseudo interface.
    pub host: Option<u32>,
}

impl Attributes for PoolPort {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "pool-port",
        attributes: &[
            Attribute::plain("id"),
            Attribute::plain("ifname"),
            Attribute::plain("rx"),
            Attribute::plain("tx"),
            Attribute::plain("host"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(pool_port::ID, self.id);
        out.string(pool_port::IFNAME, self.ifname.as_deref());
        out.u32(pool_port::RX, self.rx);
        out.u32(pool_port::TX, self.tx);
        out.u32(pool_port::HOST, self.host);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            pool_port::ID => self.id = Some(value.u32()?),
            pool_port::IFNAME => self.ifname = Some(value.string()?),
            pool_port::RX => self.rx = Some(value.u32()?),
            pool_port::TX => self.tx = Some(value.u32()?),
            pool_port::HOST => self.host = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `pool-engine`.
pub mod pool_engine {
    /// `cpu`.
    pub const CPU: u16 = 1;
    /// `buffers`.
    pub const BUFFERS: u16 = 2;
}

/// Buffers of the pool that an engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolEngine {
    /// `cpu`.
    pub cpu: Option<u32>,
    /// `buffers`.
    pub buffers: Option<u32>,
}

impl Attributes for PoolEngine {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "pool-engine",
        attributes: &[
            Attribute::plain("cpu"),
            Attribute::plain("buffers"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(pool_engine::CPU, self.cpu);
        out.u32(pool_engine::BUFFERS, self.buffers);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            pool_engine::CPU => self.cpu = Some(value.u32()?),
            pool_engine::BUFFERS => self.buffers = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}

/// Numbers of the attributes of the set `pool`.
pub mod pool {
    /// Size of the pool; 0 without a native port.
    pub const BUFFERS: u16 = 1;
    /// Buffers that nobody has.
    pub const FREE: u16 = 2;
    /// Buffers of an owner that cannot be, always 0.
    pub const OTHER: u16 = 3;
    /// Hand-overs that were refused, since another one had the buffer.
    pub const MISUSES: u16 = 4;
    /// `port`.
    pub const PORT: u16 = 5;
    /// `engine`.
    pub const ENGINE: u16 = 6;
    /// Buffers that applications have.
    pub const CHANNELS: u16 = 7;
}

/// The pool of buffers that all native ports share. free, channels, other and those of the ports and engines add up to buffers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// Size of the pool; 0 without a native port.
    pub buffers: Option<u32>,
    /// Buffers that nobody has.
    pub free: Option<u32>,
    /// Buffers of an owner that cannot be, always 0.
    pub other: Option<u32>,
    /// Hand-overs that were refused, since another one had the buffer.
    pub misuses: Option<u64>,
    /// `port`.
    pub port: Vec<PoolPort>,
    /// `engine`.
    pub engine: Vec<PoolEngine>,
    /// Buffers that applications have.
    pub channels: Option<u32>,
}

impl Attributes for Pool {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "pool",
        attributes: &[
            Attribute::plain("buffers"),
            Attribute::plain("free"),
            Attribute::plain("other"),
            Attribute::plain("misuses"),
            Attribute::nests("port", PoolPort::SET),
            Attribute::nests("engine", PoolEngine::SET),
            Attribute::plain("channels"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(pool::BUFFERS, self.buffers);
        out.u32(pool::FREE, self.free);
        out.u32(pool::OTHER, self.other);
        out.uint(pool::MISUSES, self.misuses);
        out.nests(pool::PORT, &self.port);
        out.nests(pool::ENGINE, &self.engine);
        out.u32(pool::CHANNELS, self.channels);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            pool::BUFFERS => self.buffers = Some(value.u32()?),
            pool::FREE => self.free = Some(value.u32()?),
            pool::OTHER => self.other = Some(value.u32()?),
            pool::MISUSES => self.misuses = Some(value.uint()?),
            pool::PORT => self.port.push(value.nest()?),
            pool::ENGINE => self.engine.push(value.nest()?),
            pool::CHANNELS => self.channels = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}
