// SPDX-License-Identifier: GPL-2.0
/* The machine goes to sleep and wakes up. */
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/suspend.h>

#include "smplb.h"

struct smplb_sleeper {
	struct notifier_block nb;
	void (*fn)(void *data, bool asleep);
	void *data;
};

static int smplb_sleeper_call(struct notifier_block *nb, unsigned long event,
			      void *unused)
{
	struct smplb_sleeper *s = container_of(nb, struct smplb_sleeper, nb);

	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		s->fn(s->data, true);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		s->fn(s->data, false);
		break;
	}
	return NOTIFY_DONE;
}

/*
 * Calls @fn before processes are frozen, and after they have been thawed: no
 * device sleeps then. NULL without memory.
 */
void *smplb_c_sleeper_start(void (*fn)(void *data, bool asleep), void *data)
{
	struct smplb_sleeper *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->nb.notifier_call = smplb_sleeper_call;
	s->fn = fn;
	s->data = data;
	/* Fails for what is registered already only. */
	register_pm_notifier(&s->nb);
	return s;
}

/* Waits for a call that is under way. */
void smplb_c_sleeper_stop(void *sleeper)
{
	struct smplb_sleeper *s = sleeper;

	unregister_pm_notifier(&s->nb);
	kfree(s);
}
