// SPDX-License-Identifier: MIT OR Apache-2.0
/* A UDP responder on a channel, in C: echo ADDRESS PORT. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smplb_ring.h"

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	uint8_t old[6];

	memcpy(old, a, len);
	memcpy(a, b, len);
	memcpy(b, old, len);
}

/* Exchanges source and destination. Neither checksum changes by that. */
static void turn(struct smplb_frame *frame)
{
	uint8_t *ether = frame->data, *ip = ether + 14, *udp;

	if (frame->len < 42)
		return;
	udp = ip + (ip[0] & 15) * 4;
	if (udp + 8 > ether + frame->len)
		return;
	swap(ether, ether + 6, 6);
	swap(ip + 12, ip + 16, 4);
	swap(udp, udp + 2, 2);
}

int main(int argc, char **argv)
{
	struct smplb_ring_options options = {};
	struct smplb_frame frames[64];
	struct smplb_ring *ring;
	char error[256];
	size_t n, i, sent;

	if (argc != 3) {
		fprintf(stderr, "echo ADDRESS PORT\n");
		return 2;
	}
	ring = smplb_ring_open(&options, error, sizeof(error));
	if (!ring || smplb_ring_want_local(ring, 17, inet_addr(argv[1]),
					   (uint16_t)atoi(argv[2]), error,
					   sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	printf("answering by the engine of CPU %u\n", smplb_ring_cpu(ring));
	fflush(stdout);
	for (;;) {
		struct pollfd ready = { .fd = smplb_ring_fd(ring), .events = POLLIN };

		n = smplb_ring_receive(ring, frames, 64);
		for (i = 0; i < n; i++)
			turn(&frames[i]);
		sent = smplb_ring_send(ring, frames, n);
		smplb_ring_free(frames + sent, n - sent);
		if (!n && poll(&ready, 1, -1) == 1 && ready.revents & POLLHUP)
			return 1;
	}
}
