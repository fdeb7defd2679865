/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Channels of smplb: an application and the engine that serves it share a list
 * of buffer descriptors, four rings and the buffers. See
 * Documentation/abi/channel.md.
 *
 * Numbers are in the byte order of the machine, unless their type says __be.
 */
#ifndef _UAPI_LINUX_SMPLB_CHANNEL_H
#define _UAPI_LINUX_SMPLB_CHANNEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The device node. */
#define SMPLB_CHANNEL_DEV	"/dev/smplb"

/* What SMPLB_CHANNEL_OPEN wants to be told: that both sides mean the same. */
#define SMPLB_CHANNEL_VERSION	1

/* For smplb_channel_open.cpu: that of the first port's engine. */
#define SMPLB_CHANNEL_ANY_CPU	0xffffffffU

/*
 * For smplb_channel_open.flags: the buffers are those of the switch, which the
 * application maps all. For root and the group of the device node.
 */
#define SMPLB_CHANNEL_TRUSTED	(1U << 0)

/**
 * struct smplb_desc - One entry of the buffer descriptor list.
 * @buffer: Number of the buffer, which is that of the entry.
 * @offset: Octets from the start of the buffer to the frame.
 * @len: Octets of the frame, from the destination MAC address on, without FCS.
 * @owner: An &enum smplb_owner.
 * @flags: SMPLB_DESC_REFUSED, or 0.
 * @port: Number of the port that the frame came from, or is to leave by.
 * @reserved: 0.
 */
struct smplb_desc {
	__u32 buffer;
	__u16 offset;
	__u16 len;
	__u16 owner;
	__u16 flags;
	__u16 port;
	__u16 reserved;
};

/**
 * enum smplb_owner - Whose a buffer is.
 * @SMPLB_OWNER_NIC: The NICs', that is, the kernel's.
 * @SMPLB_OWNER_APPLICATION: The application's.
 */
enum smplb_owner {
	SMPLB_OWNER_NIC = 0,
	SMPLB_OWNER_APPLICATION = 1,
};

/* On completion: the frame was not sent, as its entry was wrong. */
#define SMPLB_DESC_REFUSED	(1U << 0)

/*
 * The rings lie one behind the other: fill, receive, transmit, completion. Each
 * is the counter of its producer, that of its consumer, both of which only grow
 * and wrap, and smplb_channel_open.ring_size numbers of buffers. Offsets are in
 * octets from the start of the ring.
 */
#define SMPLB_RING_PRODUCER	0
#define SMPLB_RING_CONSUMER	128
#define SMPLB_RING_ELEMENTS	256
#define SMPLB_RING_FILL		0
#define SMPLB_RING_RECEIVE	1
#define SMPLB_RING_TRANSMIT	2
#define SMPLB_RING_COMPLETION	3

/*
 * Doorbells: the word at 0 has a bit for each of the 64 words behind it, those a
 * bit for each channel of the engine. First the channel's bit is set, then that
 * of its word.
 */
#define SMPLB_BELL_TOP		0
#define SMPLB_BELL_WORDS	8

/**
 * struct smplb_channel_state - What the engine says; read only.
 * @asleep: Not 0 while the engine sleeps, or is about to: who rings then has to
 *	use SMPLB_CHANNEL_KICK.
 * @cpu: Its CPU.
 */
struct smplb_channel_state {
	__u32 asleep;
	__u32 cpu;
};

/**
 * struct smplb_channel_map - What mmap() takes.
 * @offset: The offset.
 * @len: Octets.
 */
struct smplb_channel_map {
	__aligned_u64 offset;
	__aligned_u64 len;
};

/**
 * struct smplb_channel_open - What a channel is to be, and what it is.
 * @version: SMPLB_CHANNEL_VERSION.
 * @flags: SMPLB_CHANNEL_TRUSTED, or 0.
 * @ring_size: Elements of each ring: a power of two, 32 to 32768.
 * @buffers: Buffers: 1 to @ring_size.
 * @cpu: The CPU of the engine that is to serve the channel, which is started if
 *	there is none, or SMPLB_CHANNEL_ANY_CPU. Told: which one it is.
 * @bell: Told: the bit of its doorbell.
 * @buffer_size: Told: octets of a buffer.
 * @headroom: Told: the least offset of a frame.
 * @longest: Told: octets of the longest frame.
 * @reserved: 0.
 * @rings: Told: the rings, to read and write.
 * @list: Told: the list of &struct smplb_desc, to read and write: one for each
 *	buffer of @memory.
 * @bells: Told: the doorbells, to read and write.
 * @state: Told: &struct smplb_channel_state, to read.
 * @memory: Told: the buffers, to read and write.
 */
struct smplb_channel_open {
	__u32 version;
	__u32 flags;
	__u32 ring_size;
	__u32 buffers;
	__u32 cpu;
	__u32 bell;
	__u32 buffer_size;
	__u32 headroom;
	__u32 longest;
	__u32 reserved;
	struct smplb_channel_map rings;
	struct smplb_channel_map list;
	struct smplb_channel_map bells;
	struct smplb_channel_map state;
	struct smplb_channel_map memory;
};

/**
 * enum smplb_want - Kinds of traffic. Of two that a packet fits, the one that
 *	comes first here is taken.
 * @SMPLB_WANT_PORT: All that a port receives.
 * @SMPLB_WANT_LOCAL: TCP or UDP to an address and port, whole packets.
 *	Those of connections that the switch has given to a backend, too.
 * @SMPLB_WANT_ADDRESS: IPv4 to an address. Connections that the switch has
 *	given to a backend stay there.
 * @SMPLB_WANT_ETHERTYPE: Frames of a type that a port receives.
 */
enum smplb_want {
	SMPLB_WANT_PORT = 1,
	SMPLB_WANT_LOCAL = 2,
	SMPLB_WANT_ADDRESS = 3,
	SMPLB_WANT_ETHERTYPE = 4,
};

/**
 * struct smplb_channel_want - Traffic that an application wants.
 * @kind: An &enum smplb_want. What is not of that kind is 0.
 * @ifindex: The pseudo interface of the port.
 * @addr: Destination address.
 * @port: Destination port.
 * @ethertype: Type.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @reserved: 0.
 */
struct smplb_channel_want {
	__u32 kind;
	__u32 ifindex;
	__be32 addr;
	__be16 port;
	__be16 ethertype;
	__u8 protocol;
	__u8 reserved[7];
};

/**
 * struct smplb_channel_port - A port of the switch.
 * @ifindex: Asked: its pseudo interface.
 * @mtu: Told: its MTU.
 * @port: Told: its number in descriptors.
 * @mac: Told: its MAC address.
 */
struct smplb_channel_port {
	__u32 ifindex;
	__u32 mtu;
	__u16 port;
	__u8 mac[6];
};

/* For smplb_channel_pair.flags: packed virtqueues, or split ones, */
#define SMPLB_PAIR_PACKED	(1U << 0)
/* and VIRTIO_F_EVENT_IDX. */
#define SMPLB_PAIR_EVENT_IDX	(1U << 1)

/**
 * struct smplb_channel_queue - A queue of a NIC that an application has.
 * @ring: Told: the memory of its ring, to read and write. The descriptors come
 *	first.
 * @bell: Told: the page of its doorbell, to write.
 * @driver: Told: where in @ring the part is that the driver writes,
 * @device: Told: and that which the device writes. The application is the driver.
 * @bell_offset: Told: where in @bell the 16 bits of the doorbell are.
 * @size: Told: descriptors.
 * @bell_value: Told: what rings it.
 */
struct smplb_channel_queue {
	struct smplb_channel_map ring;
	struct smplb_channel_map bell;
	__u32 driver;
	__u32 device;
	__u32 bell_offset;
	__u16 size;
	__u16 bell_value;
};

/**
 * struct smplb_channel_pair - A queue pair of a NIC that an application is to have
 *	for itself.
 * @ifindex: Asked: the pseudo interface of the port.
 * @pair: Asked: the number of the pair.
 * @port: Told: the number of the port in descriptors.
 * @flags: 0. Told: SMPLB_PAIR_PACKED, SMPLB_PAIR_EVENT_IDX.
 * @chunk: Told: buffers of a chunk.
 * @chunks: Told: for each chunk of the buffers 64 bits, to read: the address that
 *	its first octet has for the NIC. The others are behind it.
 * @rx: Told: the queue of received frames,
 * @tx: Told: and that of those to be sent.
 */
struct smplb_channel_pair {
	__u32 ifindex;
	__u16 pair;
	__u16 port;
	__u32 flags;
	__u32 chunk;
	struct smplb_channel_map chunks;
	struct smplb_channel_queue rx;
	struct smplb_channel_queue tx;
};

/**
 * struct smplb_channel_stats - What the kernel has counted of a channel.
 * @rx_packets: Frames put on the receive ring,
 * @rx_bytes: and their octets.
 * @rx_dropped: Frames for which there was no buffer or no room.
 * @tx_packets: Frames sent,
 * @tx_bytes: and their octets.
 * @bad: What the application has been wrong about, by &enum smplb_bad.
 */
struct smplb_channel_stats {
	__aligned_u64 rx_packets;
	__aligned_u64 rx_bytes;
	__aligned_u64 rx_dropped;
	__aligned_u64 tx_packets;
	__aligned_u64 tx_bytes;
	__aligned_u64 bad[7];
};

/**
 * enum smplb_bad - What an application can be wrong about. One that is wrong
 *	more than 1024 times in a second, or breaks a ring, loses its channel.
 * @SMPLB_BAD_BUFFER: There is no buffer of that number.
 * @SMPLB_BAD_OWNER: The application does not own it, or has put it on two rings.
 * @SMPLB_BAD_ENTRY: The entry says that the application still owns the buffer,
 *	or is of another one.
 * @SMPLB_BAD_OFFSET: The frame is not inside of the buffer.
 * @SMPLB_BAD_LENGTH: The frame is shorter than an Ethernet header, or too long.
 * @SMPLB_BAD_FLAGS: Flags or reserved octets are not 0.
 * @SMPLB_BAD_PORT: There is no such port.
 */
enum smplb_bad {
	SMPLB_BAD_BUFFER = 0,
	SMPLB_BAD_OWNER = 1,
	SMPLB_BAD_ENTRY = 2,
	SMPLB_BAD_OFFSET = 3,
	SMPLB_BAD_LENGTH = 4,
	SMPLB_BAD_FLAGS = 5,
	SMPLB_BAD_PORT = 6,
};

#define SMPLB_CHANNEL_MAGIC	0xbb
/*
 * Makes the channel of an open file. EALREADY: it has one. EPROTO: another
 * version. EINVAL: sizes or flags. ENODEV: the network namespace has no port, or
 * no engine can run on that CPU. ENOSPC: there are too many channels. With
 * SMPLB_CHANNEL_TRUSTED: EACCES: the caller is not. ENXIO: there is no port
 * with a driver of the switch. ENOBUFS: the switch has not that many buffers.
 */
#define SMPLB_CHANNEL_OPEN	_IOWR(SMPLB_CHANNEL_MAGIC, 0, struct smplb_channel_open)
/*
 * Asks for traffic. EINVAL: no such kind, or a field is not 0 that has to be.
 * ENODEV: no port has that pseudo interface. EEXIST: another channel has it.
 * ENOSPC: the channel wants too much. ESHUTDOWN: it is closed.
 */
#define SMPLB_CHANNEL_WANT	_IOW(SMPLB_CHANNEL_MAGIC, 1, struct smplb_channel_want)
/* Does so no more. ENOENT: it never did. */
#define SMPLB_CHANNEL_UNWANT	_IOW(SMPLB_CHANNEL_MAGIC, 2, struct smplb_channel_want)
/* Rings, and wakes the engine. */
#define SMPLB_CHANNEL_KICK	_IO(SMPLB_CHANNEL_MAGIC, 3)
#define SMPLB_CHANNEL_PORT	_IOWR(SMPLB_CHANNEL_MAGIC, 4, struct smplb_channel_port)
#define SMPLB_CHANNEL_STATS	_IOR(SMPLB_CHANNEL_MAGIC, 5, struct smplb_channel_stats)
/*
 * Has a queue pair, once: see Documentation/abi/channel.md for what that means. EPERM:
 * the module's parameter raw_pairs is not set, or the caller has no CAP_SYS_RAWIO.
 * EACCES: the channel has buffers of its own. ENODEV: no port has that pseudo
 * interface. EOPNOTSUPP: the port's driver cannot. EINVAL: the port has no such pair,
 * or flags. EBUSY: an application has one of this NIC. EALREADY: this one had one.
 * EAGAIN: the NIC does not work now. EIO: it did not start again.
 */
#define SMPLB_CHANNEL_PAIR	_IOWR(SMPLB_CHANNEL_MAGIC, 6, struct smplb_channel_pair)

#endif /* _UAPI_LINUX_SMPLB_CHANNEL_H */
