/* SPDX-License-Identifier: GPL-2.0 */
/* What all responders do to a frame, and how they fail. */
#ifndef TURN_H
#define TURN_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames that are taken at a time. */
#define BURST 64

static inline void swap_octets(unsigned char *a, unsigned char *b, unsigned int len)
{
	unsigned char kept[ETH_ALEN];

	memcpy(kept, a, len);
	memcpy(a, b, len);
	memcpy(b, kept, len);
}

/*
 * Exchanges source and destination of a UDP packet; neither checksum changes by
 * that. Whether it is one.
 */
static inline int turn(unsigned char *frame, unsigned int len)
{
	struct ethhdr *eth = (void *)frame;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);

	if (len < sizeof(*eth) + sizeof(*ip) + sizeof(*udp) || eth->h_proto != htons(ETH_P_IP) ||
	    ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return 0;
	swap_octets(eth->h_dest, eth->h_source, ETH_ALEN);
	swap_octets((void *)&ip->saddr, (void *)&ip->daddr, sizeof(ip->saddr));
	swap_octets((void *)&udp->source, (void *)&udp->dest, sizeof(udp->source));
	return 1;
}

/* The result of a system call, which must not fail. */
static inline long must(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

#endif
