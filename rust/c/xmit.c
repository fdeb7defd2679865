// SPDX-License-Identifier: GPL-2.0
/* Bursts of packets to a NIC, single packets to the stack. */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <net/arp.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/neighbour.h>

#include "smplb.h"

/*
 * One frame to @txq, unless that takes no more; whether the device took it. It is
 * consumed. With @more, others follow before the device has to look.
 */
static bool smplb_xmit(struct sk_buff *skb, struct netdev_queue *txq, bool more,
		       bool *open)
{
	if (likely(*open) &&
	    dev_xmit_complete(netdev_start_xmit(skb, skb->dev, txq, more))) {
		*open = !netif_xmit_frozen_or_drv_stopped(txq);
		return true;
	}
	*open = false;
	kfree_skb(skb);
	return false;
}

/*
 * Put @n frames on transmit queue @queue (modulo their number) of @lower, one
 * lock and one doorbell for all. skb->data is at the Ethernet header. All are
 * consumed; returns how many the device took. Called with BH disabled.
 */
unsigned int smplb_c_xmit_burst(struct net_device *lower, struct sk_buff **skbs,
				unsigned int n, unsigned int queue)
{
	unsigned int index = queue % lower->real_num_tx_queues;
	struct netdev_queue *txq = netdev_get_tx_queue(lower, index);
	int cpu = smp_processor_id();
	/* The frame before: which one is the last is known after the loop only. */
	struct sk_buff *skb, *next, *held = NULL;
	bool again = false, whole = false;
	unsigned int i, sent = 0;
	bool open;

	if (unlikely(!netif_running(lower) || !netif_carrier_ok(lower))) {
		for (i = 0; i < n; i++)
			kfree_skb(skbs[i]);
		return 0;
	}

	HARD_TX_LOCK(lower, txq, cpu);
	open = !netif_xmit_frozen_or_drv_stopped(txq);
	for (i = 0; i < n; i++) {
		skb = skbs[i];
		skb->dev = lower;
		skb_set_queue_mapping(skb, index);
		/* Segments, checksums, VLAN tags that the NIC cannot do. */
		if (skb_is_gso(skb) || skb->ip_summed == CHECKSUM_PARTIAL ||
		    skb_is_nonlinear(skb) || skb_vlan_tag_present(skb))
			skb = validate_xmit_skb_list(skb, lower, &again);
		for (; skb; skb = next) {
			next = skb->next;
			skb_mark_not_on_list(skb);
			if (held && smplb_xmit(held, txq, true, &open) && whole)
				sent++;
			held = skb;
			/* With the last of its segments a packet is sent. */
			whole = !next;
		}
	}
	if (held && smplb_xmit(held, txq, false, &open) && whole)
		sent++;
	HARD_TX_UNLOCK(lower, txq);
	return sent;
}

/* One frame up to the host as if it had come in at the pseudo interface. */
void smplb_c_stack_receive(struct net_device *pseudo, struct sk_buff *skb)
{
	skb->dev = pseudo;
	dev_sw_netstats_rx_add(pseudo, skb->len + ETH_HLEN);
	netif_receive_skb(skb);
}

/*
 * Send an IPv4 packet to neighbour @addr on the pseudo interface: the kernel
 * resolves the address, holds the packet meanwhile, builds the Ethernet header
 * and sends through the pseudo interface. skb->data is at the IP header.
 */
void smplb_c_resolve(struct net_device *pseudo, __be32 addr,
		     struct sk_buff *skb)
{
	skb->dev = pseudo;
	skb->protocol = htons(ETH_P_IP);
	skb_reset_network_header(skb);
	skb_dst_drop(skb);
	/* Room for the header again, also when the lower device wants more. */
	if (skb_cow_head(skb, LL_RESERVED_SPACE(pseudo))) {
		kfree_skb(skb);
		return;
	}
	local_bh_disable();
	neigh_xmit(NEIGH_ARP_TABLE, pseudo, &addr, skb);
	local_bh_enable();
}

/*
 * The frames that a packet is on the wire, as a list: large ones cut, checksums
 * finished, each in one piece. NULL when there is no memory; the packet is
 * consumed. skb->data at the Ethernet header.
 */
struct sk_buff *smplb_c_skb_plain(struct sk_buff *skb)
{
	struct sk_buff *next, *list = skb;

	skb_reset_mac_header(skb);
	if (skb_is_gso(skb)) {
		list = skb_gso_segment(skb, 0);
		if (IS_ERR(list)) {
			kfree_skb(skb);
			return NULL;
		}
		if (list)
			consume_skb(skb);
		else
			list = skb;
	}
	for (skb = list; skb; skb = next) {
		next = skb->next;
		if (skb_linearize(skb) ||
		    (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb))) {
			kfree_skb_list(list);
			return NULL;
		}
	}
	return list;
}

/* Send a frame as the host would. skb->data at the Ethernet header. */
void smplb_c_host_send(struct net_device *pseudo, struct sk_buff *skb)
{
	skb->dev = pseudo;
	dev_queue_xmit(skb);
}

struct net *smplb_c_init_net(void)
{
	return &init_net;
}

/* A new frame of the switch's own making; skb->data at the Ethernet header. */
struct sk_buff *smplb_c_frame_alloc(const void *frame, unsigned int len)
{
	unsigned int room = max_t(unsigned int, len, ETH_ZLEN);
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + room,
				GFP_ATOMIC | __GFP_NOWARN);

	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_put_data(skb, frame, len);
	skb_put_zero(skb, room - len);
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth_hdr(skb)->h_proto;
	return skb;
}

/*
 * Shorten a frame to @len octets and make it a plain one: linear head, no
 * segmentation, checksum complete. For answers built in place. The packet is
 * freed when that fails.
 */
int smplb_c_frame_trim(struct sk_buff *skb, unsigned int len)
{
	int err = pskb_trim(skb, len);

	if (err) {
		kfree_skb(skb);
		return err;
	}
	skb_gso_reset(skb);
	skb->ip_summed = CHECKSUM_NONE;
	return skb_put_padto(skb, ETH_ZLEN);
}

/* Make the first @len octets from skb->data linear and ours to write. */
int smplb_c_skb_prepare(struct sk_buff *skb, unsigned int len)
{
	int err = skb_ensure_writable(skb, min(len, skb->len));

	/* Others that shared it have gone meanwhile: it is no clone any more. */
	if (!skb_cloned(skb))
		skb->cloned = 0;
	return err;
}
