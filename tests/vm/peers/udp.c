// SPDX-License-Identifier: GPL-2.0
/*
 * A responder by a UDP socket: udp PORT BURST. With a BURST of 1 a packet is two
 * system calls, otherwise as many packets as there are, up to BURST, are.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "turn.h"

#define LONGEST 2048

static unsigned char octets[BURST][LONGEST];
static struct sockaddr_in peers[BURST];
static struct iovec places[BURST];
static struct mmsghdr messages[BURST];

static void one(int fd)
{
	socklen_t size = sizeof(peers[0]);
	long len = must(recvfrom(fd, octets[0], LONGEST, 0, (void *)&peers[0], &size), "recvfrom");

	must(sendto(fd, octets[0], len, 0, (void *)&peers[0], size), "sendto");
}

static void burst(int fd, unsigned int most)
{
	unsigned int n, done;
	long count;

	for (n = 0; n < most; n++) {
		places[n] = (struct iovec){ octets[n], LONGEST };
		messages[n].msg_hdr = (struct msghdr){
			.msg_name = &peers[n],
			.msg_namelen = sizeof(peers[n]),
			.msg_iov = &places[n],
			.msg_iovlen = 1,
		};
	}
	count = must(recvmmsg(fd, messages, most, MSG_WAITFORONE, NULL), "recvmmsg");
	for (n = 0; n < count; n++)
		places[n].iov_len = messages[n].msg_len;
	for (done = 0; done < count;)
		done += must(sendmmsg(fd, messages + done, count - done, 0), "sendmmsg");
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket"), buffer = 8 << 20;
	unsigned int most;

	if (argc != 3 || (most = atoi(argv[2])) < 1 || most > BURST)
		return 2;
	at.sin_port = htons(atoi(argv[1]));
	must(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)), "SO_RCVBUFFORCE");
	must(setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)), "SO_SNDBUFFORCE");
	must(bind(fd, (void *)&at, sizeof(at)), "bind");
	puts("answering");
	fflush(stdout);
	for (;;) {
		if (most == 1)
			one(fd);
		else
			burst(fd, most);
	}
}
