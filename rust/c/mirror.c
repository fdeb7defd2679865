// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's IPv4 routes and neighbours, told to the switch: what bird or
 * `ip route` put into the FIB becomes the routing table of the switching CPUs
 * (seed figure 4, table 62).
 *
 * FIB notifications come in atomic context and in bursts, so that they are
 * queued and applied by a work item, which publishes once per batch.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/arp.h>
#include <net/fib_notifier.h>
#include <net/ip_fib.h>
#include <net/neighbour.h>
#include <net/netevent.h>
#include <net/nexthop.h>

#include "smplb.h"

struct smplb_mirror {
	struct notifier_block fib_nb;
	struct notifier_block nexthop_nb;
	bool nexthops;			/* nexthop_nb is registered */
	struct work_struct work;
	spinlock_t lock;		/* protects events and flush */
	struct list_head events;
	bool flush;			/* start over: the dump begins again */
	struct net *net;
	void *sw;			/* Rust: crate::switch::Switch */
};

struct smplb_route_event {
	struct list_head list;
	u32 table;
	u32 dst;
	u32 len;
	bool add;
	u32 hop;
	int ifindex;
	__be32 gateway;
};

/* The first next hop of @fi that leaves by a pseudo interface. */
static void smplb_next_hop(struct fib_info *fi, struct smplb_route_event *ev)
{
	int i;

	ev->hop = SMPLB_HOP_HOST;
	for (i = 0; i < fib_info_num_path(fi); i++) {
		struct fib_nh_common *nhc = fib_info_nhc(fi, i);

		if (!nhc->nhc_dev || !smplb_c_is_pseudo(nhc->nhc_dev) ||
		    nhc->nhc_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN))
			continue;
		if (nhc->nhc_gw_family == AF_INET) {
			ev->hop = SMPLB_HOP_GATEWAY;
			ev->gateway = nhc->nhc_gw.ipv4;
		} else if (!nhc->nhc_gw_family) {
			ev->hop = SMPLB_HOP_DIRECT;
		} else {
			continue;
		}
		ev->ifindex = nhc->nhc_dev->ifindex;
		return;
	}
}

/* Something is unknown: the routes are read anew as a whole. */
static void smplb_read_anew(struct smplb_mirror *m)
{
	spin_lock_bh(&m->lock);
	m->flush = true;
	spin_unlock_bh(&m->lock);
	schedule_work(&m->work);
}

static int smplb_fib_event(struct notifier_block *nb, unsigned long event,
			   void *ptr)
{
	struct smplb_mirror *m = container_of(nb, struct smplb_mirror, fib_nb);
	struct fib_entry_notifier_info *fen = ptr;
	struct smplb_route_event *ev;

	if (fen->info.family != AF_INET)
		return NOTIFY_DONE;
	switch (event) {
	case FIB_EVENT_ENTRY_REPLACE:
	case FIB_EVENT_ENTRY_APPEND:
	case FIB_EVENT_ENTRY_DEL:
		break;
	case FIB_EVENT_NH_ADD:
	case FIB_EVENT_NH_DEL:
		/* A next hop of some routes works again, or no longer. */
		smplb_read_anew(m);
		return NOTIFY_DONE;
	default:
		return NOTIFY_DONE;
	}
	ev = kzalloc(sizeof(*ev), GFP_ATOMIC);
	if (!ev) {
		smplb_read_anew(m);
		return NOTIFY_DONE;
	}
	ev->table = fen->tb_id;
	ev->dst = fen->dst;
	ev->len = fen->dst_len;
	ev->add = event != FIB_EVENT_ENTRY_DEL;
	switch (fen->type) {
	case RTN_UNICAST:
		smplb_next_hop(fen->fi, ev);
		break;
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		ev->hop = SMPLB_HOP_NONE;
		break;
	case RTN_THROW:
		/* The search goes on as if the route were not there. */
		ev->add = false;
		break;
	default:
		ev->hop = SMPLB_HOP_HOST;
	}
	spin_lock_bh(&m->lock);
	list_add_tail(&ev->list, &m->events);
	spin_unlock_bh(&m->lock);
	schedule_work(&m->work);
	return NOTIFY_DONE;
}

/*
 * A nexthop object changed below the routes that use it (`ip nexthop replace`,
 * FRR), about which no FIB event tells.
 */
static int smplb_nexthop_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct smplb_mirror *m = container_of(nb, struct smplb_mirror, nexthop_nb);

	if (event == NEXTHOP_EVENT_REPLACE)
		smplb_read_anew(m);
	return NOTIFY_DONE;
}

/* The dump that registering makes was not consistent: it starts over. */
static void smplb_fib_flush(struct notifier_block *nb)
{
	struct smplb_mirror *m = container_of(nb, struct smplb_mirror, fib_nb);
	struct smplb_route_event *ev, *next;

	spin_lock_bh(&m->lock);
	list_for_each_entry_safe(ev, next, &m->events, list) {
		list_del(&ev->list);
		kfree(ev);
	}
	spin_unlock_bh(&m->lock);
}

static void smplb_mirror_work(struct work_struct *work)
{
	struct smplb_mirror *m = container_of(work, struct smplb_mirror, work);
	struct smplb_route_event *ev, *next;
	LIST_HEAD(events);
	bool flush;

	/* Takes RTNL, and so not in smplb_c_mirror_start(). */
	if (!m->nexthops)
		m->nexthops = !register_nexthop_notifier(m->net, &m->nexthop_nb,
							 NULL);

	spin_lock_bh(&m->lock);
	flush = m->flush;
	m->flush = false;
	spin_unlock_bh(&m->lock);
	if (flush) {
		unregister_fib_notifier(m->net, &m->fib_nb);
		smplb_fib_flush(&m->fib_nb);
		smplb_rs_route_flush(m->sw);
		register_fib_notifier(m->net, &m->fib_nb, smplb_fib_flush, NULL);
	}

	/* RTNL: a port that an event names by ifindex stays while it is used. */
	rtnl_lock();
	spin_lock_bh(&m->lock);
	list_splice_init(&m->events, &events);
	spin_unlock_bh(&m->lock);
	list_for_each_entry_safe(ev, next, &events, list) {
		void *port = NULL;

		if (ev->ifindex)
			port = smplb_c_port_of(m->net, ev->ifindex, NULL);
		smplb_rs_route(m->sw, ev->table, ev->dst, ev->len, ev->add,
			       ev->hop, port, ev->gateway);
		list_del(&ev->list);
		kfree(ev);
	}
	smplb_rs_route_commit(m->sw);
	rtnl_unlock();
}

/* @sw is the switch that is told; the routes that exist are told first. */
int smplb_c_mirror_start(struct net *net, void **mirror)
{
	struct smplb_mirror *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int err;

	if (!m)
		return -ENOMEM;
	INIT_WORK(&m->work, smplb_mirror_work);
	INIT_LIST_HEAD(&m->events);
	spin_lock_init(&m->lock);
	m->fib_nb.notifier_call = smplb_fib_event;
	m->nexthop_nb.notifier_call = smplb_nexthop_event;
	m->net = net;
	m->sw = *mirror;
	err = register_fib_notifier(net, &m->fib_nb, smplb_fib_flush, NULL);
	if (err) {
		kfree(m);
		return err;
	}
	schedule_work(&m->work);
	*mirror = m;
	return 0;
}

/* Must not be called under RTNL: the work item takes it. */
void smplb_c_mirror_stop(struct net *net, void *mirror)
{
	struct smplb_mirror *m = mirror;

	/* First the work item, which registers; events cannot queue it again. */
	disable_work_sync(&m->work);
	unregister_fib_notifier(net, &m->fib_nb);
	if (m->nexthops)
		unregister_nexthop_notifier(net, &m->nexthop_nb);
	smplb_fib_flush(&m->fib_nb);
	kfree(m);
}

static int smplb_netevent(struct notifier_block *nb, unsigned long event,
			  void *ptr)
{
	struct neighbour *n = ptr;
	struct smplb_dev *sd;
	u8 mac[ETH_ALEN];
	void *port;
	bool valid;

	if (event != NETEVENT_NEIGH_UPDATE || n->tbl != &arp_tbl ||
	    !smplb_c_is_pseudo(n->dev))
		return NOTIFY_DONE;
	read_lock_bh(&n->lock);
	valid = n->nud_state & NUD_VALID && !n->dead;
	ether_addr_copy(mac, n->ha);
	read_unlock_bh(&n->lock);

	rcu_read_lock();
	sd = netdev_priv(n->dev);
	port = READ_ONCE(sd->port);
	if (port)
		smplb_rs_neighbour(port, *(__be32 *)n->primary_key, mac, valid);
	rcu_read_unlock();
	return NOTIFY_DONE;
}

static struct notifier_block smplb_netevent_nb = {
	.notifier_call = smplb_netevent,
};

int smplb_c_mirror_register(void)
{
	return register_netevent_notifier(&smplb_netevent_nb);
}

void smplb_c_mirror_unregister(void)
{
	unregister_netevent_notifier(&smplb_netevent_nb);
}
