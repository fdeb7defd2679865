// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Verdicts: what is to happen with a packet.

use super::channel::wants::ChannelId;
use super::frame::PortId;

/// The decision about one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The headers are rewritten as far as needed; send it out of this port.
    Forward(PortId),
    /// Give it to the host through the pseudo interface of the port it came from. Frames the host
    /// sent never get this.
    Stack,
    /// The frame has been turned into an answer of `len` octets: trim it, its checksums are
    /// complete, send it out of the port it came from (it may be shorter than the 60 octets of a
    /// minimal frame).
    Reply {
        /// Length of the answer in octets, Ethernet header included.
        len: u16,
    },
    /// Rewritten as for [`Verdict::Forward`], but the MAC address of the next hop `addr` is not
    /// known: the kernel resolves it on the pseudo interface of `port` and sends.
    Resolve {
        /// The port it must leave by.
        port: PortId,
        /// IPv4 address of the next hop.
        addr: [u8; 4],
    },
    /// Give it, as it is, to the application behind this channel.
    Channel(ChannelId),
    /// Free it. The core has counted the reason.
    Drop(DropReason),
}

/// Why a packet was dropped, in the order of `drop-reason` in
/// `Documentation/netlink/specs/smplb.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
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
    /// To a VIP, but not to a port of a service.
    NoService,
    /// TCP segment of no known connection.
    NoConnection,
    /// The service has no backend with a weight above zero.
    NoBackend,
    /// The connection's backend has been deleted.
    BackendGone,
    /// A reset was due, but the limit was reached, or the packet was itself a reset.
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
    /// The transmit queue of the port took no more packets (counted by the shell).
    TxBusy,
    /// The ring from the port's driver to its engine was full (counted by the shell).
    RxFull,
    /// The ring from the engine to the pseudo interface was full (counted by the shell).
    StackFull,
    /// The ring from the pseudo interface to the engine was full (counted by the shell).
    HostFull,
    /// A packet buffer could not be allocated or made writable (counted by the shell).
    NoMemory,
    /// The application behind the channel gave no buffer for it, or its ring was full (counted by the
    /// shell).
    ChannelFull,
}

impl DropReason {
    /// Number of reasons.
    pub const COUNT: usize = 23;

    /// All reasons in order of their number.
    pub const ALL: [DropReason; Self::COUNT] = [
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

    /// Name as in the netlink specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShortFrame => "short-frame",
            Self::BadIpHeader => "bad-ip-header",
            Self::BadIpChecksum => "bad-ip-checksum",
            Self::IpOptions => "ip-options",
            Self::Fragment => "fragment",
            Self::BadL4Header => "bad-l4-header",
            Self::TtlExpired => "ttl-expired",
            Self::NoService => "no-service",
            Self::NoConnection => "no-connection",
            Self::NoBackend => "no-backend",
            Self::BackendGone => "backend-gone",
            Self::ResetLimited => "reset-limited",
            Self::TableFull => "table-full",
            Self::TupleConflict => "tuple-conflict",
            Self::NoRoute => "no-route",
            Self::MtuExceeded => "mtu-exceeded",
            Self::PortDown => "port-down",
            Self::TxBusy => "tx-busy",
            Self::RxFull => "rx-full",
            Self::StackFull => "stack-full",
            Self::HostFull => "host-full",
            Self::NoMemory => "no-memory",
            Self::ChannelFull => "channel-full",
        }
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_verdict))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_numbered_in_order() {
        for (number, reason) in DropReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, number);
            assert!(!reason.name().is_empty());
        }
        assert_eq!(DropReason::ChannelFull as usize, DropReason::COUNT - 1);
    }
}
