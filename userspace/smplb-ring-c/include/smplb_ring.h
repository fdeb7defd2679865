/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Channels of the smplb packet switch for C: send and receive Ethernet frames by
 * memory that is shared with an engine. What a channel is and does:
 * Documentation/abi/channel.md.
 *
 * Link with libsmplb_ring_c.a -lpthread -ldl -lm. A ring and its frames are used by
 * one thread at a time.
 */
#ifndef SMPLB_RING_H
#define SMPLB_RING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A channel, opened. */
struct smplb_ring;

/** What a channel is to be; all zero for what is usual. */
struct smplb_ring_options {
	uint32_t ring_size;	/**< elements of each ring: a power of two, 32 to 32768 */
	uint32_t buffers;	/**< no more than elements of a ring */
	uint32_t receive;	/**< buffers that wait for frames to be received */
	uint32_t has_cpu;	/**< not 0: cpu says which engine is to serve it */
	uint32_t cpu;
	uint32_t trusted;	/**< not 0: share the buffers of the switch, without copies */
};

/** A port of the switch. */
struct smplb_ring_port {
	uint32_t ifindex;	/**< of its pseudo interface */
	uint32_t mtu;
	uint16_t number;	/**< in frames */
	uint8_t mac[6];
};

/**
 * A frame in a buffer of the application. It is passed on by sending or freeing it,
 * once; afterwards nothing of it is used.
 */
struct smplb_frame {
	uint8_t *data;		/**< from the destination MAC address on, without FCS */
	uint32_t len;		/**< may be made less, or more up to room */
	uint32_t room;		/**< octets that there are at data */
	uint16_t port;		/**< that it came from, or is to leave by */
	uint16_t reserved[3];
	uint64_t opaque[3];	/**< not to be touched */
};

/**
 * Opens a channel of this network namespace's switch; NULL with a reason and what
 * to do in error, which has room for size octets.
 */
struct smplb_ring *smplb_ring_open(const struct smplb_ring_options *options,
				   char *error, size_t size);

/** Ends a channel. Frames that are not freed keep what is shared in memory. */
void smplb_ring_close(struct smplb_ring *ring);

/** For poll(2): readable when a frame has come, hung up when it is closed. */
int smplb_ring_fd(const struct smplb_ring *ring);

/** The CPU of the engine. */
uint32_t smplb_ring_cpu(const struct smplb_ring *ring);

/** A port by the name of its pseudo interface; 0, or -1 with a reason. */
int smplb_ring_find_port(const struct smplb_ring *ring, const char *name,
			 struct smplb_ring_port *port, char *error, size_t size);

/**
 * Asks for TCP (6) or UDP (17) to an address, in network byte order, and a port, in
 * that of the machine; 0, or -1 with a reason.
 */
int smplb_ring_want_local(struct smplb_ring *ring, uint8_t protocol,
			  uint32_t addr, uint16_t port, char *error, size_t size);

/** Asks for all of IPv4 to an address in network byte order. */
int smplb_ring_want_address(struct smplb_ring *ring, uint32_t addr, char *error,
			    size_t size);

/** Asks for all that a port receives. */
int smplb_ring_want_port(struct smplb_ring *ring,
			 const struct smplb_ring_port *port, char *error,
			 size_t size);

/** Asks for frames of a type, in the byte order of the machine, of a port. */
int smplb_ring_want_ethertype(struct smplb_ring *ring,
			      const struct smplb_ring_port *port,
			      uint16_t ethertype, char *error, size_t size);

/** Takes up to count frames that have come; how many. */
size_t smplb_ring_receive(struct smplb_ring *ring, struct smplb_frame *frames,
			  size_t count);

/** A free buffer for a frame of len octets: 0, or -1 if there is none. */
int smplb_ring_alloc(struct smplb_ring *ring, uint32_t len,
		     struct smplb_frame *frame);

/**
 * Sends frames, as many as there is room for, and returns how many: the others are
 * at the end of frames. One whose len is more than its room is freed instead.
 */
size_t smplb_ring_send(struct smplb_ring *ring, struct smplb_frame *frames,
		       size_t count);

/** Frees frames. */
void smplb_ring_free(struct smplb_frame *frames, size_t count);

#ifdef __cplusplus
}
#endif

#endif /* SMPLB_RING_H */
