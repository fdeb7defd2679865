// SPDX-License-Identifier: GPL-2.0
/*
 * The pseudo net device of a NIC that the module drives itself (seed figures 7
 * and 8): there is no other net device under it. Frames are copied between the
 * host's packets and buffers of the pool by who sends, and by a NAPI thread; an
 * engine makes no packet of the host's kind.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>

#include "smplb.h"

static int smplb_native_poll(struct napi_struct *napi, int budget)
{
	struct smplb_dev *sd = container_of(napi, struct smplb_dev, napi);
	int done = smplb_rs_native_stack_poll(sd->port, napi, budget);

	/* As smplb_napi_poll(): the engine schedules after what it has put there. */
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

/*
 * One frame up to the host, copied out of a buffer, from the queue pair @queue.
 * Its transport checksum is complete if @csum_start is 0; else it is that of the
 * pseudo header, to be finished from there on, and at @csum_offset behind it. In
 * the NAPI poll.
 */
int smplb_c_native_receive(struct napi_struct *napi, u32 queue,
			   const void *frame, unsigned int len,
			   u16 csum_start, u16 csum_offset)
{
	struct net_device *dev = napi->dev;
	struct sk_buff *skb = napi_alloc_skb(napi, len);

	if (!skb)
		return -ENOMEM;
	skb_put_data(skb, frame, len);
	if (csum_start && !skb_partial_csum_set(skb, csum_start, csum_offset)) {
		kfree_skb(skb);
		return -EINVAL;
	}
	skb->protocol = eth_type_trans(skb, dev);
	if (dev->real_num_rx_queues > 1)
		skb_record_rx_queue(skb, queue);
	dev_sw_netstats_rx_add(dev, len);
	napi_gro_receive(napi, skb);
	return 0;
}

/*
 * One packet to neighbour @addr on the pseudo interface @ifindex, copied out of
 * a buffer: the kernel resolves the address and sends. In the NAPI poll.
 */
int smplb_c_native_resolve(struct napi_struct *napi, const void *packet,
			   unsigned int len, __be32 addr, u32 ifindex)
{
	struct net_device *dev;
	struct sk_buff *skb;
	int err = -ENODEV;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(dev_net(napi->dev), ifindex);
	if (!dev || !smplb_c_is_pseudo(dev))
		goto out;
	err = -ENOMEM;
	skb = alloc_skb(LL_RESERVED_SPACE(dev) + len, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		goto out;
	skb_reserve(skb, LL_RESERVED_SPACE(dev));
	skb_put_data(skb, packet, len);
	smplb_c_resolve(dev, addr, skb);
	err = 0;
out:
	rcu_read_unlock();
	return err;
}

static int smplb_native_open(struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);

	/* Frames from when it was last up are old by now. */
	smplb_rs_stack_drop(sd->port);
	smplb_c_napi_enable(&sd->napi);
	netif_tx_start_all_queues(dev);
	return 0;
}

static int smplb_native_stop(struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);

	netif_tx_disable(dev);
	napi_disable(&sd->napi);
	return 0;
}

static netdev_tx_t smplb_native_start_xmit(struct sk_buff *skb,
					   struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);
	/* Who bypasses the qdisc may come when the interface is down already. */
	void *port = READ_ONCE(sd->port);
	/* The stack keeps the packets of a flow on one queue, in order. */
	u16 queue = skb_get_queue_mapping(skb);
	unsigned int len;

	if (unlikely(!port)) {
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}

	/* Neither fragments nor checksums to be done: no such feature is set. */
	if (eth_skb_pad(skb))
		return NETDEV_TX_OK;
	len = skb->len;
	if (unlikely(!smplb_rs_native_host_tx(port, queue, skb->data, len))) {
		/* As smplb_start_xmit(): stop, then look again. */
		netif_stop_subqueue(dev, queue);
		smp_mb__after_atomic();
		if (smplb_rs_native_host_room(port, queue))
			netif_start_subqueue(dev, queue);
		return NETDEV_TX_BUSY;
	}
	dev_sw_netstats_tx_add(dev, 1, len);
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

static int smplb_native_change_mtu(struct net_device *dev, int new_mtu)
{
	WRITE_ONCE(dev->mtu, new_mtu);
	return 0;
}

/*
 * Groups are all received. Whether frames for other stations are, too, is asked
 * for by whoever looks after the NIC: telling the NIC may take a while.
 */
static void smplb_native_set_rx_mode(struct net_device *dev)
{
}

bool smplb_c_native_promisc(const struct net_device *dev)
{
	return READ_ONCE(dev->flags) & IFF_PROMISC || !netdev_uc_empty(dev);
}

static const struct net_device_ops smplb_native_ops = {
	.ndo_open		= smplb_native_open,
	.ndo_stop		= smplb_native_stop,
	.ndo_start_xmit		= smplb_native_start_xmit,
	.ndo_set_rx_mode	= smplb_native_set_rx_mode,
	.ndo_change_mtu		= smplb_native_change_mtu,
	.ndo_get_stats64	= smplb_c_get_stats64,
	.ndo_validate_addr	= eth_validate_addr,
};

bool smplb_c_is_native(const struct net_device *dev)
{
	return dev->netdev_ops == &smplb_native_ops;
}

static void smplb_native_get_drvinfo(struct net_device *dev,
				     struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "smplb", sizeof(info->driver));
	strscpy(info->version, SMPLB_VERSION, sizeof(info->version));
	strscpy(info->bus_info, dev_name(dev->dev.parent), sizeof(info->bus_info));
}

static const struct ethtool_ops smplb_native_ethtool_ops = {
	.get_drvinfo		= smplb_native_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_sset_count		= smplb_c_get_sset_count,
	.get_strings		= smplb_c_get_strings,
	.get_ethtool_stats	= smplb_c_get_ethtool_stats,
};

static void smplb_native_setup(struct net_device *dev)
{
	smplb_c_setup(dev);
	dev->netdev_ops = &smplb_native_ops;
	dev->ethtool_ops = &smplb_native_ethtool_ops;
	dev->min_mtu = ETH_MIN_MTU;
}

/*
 * A pseudo interface for the NIC @parent with as many queues as that has pairs,
 * not yet registered; NULL without memory.
 */
struct net_device *smplb_c_native_alloc(struct device *parent, const u8 *mac,
					unsigned int mtu, unsigned int max_mtu,
					unsigned int queues)
{
	/* Not to be renamed after the PCI slot by udev, as NET_NAME_ENUM would. */
	struct net_device *dev = alloc_netdev_mq(sizeof(struct smplb_dev),
						 "smplb%d", NET_NAME_PREDICTABLE,
						 smplb_native_setup, queues);
	struct smplb_dev *sd;

	if (!dev)
		return NULL;
	SET_NETDEV_DEV(dev, parent);
	eth_hw_addr_set(dev, mac);
	dev->mtu = mtu;
	dev->max_mtu = max_mtu;
	sd = netdev_priv(dev);
	sd->dev = dev;
	netif_napi_add(dev, &sd->napi, smplb_native_poll);
	netif_carrier_off(dev);
	return dev;
}

void smplb_c_native_free(struct net_device *dev)
{
	free_netdev(dev);
}

/* Under RTNL. On failure @port is the caller's again. */
int smplb_c_native_register(struct net_device *dev, void *port)
{
	struct smplb_dev *sd = netdev_priv(dev);
	int err;

	sd->port = port;
	sd->linked = true;
	err = register_netdevice(dev);
	if (err)
		goto err_port;
	/* Up to the stack in a thread of its own, which no isolated CPU runs. */
	err = dev_set_threaded(dev, NETDEV_NAPI_THREADED_ENABLED);
	if (err)
		goto err_unregister;
	return 0;

err_unregister:
	unregister_netdevice(dev);
err_port:
	sd->linked = false;
	WRITE_ONCE(sd->port, NULL);
	return err;
}

/*
 * No transmit, no poll and no reader of statistics after this: the port may go.
 * Under RTNL.
 */
void smplb_c_native_quiesce(struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);

	dev_close(dev);
	sd->linked = false;
	smplb_c_take_port(sd);
}

/* Under RTNL. */
void smplb_c_native_unregister(struct net_device *dev)
{
	unregister_netdevice(dev);
}

/* What the NIC behind @dev does: 1 is good news, less than 0 an error number. */
void smplb_c_native_tell(struct net_device *dev, const char *what, int code)
{
	if (!net_ratelimit())
		return;
	if (code > 0)
		netdev_info(dev, "the NIC %s\n", what);
	else if (code < 0)
		netdev_err(dev, "the NIC %s (%pe)\n", what, ERR_PTR(code));
	else
		netdev_err(dev, "the NIC %s and is reset\n", what);
}

/* The NIC's link came or went. In any context. */
void smplb_c_native_carrier(struct net_device *dev, bool up)
{
	if (up)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}
