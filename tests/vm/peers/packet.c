// SPDX-License-Identifier: GPL-2.0
/*
 * A responder by AF_PACKET with mapped rings (TPACKET_V2), past the queueing
 * discipline: packet INTERFACE sleep|look.
 */
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "turn.h"

#define FRAMES 4096
#define FRAME 2048
#define BLOCK (1 << 16)
#define SIZE ((size_t)FRAMES * FRAME)
/* Where the kernel looks for the frame in a slot of the transmit ring. */
#define TX_OFFSET (TPACKET2_HDRLEN - sizeof(struct sockaddr_ll))

static struct tpacket2_hdr *slot(unsigned char *ring, unsigned int n)
{
	return (void *)(ring + (size_t)(n % FRAMES) * FRAME);
}

static unsigned int status(struct tpacket2_hdr *header)
{
	return __atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE);
}

int main(int argc, char **argv)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	struct tpacket_req ring = { BLOCK, SIZE / BLOCK, FRAME, FRAMES };
	int fd = must(socket(AF_PACKET, SOCK_RAW, 0), "socket");
	int version = TPACKET_V2, yes = 1, sleeps;
	unsigned int in = 0, out = 0;
	unsigned char *rx, *tx;

	if (argc != 3)
		return 2;
	sleeps = !strcmp(argv[2], "sleep");
	must(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), "PACKET_VERSION");
	must(setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)), "PACKET_QDISC_BYPASS");
	must(setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)), "PACKET_RX_RING");
	must(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &ring, sizeof(ring)), "PACKET_TX_RING");
	rx = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	must(rx == MAP_FAILED ? -1 : 0, "mmap");
	tx = rx + SIZE;
	at.sll_ifindex = if_nametoindex(argv[1]);
	must(bind(fd, (void *)&at, sizeof(at)), "bind");
	puts("answering");
	fflush(stdout);
	for (;;) {
		unsigned int n, sent = 0;

		for (n = 0; n < BURST && status(slot(rx, in)) & TP_STATUS_USER; n++, in++) {
			struct tpacket2_hdr *from = slot(rx, in), *to = slot(tx, out);

			if (status(to) == TP_STATUS_AVAILABLE &&
			    turn((void *)from + from->tp_mac, from->tp_snaplen)) {
				memcpy((void *)to + TX_OFFSET, (void *)from + from->tp_mac, from->tp_snaplen);
				to->tp_len = from->tp_snaplen;
				__atomic_store_n(&to->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
				out++;
				sent++;
			}
			__atomic_store_n(&from->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		}
		if (sent)
			send(fd, NULL, 0, MSG_DONTWAIT);
		if (!n && sleeps)
			poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
	}
}
