// SPDX-License-Identifier: GPL-2.0
/*
 * The vector of a NIC that the module drives itself: masked while an engine
 * polls, open only while it sleeps.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/pci.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>

#include "smplb.h"

struct smplb_vector {
	struct pci_dev *pdev;
	/* Whom to wake: between smplb_c_vector_watch() with it and with NULL. */
	void *port;
	unsigned int irq;
	/* 1 while the interrupt is enabled; who changes it to 0 disables it. */
	int armed;
	char name[40];
};

void smplb_c_vector_arm(struct smplb_vector *v)
{
	if (!xchg(&v->armed, 1))
		enable_irq(v->irq);
}

void smplb_c_vector_disarm(struct smplb_vector *v)
{
	if (xchg(&v->armed, 0))
		disable_irq_nosync(v->irq);
}

static irqreturn_t smplb_vector_fired(int irq, void *data)
{
	struct smplb_vector *v = data;
	void *port = READ_ONCE(v->port);

	smplb_c_vector_disarm(v);
	if (port)
		smplb_rs_port_kick(port);
	return IRQ_HANDLED;
}

/*
 * The one vector of @pdev, disarmed. It interrupts the first CPU that is for
 * everything else; who wants another one sets it as for any interrupt. ERR_PTR
 * when the device has none.
 */
struct smplb_vector *smplb_c_vector_new(struct pci_dev *pdev)
{
	struct smplb_vector *v = kzalloc(sizeof(*v), GFP_KERNEL);
	unsigned int cpu;
	int err;

	if (!v)
		return ERR_PTR(-ENOMEM);
	v->pdev = pdev;
	snprintf(v->name, sizeof(v->name), "smplb@pci:%s", pci_name(pdev));
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX);
	if (err < 0)
		goto err_free;
	v->irq = pci_irq_vector(pdev, 0);
	/* Masked at once when it is disabled, not when it fires the next time. */
	irq_set_status_flags(v->irq, IRQ_DISABLE_UNLAZY);
	/* Before it is requested: later the move waits until it fires. */
	scoped_guard(rcu)
		cpu = cpumask_first_and(cpu_online_mask,
					housekeeping_cpumask(HK_TYPE_DOMAIN));
	irq_set_affinity(v->irq, cpumask_of(cpu));
	err = request_irq(v->irq, smplb_vector_fired, IRQF_NO_AUTOEN, v->name, v);
	if (err)
		goto err_vectors;
	return v;

err_vectors:
	irq_clear_status_flags(v->irq, IRQ_DISABLE_UNLAZY);
	pci_free_irq_vectors(pdev);
err_free:
	kfree(v);
	return ERR_PTR(err);
}

/* After the device was reset, before it is disabled. */
void smplb_c_vector_free(struct smplb_vector *v)
{
	free_irq(v->irq, v);
	irq_clear_status_flags(v->irq, IRQ_DISABLE_UNLAZY);
	pci_free_irq_vectors(v->pdev);
	kfree(v);
}

/* Wakes the engine of @port; with NULL none, and none is being woken any more. */
void smplb_c_vector_watch(struct smplb_vector *v, void *port)
{
	WRITE_ONCE(v->port, port);
	if (!port)
		synchronize_irq(v->irq);
}
