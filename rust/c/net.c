// SPDX-License-Identifier: GPL-2.0
/* One switch per network namespace, made when it is first needed. */
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "smplb.h"

struct smplb_net {
	void *sw;	/* Rust: crate::switch::Switch, or NULL */
};

static unsigned int smplb_net_id;

/* The place of @net's switch pointer; changed by Rust under RTNL. */
void **smplb_c_pernet(struct net *net)
{
	struct smplb_net *sn = net_generic(net, smplb_net_id);

	return &sn->sw;
}

static void __net_exit smplb_net_exit(struct net *net)
{
	void **place = smplb_c_pernet(net);

	if (*place)
		smplb_rs_net_exit(*place);
	*place = NULL;
}

/*
 * A subsystem operation: runs after the default device exit batch has deleted
 * the namespace's pseudo interfaces.
 */
static struct pernet_operations smplb_net_ops = {
	.exit = smplb_net_exit,
	.id = &smplb_net_id,
	.size = sizeof(struct smplb_net),
};

int smplb_c_pernet_register(void)
{
	return register_pernet_subsys(&smplb_net_ops);
}

void smplb_c_pernet_unregister(void)
{
	unregister_pernet_subsys(&smplb_net_ops);
}

/* Calls a function on a housekeeping CPU again and again. */
struct smplb_ticker {
	struct delayed_work work;
	void (*fn)(void *data);
	void *data;
	unsigned int period_ms;
};

static void smplb_tick(struct work_struct *work)
{
	struct smplb_ticker *t = container_of(to_delayed_work(work),
					      struct smplb_ticker, work);

	t->fn(t->data);
	queue_delayed_work(system_dfl_wq, &t->work,
			   msecs_to_jiffies(t->period_ms));
}

void *smplb_c_ticker_start(void (*fn)(void *data), void *data,
			   unsigned int period_ms)
{
	struct smplb_ticker *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	INIT_DELAYED_WORK(&t->work, smplb_tick);
	t->fn = fn;
	t->data = data;
	t->period_ms = period_ms;
	queue_delayed_work(system_dfl_wq, &t->work,
			   msecs_to_jiffies(period_ms));
	return t;
}

/* Waits for a call that is under way. */
void smplb_c_ticker_stop(void *ticker)
{
	struct smplb_ticker *t = ticker;

	cancel_delayed_work_sync(&t->work);
	kfree(t);
}
