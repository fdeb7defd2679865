// SPDX-License-Identifier: GPL-2.0
/*
 * The vectors of a NIC that the module drives itself, one for each of its queue
 * pairs: masked while an engine polls the pair, open only while it sleeps.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/pci.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "smplb.h"

struct smplb_vector {
	/* Whom to wake: between smplb_c_vector_watch() with it and with NULL. */
	void *port;
	unsigned int pair;
	unsigned int irq;
	/*
	 * Whether the interrupt is enabled. It changes together with that: an
	 * engine may arm the vector on one CPU while it fires on another, and
	 * enabling what is about to be disabled is a lost wake-up.
	 */
	bool armed;
	raw_spinlock_t lock;
	char name[40];
};

struct smplb_vectors {
	struct pci_dev *pdev;
	unsigned int count;
	struct smplb_vector vectors[] __counted_by(count);
};

void smplb_c_vector_arm(struct smplb_vector *v)
{
	guard(raw_spinlock_irqsave)(&v->lock);
	if (v->armed)
		return;
	v->armed = true;
	enable_irq(v->irq);
}

void smplb_c_vector_disarm(struct smplb_vector *v)
{
	guard(raw_spinlock_irqsave)(&v->lock);
	if (!v->armed)
		return;
	v->armed = false;
	disable_irq_nosync(v->irq);
}

static irqreturn_t smplb_vector_fired(int irq, void *data)
{
	struct smplb_vector *v = data;
	void *port = READ_ONCE(v->port);

	smplb_c_vector_disarm(v);
	if (port)
		smplb_rs_port_kick(port, v->pair);
	return IRQ_HANDLED;
}

/* Disarmed; it interrupts @cpu. */
static int smplb_vector_init(struct smplb_vectors *all, unsigned int pair,
			     unsigned int cpu)
{
	struct smplb_vector *v = &all->vectors[pair];
	int err;

	raw_spin_lock_init(&v->lock);
	v->pair = pair;
	v->irq = pci_irq_vector(all->pdev, pair);
	snprintf(v->name, sizeof(v->name), "smplb@pci:%s-%u",
		 pci_name(all->pdev), pair);
	/* Masked at once when it is disabled, not when it fires the next time. */
	irq_set_status_flags(v->irq, IRQ_DISABLE_UNLAZY);
	/* Before it is requested: later the move waits until it fires. */
	irq_set_affinity(v->irq, cpumask_of(cpu));
	err = request_irq(v->irq, smplb_vector_fired, IRQF_NO_AUTOEN, v->name, v);
	if (err)
		irq_clear_status_flags(v->irq, IRQ_DISABLE_UNLAZY);
	return err;
}

/* Those that were initialised, and the memory. */
static void smplb_vectors_end(struct smplb_vectors *all, unsigned int count)
{
	while (count--) {
		struct smplb_vector *v = &all->vectors[count];

		free_irq(v->irq, v);
		irq_clear_status_flags(v->irq, IRQ_DISABLE_UNLAZY);
	}
	pci_free_irq_vectors(all->pdev);
	kfree(all);
}

/*
 * @count vectors of @pdev, disarmed. They interrupt the first CPU that is for
 * everything else; who wants another one sets it as for any interrupt. ERR_PTR
 * when the device has not as many.
 */
struct smplb_vectors *smplb_c_vectors_new(struct pci_dev *pdev,
					  unsigned int count)
{
	struct smplb_vectors *all = kzalloc(struct_size(all, vectors, count),
					    GFP_KERNEL);
	unsigned int pair, cpu;
	int err;

	if (!all)
		return ERR_PTR(-ENOMEM);
	all->pdev = pdev;
	all->count = count;
	err = pci_alloc_irq_vectors(pdev, count, count, PCI_IRQ_MSIX);
	if (err < 0) {
		kfree(all);
		return ERR_PTR(err);
	}
	scoped_guard(rcu)
		cpu = cpumask_first_and(cpu_online_mask,
					housekeeping_cpumask(HK_TYPE_DOMAIN));
	for (pair = 0; pair < count; pair++) {
		err = smplb_vector_init(all, pair, cpu);
		if (err) {
			smplb_vectors_end(all, pair);
			return ERR_PTR(err);
		}
	}
	return all;
}

/* After the device was reset, before it is disabled. */
void smplb_c_vectors_free(struct smplb_vectors *all)
{
	smplb_vectors_end(all, all->count);
}

/* The vector of a pair, below the count. */
struct smplb_vector *smplb_c_vector_of(struct smplb_vectors *all,
				       unsigned int pair)
{
	return &all->vectors[pair];
}

/*
 * Wakes who polls the vector's pair of @port; with NULL nobody, and nobody is
 * being woken any more.
 */
void smplb_c_vector_watch(struct smplb_vector *v, void *port)
{
	WRITE_ONCE(v->port, port);
	if (!port)
		synchronize_irq(v->irq);
}
