// SPDX-License-Identifier: GPL-2.0
/*
 * The pseudo net device (seed figures 7 and 8) as an rtnl link kind:
 * `ip link add link eth1 name smplb0 type smplb` claims eth1, `ip link del`
 * gives it back. Only the kernel's tables of callbacks live here; what they
 * do with packets is Rust.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <net/rtnetlink.h>
#include <uapi/linux/smplb.h>

#include "smplb.h"

#define DRV_NAME "smplb"

/* Offloads that any lower device can be given in software. */
#define SMPLB_FEATURES (NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_FRAGLIST | \
			NETIF_F_HIGHDMA | NETIF_F_GSO_SOFTWARE)

enum {
	IFLA_SMPLB_UNSPEC,
	IFLA_SMPLB_CPU,
	IFLA_SMPLB_DRIVER,
	__IFLA_SMPLB_MAX,
};
#define IFLA_SMPLB_MAX (__IFLA_SMPLB_MAX - 1)

static const struct nla_policy smplb_link_policy[IFLA_SMPLB_MAX + 1] = {
	[IFLA_SMPLB_CPU] = { .type = NLA_U32 },
	[IFLA_SMPLB_DRIVER] = { .type = NLA_NUL_STRING, .len = 15 },
};

static const struct net_device_ops smplb_netdev_ops;
static struct rtnl_link_ops smplb_link_ops;

bool smplb_c_is_pseudo(const struct net_device *dev)
{
	return dev->netdev_ops == &smplb_netdev_ops || smplb_c_is_native(dev);
}

/*
 * The Rust port behind a pseudo interface of @net, by index or else by name.
 * The caller holds RTNL, so that the port stays.
 */
void *smplb_c_port_of(struct net *net, u32 ifindex, const char *name)
{
	struct net_device *dev;

	ASSERT_RTNL();
	dev = ifindex ? __dev_get_by_index(net, ifindex) :
			__dev_get_by_name(net, name);
	if (!dev || !smplb_c_is_pseudo(dev))
		return NULL;
	return ((struct smplb_dev *)netdev_priv(dev))->port;
}

void smplb_c_dev_info(struct net_device *pseudo, struct smplb_dev_info *info)
{
	struct smplb_dev *sd = netdev_priv(pseudo);

	info->ifindex = pseudo->ifindex;
	info->mtu = READ_ONCE(pseudo->mtu);
	info->up = netif_running(pseudo);
	ether_addr_copy(info->mac, pseudo->dev_addr);
	strscpy(info->name, pseudo->name);
	if (sd->lower) {
		info->lower_ifindex = sd->lower->ifindex;
		info->mtu = min(info->mtu, READ_ONCE(sd->lower->mtu));
		info->up = info->up && netif_running(sd->lower) &&
			   netif_carrier_ok(sd->lower);
		strscpy(info->lower_name, sd->lower->name);
	} else {
		/* A NIC that is ours has no name but its place on the bus. */
		info->up = info->up && netif_carrier_ok(pseudo);
		strscpy(info->lower_name, dev_name(pseudo->dev.parent));
	}
}

/*
 * A VLAN tag that was taken off goes back into the frame: what is in a VLAN is
 * not for the switch but for a VLAN device on the pseudo interface. A frame with
 * only a priority (VID 0) is an untagged one.
 */
static struct sk_buff *smplb_put_tag(struct sk_buff *skb)
{
	if (!skb_vlan_tag_get_id(skb)) {
		__vlan_hwaccel_clear_tag(skb);
		return skb;
	}
	skb_push(skb, ETH_HLEN);
	skb = __vlan_hwaccel_push_inside(skb);
	if (skb)
		skb_pull(skb, ETH_HLEN);
	return skb;
}

/* From the NIC: into the ring of the port's engine (figure 5, step 102). */
static rx_handler_result_t smplb_handle_frame(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct smplb_dev *sd;

	if (unlikely(skb->pkt_type == PACKET_LOOPBACK))
		return RX_HANDLER_PASS;
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (unlikely(!skb))
		return RX_HANDLER_CONSUMED;
	sd = rcu_dereference(skb->dev->rx_handler_data);
	if (unlikely(skb_vlan_tag_present(skb))) {
		skb = smplb_put_tag(skb);
		if (!skb)
			return RX_HANDLER_CONSUMED;
	}
	smplb_rs_rx(sd->port, skb);
	return RX_HANDLER_CONSUMED;
}

/* From the host: into the ring to the port's engine (figure 8). */
static netdev_tx_t smplb_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);
	/* Who bypasses the qdisc may come when the interface is down already. */
	void *port = READ_ONCE(sd->port);
	unsigned int len = skb->len;

	if (unlikely(!port)) {
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}
	if (unlikely(!smplb_rs_host_tx(port, skb))) {
		/*
		 * The ring is full: stop, then look again, so that a wake-up
		 * between the two is not lost. The engine wakes the queue.
		 */
		netif_stop_queue(dev);
		smp_mb__after_atomic();
		if (smplb_rs_host_room(port))
			netif_start_queue(dev);
		return NETDEV_TX_BUSY;
	}
	dev_sw_netstats_tx_add(dev, 1, len);
	return NETDEV_TX_OK;
}

void smplb_c_host_wake(struct net_device *pseudo, u32 queue)
{
	/* Pairs with smp_mb__after_atomic() above: ring first, then queue. */
	smp_mb();
	/* Of an interface that is down they stay stopped. */
	if (unlikely(__netif_subqueue_stopped(pseudo, queue)) && netif_running(pseudo))
		netif_wake_subqueue(pseudo, queue);
}

/* To the host: frames the engine put on the ring to the stack. */
static int smplb_napi_poll(struct napi_struct *napi, int budget)
{
	struct smplb_dev *sd = container_of(napi, struct smplb_dev, napi);
	int done = smplb_rs_stack_poll(sd->port, budget);

	/*
	 * napi_complete_done() and then the engine's napi_schedule(): a frame
	 * put on the ring after the last look is announced by the engine,
	 * since it schedules after every burst it puts there.
	 */
	if (done < budget)
		napi_complete_done(napi, done);
	return done;
}

bool smplb_c_running(const struct net_device *pseudo)
{
	return netif_running(pseudo);
}

void smplb_c_stack_kick(struct net_device *pseudo)
{
	struct smplb_dev *sd = netdev_priv(pseudo);

	napi_schedule(&sd->napi);
}

/*
 * Let the NAPI thread run, and look at once: who put frames there when the
 * interface was marked as running, but NAPI not enabled yet, could not call it.
 */
void smplb_c_napi_enable(struct napi_struct *napi)
{
	napi_enable(napi);
	local_bh_disable();
	napi_schedule(napi);
	local_bh_enable();
}

static int smplb_open(struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);
	int err = 0;

	if (!netif_running(sd->lower))
		err = dev_open(sd->lower, NULL);
	if (err)
		return err;
	if (dev->flags & IFF_ALLMULTI) {
		err = dev_set_allmulti(sd->lower, 1);
		if (err)
			return err;
	}
	if (dev->flags & IFF_PROMISC) {
		err = dev_set_promiscuity(sd->lower, 1);
		if (err)
			goto err_allmulti;
	}
	/* Frames from when it was last up are old by now. */
	smplb_rs_stack_drop(sd->port);
	smplb_c_napi_enable(&sd->napi);
	netif_start_queue(dev);
	return 0;

err_allmulti:
	if (dev->flags & IFF_ALLMULTI)
		dev_set_allmulti(sd->lower, -1);
	return err;
}

static int smplb_stop(struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);

	netif_stop_queue(dev);
	napi_disable(&sd->napi);
	dev_uc_unsync(sd->lower, dev);
	dev_mc_unsync(sd->lower, dev);
	if (dev->flags & IFF_ALLMULTI)
		dev_set_allmulti(sd->lower, -1);
	if (dev->flags & IFF_PROMISC)
		dev_set_promiscuity(sd->lower, -1);
	return 0;
}

static void smplb_set_rx_mode(struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);

	dev_uc_sync(sd->lower, dev);
	dev_mc_sync(sd->lower, dev);
}

static void smplb_change_rx_flags(struct net_device *dev, int change)
{
	struct smplb_dev *sd = netdev_priv(dev);

	if (!(dev->flags & IFF_UP))
		return;
	if (change & IFF_ALLMULTI)
		dev_set_allmulti(sd->lower, dev->flags & IFF_ALLMULTI ? 1 : -1);
	if (change & IFF_PROMISC)
		dev_set_promiscuity(sd->lower, dev->flags & IFF_PROMISC ? 1 : -1);
}

static int smplb_change_mtu(struct net_device *dev, int new_mtu)
{
	struct smplb_dev *sd = netdev_priv(dev);

	if (new_mtu > READ_ONCE(sd->lower->mtu))
		return -EINVAL;
	WRITE_ONCE(dev->mtu, new_mtu);
	return 0;
}

void smplb_c_get_stats64(struct net_device *dev,
			 struct rtnl_link_stats64 *stats)
{
	struct smplb_dev *sd = netdev_priv(dev);
	struct smplb_port_stats s = {};
	void *port = READ_ONCE(sd->port);

	/* The host's view: what came up to it and what it sent. */
	dev_fetch_sw_netstats(stats, dev->tstats);
	if (port) {
		smplb_rs_port_stats(port, &s);
		stats->rx_dropped = s.dropped;
	}
}

static int smplb_get_iflink(const struct net_device *dev)
{
	const struct smplb_dev *sd = netdev_priv(dev);

	return READ_ONCE(sd->lower->ifindex);
}

static const struct net_device_ops smplb_netdev_ops = {
	.ndo_open		= smplb_open,
	.ndo_stop		= smplb_stop,
	.ndo_start_xmit		= smplb_start_xmit,
	.ndo_set_rx_mode	= smplb_set_rx_mode,
	.ndo_change_rx_flags	= smplb_change_rx_flags,
	.ndo_change_mtu		= smplb_change_mtu,
	.ndo_get_stats64	= smplb_c_get_stats64,
	.ndo_get_iflink		= smplb_get_iflink,
	.ndo_validate_addr	= eth_validate_addr,
};

static void smplb_get_drvinfo(struct net_device *dev,
			      struct ethtool_drvinfo *info)
{
	struct smplb_dev *sd = netdev_priv(dev);

	strscpy(info->driver, DRV_NAME, sizeof(info->driver));
	strscpy(info->version, SMPLB_VERSION, sizeof(info->version));
	strscpy(info->bus_info, sd->lower->name, sizeof(info->bus_info));
}

static int smplb_get_link_ksettings(struct net_device *dev,
				    struct ethtool_link_ksettings *cmd)
{
	struct smplb_dev *sd = netdev_priv(dev);

	return __ethtool_get_link_ksettings(sd->lower, cmd);
}

static const char smplb_stat_names[][ETH_GSTRING_LEN] = {
	"rx_packets", "rx_bytes", "tx_packets", "tx_bytes",
	"stack_packets", "host_packets", "dropped",
};
static_assert(sizeof(struct smplb_port_stats) ==
	      ARRAY_SIZE(smplb_stat_names) * sizeof(u64));

int smplb_c_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? ARRAY_SIZE(smplb_stat_names) : -EOPNOTSUPP;
}

void smplb_c_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, smplb_stat_names, sizeof(smplb_stat_names));
}

void smplb_c_get_ethtool_stats(struct net_device *dev,
			       struct ethtool_stats *stats, u64 *data)
{
	struct smplb_dev *sd = netdev_priv(dev);

	smplb_rs_port_stats(sd->port, (struct smplb_port_stats *)data);
}

static const struct ethtool_ops smplb_ethtool_ops = {
	.get_drvinfo		= smplb_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= smplb_get_link_ksettings,
	.get_sset_count		= smplb_c_get_sset_count,
	.get_strings		= smplb_c_get_strings,
	.get_ethtool_stats	= smplb_c_get_ethtool_stats,
};

/* Runs when the last user of the device is gone. */
static void smplb_dev_free(struct net_device *dev)
{
	struct smplb_dev *sd = netdev_priv(dev);

	netdev_put(sd->lower, &sd->lower_tracker);
	sd->lower = NULL;
}

/* What every pseudo interface is, whatever drives its NIC. */
void smplb_c_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_UNICAST_FLT;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	/* The switch of a network namespace is not to be stretched over two. */
	dev->netns_immutable = true;
}

static void smplb_setup(struct net_device *dev)
{
	smplb_c_setup(dev);
	dev->needs_free_netdev = true;
	dev->netdev_ops = &smplb_netdev_ops;
	dev->ethtool_ops = &smplb_ethtool_ops;
	dev->features |= SMPLB_FEATURES;
	dev->hw_features |= SMPLB_FEATURES;
	dev->vlan_features |= SMPLB_FEATURES;
	dev->max_mtu = ETH_MAX_MTU;
}

/* Why @lower cannot be claimed, or NULL. */
static const char *smplb_unclaimable(struct net_device *lower)
{
	if (lower->flags & IFF_LOOPBACK)
		return "the loopback device cannot be claimed";
	if (lower->type != ARPHRD_ETHER)
		return "only Ethernet devices can be claimed";
	if (smplb_c_is_pseudo(lower))
		return "a pseudo interface cannot be claimed; name the NIC under it";
	if (netdev_master_upper_dev_get(lower))
		return "the NIC is enslaved (bridge, bond, ...); release it first";
	if (netdev_is_rx_handler_busy(lower))
		return "the NIC is already claimed by smplb, macvlan or another receive handler";
	return NULL;
}

/* Nobody finds the port any more, nor is at it. */
void *smplb_c_take_port(struct smplb_dev *sd)
{
	void *port = sd->port;

	WRITE_ONCE(sd->port, NULL);
	/* Readers of the statistics run under RCU. */
	synchronize_net();
	return port;
}

static int smplb_newlink(struct net_device *dev,
			 struct rtnl_newlink_params *params,
			 struct netlink_ext_ack *extack)
{
	struct net *net = rtnl_newlink_link_net(params);
	struct nlattr **data = params->data, **tb = params->tb;
	struct smplb_dev *sd = netdev_priv(dev);
	u32 cpu = SMPLB_CPU_AUTO;
	struct net_device *lower;
	const char *why;
	int err = 0;

	if (!tb[IFLA_LINK]) {
		NL_SET_ERR_MSG(extack, "name the NIC to claim: ip link add link NIC ... type smplb");
		return -EINVAL;
	}
	lower = __dev_get_by_index(net, nla_get_u32(tb[IFLA_LINK]));
	if (!lower) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_LINK], "no such NIC in this network namespace");
		return -ENODEV;
	}
	if (!net_eq(dev_net(lower), dev_net(dev))) {
		NL_SET_ERR_MSG(extack, "the pseudo interface must be in the network namespace of its NIC");
		return -EINVAL;
	}
	why = smplb_unclaimable(lower);
	if (why) {
		extack->_msg = why;
		NL_SET_BAD_ATTR(extack, tb[IFLA_LINK]);
		return netdev_is_rx_handler_busy(lower) ||
		       netdev_master_upper_dev_get(lower) ? -EBUSY : -EINVAL;
	}
	if (data && data[IFLA_SMPLB_DRIVER] &&
	    nla_strcmp(data[IFLA_SMPLB_DRIVER], "netdev")) {
		NL_SET_ERR_MSG_ATTR(extack, data[IFLA_SMPLB_DRIVER],
				    "unknown port driver; the one for Linux NICs is 'netdev'");
		return -EINVAL;
	}
	if (data && data[IFLA_SMPLB_CPU])
		cpu = nla_get_u32(data[IFLA_SMPLB_CPU]);

	if (!tb[IFLA_MTU]) {
		dev->mtu = lower->mtu;
	} else if (dev->mtu > lower->mtu) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_MTU], "MTU is larger than that of the NIC");
		return -EINVAL;
	}
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = lower->max_mtu;
	eth_hw_addr_inherit(dev, lower);
	netif_inherit_tso_max(dev, lower);
	dev->needed_headroom = lower->needed_headroom;
	dev->needed_tailroom = lower->needed_tailroom;

	sd->dev = dev;
	sd->lower = lower;
	netdev_hold(lower, &sd->lower_tracker, GFP_KERNEL);
	netif_napi_add(dev, &sd->napi, smplb_napi_poll);

	sd->port = smplb_rs_port_new(dev_net(dev), dev, lower, cpu, extack, &err);
	if (!sd->port)
		goto err_put;
	/* From here on unregistering gives lower back (smplb_dev_free). */
	dev->priv_destructor = smplb_dev_free;
	err = register_netdevice(dev);
	if (err)
		goto err_port;
	err = netdev_upper_dev_link(lower, dev, extack);
	if (err)
		goto err_unregister;
	sd->linked = true;
	/* Up to the stack in a thread of its own, which no isolated CPU runs. */
	err = dev_set_threaded(dev, NETDEV_NAPI_THREADED_ENABLED);
	if (!err)
		err = netdev_rx_handler_register(lower, smplb_handle_frame, sd);
	if (err)
		goto err_unregister;
	smplb_rs_port_changed(sd->port);
	netif_stacked_transfer_operstate(lower, dev);
	linkwatch_fire_event(dev);
	return 0;

err_unregister:
	/* ndo_uninit is not ours: undo what newlink did, in reverse. */
	if (sd->linked)
		netdev_upper_dev_unlink(lower, dev);
	smplb_rs_port_del(smplb_c_take_port(sd));
	unregister_netdevice(dev);
	return err;
err_port:
	smplb_rs_port_del(smplb_c_take_port(sd));
err_put:
	/* register_netdevice() may have run the destructor already. */
	dev->priv_destructor = NULL;
	if (sd->lower)
		smplb_dev_free(dev);
	return err;
}

static void smplb_dellink(struct net_device *dev, struct list_head *head)
{
	struct smplb_dev *sd = netdev_priv(dev);

	/* No new frames from the NIC; waits for those on their way in. */
	netdev_rx_handler_unregister(sd->lower);
	/*
	 * Close before the port goes: no transmit, no NAPI poll after that.
	 * unregister_netdevice_many() would close later, maybe in a batch.
	 */
	dev_close(dev);
	netdev_upper_dev_unlink(sd->lower, dev);
	sd->linked = false;
	smplb_rs_port_del(smplb_c_take_port(sd));
	unregister_netdevice_queue(dev, head);
}

static int smplb_changelink(struct net_device *dev, struct nlattr *tb[],
			    struct nlattr *data[],
			    struct netlink_ext_ack *extack)
{
	struct smplb_dev *sd = netdev_priv(dev);

	if (!data || !data[IFLA_SMPLB_CPU])
		return 0;
	return smplb_rs_port_set_cpu(sd->port, nla_get_u32(data[IFLA_SMPLB_CPU]),
				     extack);
}

static size_t smplb_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(u32)) + nla_total_size(16);
}

static int smplb_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct smplb_dev *sd = netdev_priv(dev);

	if (!sd->port)
		return 0;
	if (nla_put_u32(skb, IFLA_SMPLB_CPU, smplb_rs_port_cpu(sd->port)) ||
	    nla_put_string(skb, IFLA_SMPLB_DRIVER, "netdev"))
		return -EMSGSIZE;
	return 0;
}

static struct net *smplb_get_link_net(const struct net_device *dev)
{
	const struct smplb_dev *sd = netdev_priv(dev);

	return dev_net(sd->lower);
}

static struct rtnl_link_ops smplb_link_ops = {
	.kind		= DRV_NAME,
	.priv_size	= sizeof(struct smplb_dev),
	.setup		= smplb_setup,
	.maxtype	= IFLA_SMPLB_MAX,
	.policy		= smplb_link_policy,
	.newlink	= smplb_newlink,
	.changelink	= smplb_changelink,
	.dellink	= smplb_dellink,
	.get_size	= smplb_get_size,
	.fill_info	= smplb_fill_info,
	.get_link_net	= smplb_get_link_net,
};
MODULE_ALIAS_RTNL_LINK(DRV_NAME);

/* The pseudo interface over @lower, or NULL. */
static struct smplb_dev *smplb_over(struct net_device *lower)
{
	struct smplb_dev *sd;

	if (rtnl_dereference(lower->rx_handler) != smplb_handle_frame)
		return NULL;
	sd = rtnl_dereference(lower->rx_handler_data);
	return sd;
}

static int smplb_device_event(struct notifier_block *nb, unsigned long event,
			      void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct smplb_dev *sd;
	LIST_HEAD(kill);

	if (smplb_c_is_pseudo(dev)) {
		sd = netdev_priv(dev);
		if (sd->port && sd->linked)
			smplb_rs_port_changed(sd->port);
		return NOTIFY_DONE;
	}
	sd = smplb_over(dev);
	if (!sd)
		return NOTIFY_DONE;

	switch (event) {
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
		netif_stacked_transfer_operstate(dev, sd->dev);
		break;
	case NETDEV_FEAT_CHANGE:
		netif_inherit_tso_max(sd->dev, dev);
		sd->dev->needed_headroom = dev->needed_headroom;
		sd->dev->needed_tailroom = dev->needed_tailroom;
		break;
	case NETDEV_CHANGEMTU:
		if (sd->dev->mtu > dev->mtu)
			dev_set_mtu(sd->dev, dev->mtu);
		break;
	case NETDEV_CHANGEADDR:
		eth_hw_addr_set(sd->dev, dev->dev_addr);
		call_netdevice_notifiers(NETDEV_CHANGEADDR, sd->dev);
		break;
	case NETDEV_UNREGISTER:
		/* Gone for good, or on its way to another network namespace. */
		smplb_dellink(sd->dev, &kill);
		unregister_netdevice_many(&kill);
		return NOTIFY_DONE;
	case NETDEV_PRE_TYPE_CHANGE:
		return NOTIFY_BAD;
	default:
		return NOTIFY_DONE;
	}
	smplb_rs_port_changed(sd->port);
	return NOTIFY_DONE;
}

static struct notifier_block smplb_device_notifier = {
	.notifier_call = smplb_device_event,
};

int smplb_c_link_register(void)
{
	int err = register_netdevice_notifier(&smplb_device_notifier);

	if (err)
		return err;
	err = rtnl_link_register(&smplb_link_ops);
	if (err)
		unregister_netdevice_notifier(&smplb_device_notifier);
	return err;
}

void smplb_c_link_unregister(void)
{
	/* Deletes every pseudo interface of every network namespace. */
	rtnl_link_unregister(&smplb_link_ops);
	unregister_netdevice_notifier(&smplb_device_notifier);
}
