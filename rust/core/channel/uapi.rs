// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What applications and the kernel tell each other, as in
//! `rust/c/uapi/linux/smplb_channel.h`: the same for both sides.

use ::core::mem::offset_of;

use super::bad::Bad;

/// `SMPLB_CHANNEL_VERSION`.
pub const VERSION: u32 = 1;
/// `SMPLB_CHANNEL_ANY_CPU`.
pub const ANY_CPU: u32 = u32::MAX;
/// `SMPLB_CHANNEL_MAGIC`.
pub const MAGIC: u8 = 0xbb;

/// `SMPLB_CHANNEL_TRUSTED`.
pub const TRUSTED: u32 = 1;

/// `SMPLB_WANT_PORT`.
pub const WANT_PORT: u32 = 1;
/// `SMPLB_WANT_LOCAL`.
pub const WANT_LOCAL: u32 = 2;
/// `SMPLB_WANT_ADDRESS`.
pub const WANT_ADDRESS: u32 = 3;
/// `SMPLB_WANT_ETHERTYPE`.
pub const WANT_ETHERTYPE: u32 = 4;

/// Words of `struct smplb_channel_state`, of 32 bits each: not 0 while the engine sleeps,
pub const STATE_ASLEEP: usize = 0;
/// and its CPU.
pub const STATE_CPU: usize = 1;

/// `struct smplb_channel_map`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Map {
    /// What `mmap(2)` takes.
    pub offset: u64,
    /// Octets.
    pub len: u64,
}

/// `struct smplb_channel_open`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Open {
    /// [`VERSION`].
    pub version: u32,
    /// [`TRUSTED`], or 0.
    pub flags: u32,
    /// Elements of each ring.
    pub ring_size: u32,
    /// Buffers.
    pub buffers: u32,
    /// The CPU of the engine, or [`ANY_CPU`].
    pub cpu: u32,
    /// Told: the bit of its doorbell.
    pub bell: u32,
    /// Told: octets of a buffer.
    pub buffer_size: u32,
    /// Told: the least offset of a frame.
    pub headroom: u32,
    /// Told: octets of the longest frame.
    pub longest: u32,
    /// 0.
    pub reserved: u32,
    /// Told: the rings.
    pub rings: Map,
    /// Told: the list of descriptors.
    pub list: Map,
    /// Told: the doorbells.
    pub bells: Map,
    /// Told: what the engine says.
    pub state: Map,
    /// Told: the buffers.
    pub memory: Map,
}

/// `struct smplb_channel_want`; addresses, ports and types in network byte order.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Want {
    /// One of the kinds above.
    pub kind: u32,
    /// The pseudo interface of a port.
    pub ifindex: u32,
    /// Destination address.
    pub addr: [u8; 4],
    /// Destination port.
    pub port: [u8; 2],
    /// Type.
    pub ethertype: [u8; 2],
    /// `IPPROTO_TCP` or `IPPROTO_UDP`.
    pub protocol: u8,
    /// 0.
    pub reserved: [u8; 7],
}

/// `struct smplb_channel_port`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Port {
    /// Asked: the pseudo interface.
    pub ifindex: u32,
    /// Told: its MTU.
    pub mtu: u32,
    /// Told: its number in descriptors.
    pub port: u16,
    /// Told: its MAC address.
    pub mac: [u8; 6],
}

/// `SMPLB_PAIR_PACKED`.
pub const PAIR_PACKED: u32 = 1 << 0;
/// `SMPLB_PAIR_EVENT_IDX`.
pub const PAIR_EVENT_IDX: u32 = 1 << 1;

/// `struct smplb_channel_queue`: all of it is told.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Queue {
    /// The memory of the ring,
    pub ring: Map,
    /// and the page of its doorbell.
    pub bell: Map,
    /// Where in the memory the driver's part is,
    pub driver: u32,
    /// and the device's.
    pub device: u32,
    /// Where in the page the doorbell is.
    pub bell_offset: u32,
    /// Descriptors.
    pub size: u16,
    /// What rings it.
    pub bell_value: u16,
}

/// `struct smplb_channel_pair`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Pair {
    /// Asked: the pseudo interface of a port.
    pub ifindex: u32,
    /// Asked: the number of the pair.
    pub pair: u16,
    /// Told: the number of the port in descriptors.
    pub port: u16,
    /// Told: [`PAIR_PACKED`], [`PAIR_EVENT_IDX`].
    pub flags: u32,
    /// Told: buffers of a chunk.
    pub chunk: u32,
    /// Told: the addresses of chunks.
    pub chunks: Map,
    /// Told: the queue of received frames,
    pub rx: Queue,
    /// and that of those to be sent.
    pub tx: Queue,
}

/// `struct smplb_channel_stats`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Frames put on the receive ring,
    pub rx_packets: u64,
    /// and their octets.
    pub rx_bytes: u64,
    /// Frames for which there was no buffer or no room.
    pub rx_dropped: u64,
    /// Frames sent,
    pub tx_packets: u64,
    /// and their octets.
    pub tx_bytes: u64,
    /// What the application has been wrong about, in the order of [`Bad`].
    pub bad: [u64; Bad::COUNT],
}

const _: () = {
    assert!(size_of::<Open>() == 120 && offset_of!(Open, rings) == 40);
    assert!(size_of::<Want>() == 24 && offset_of!(Want, protocol) == 16);
    assert!(size_of::<Port>() == 16 && offset_of!(Port, mac) == 10);
    assert!(size_of::<Stats>() == 96);
    assert!(size_of::<Queue>() == 48 && offset_of!(Queue, size) == 44);
    assert!(size_of::<Pair>() == 128 && offset_of!(Pair, rx) == 32);
    // `enum smplb_bad`.
    assert!(Bad::NoSuchBuffer as u32 == 0 && Bad::NoSuchPort as u32 == 6);
};
