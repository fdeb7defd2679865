// SPDX-License-Identifier: GPL-2.0
/* CPU placement and manners of a busy thread: inlines that Rust cannot call. */
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/hardirq.h>
#include <linux/kernel_stat.h>
#include <linux/kthread.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/sched/isolation.h>
#include <linux/suspend.h>

#include "smplb.h"

/*
 * Once a round of an engine, outside of every RCU, BH and preempt section:
 * give way when asked, and report RCU and RCU-tasks quiescent states at least
 * every 100 ms, as a loop that never sleeps has to.
 */
void smplb_c_engine_relax(unsigned long *last_qs)
{
	if (unlikely(kthread_should_park())) {
		/* The CPU goes while the machine sleeps, and must have no such task. */
		migrate_enable();
		kthread_parkme();
		migrate_disable();
	}
	if (need_resched()) {
		rcu_tasks_qs(current, false);
		schedule();
		*last_qs = jiffies;
		return;
	}
	if (time_after(jiffies, *last_qs + HZ / 10)) {
		rcu_tasks_qs(current, false);
		local_irq_disable();
		rcu_momentary_eqs();
		local_irq_enable();
		*last_qs = jiffies;
	}
}

/* Online, and not on its way offline. */
bool smplb_c_cpu_online(u32 cpu)
{
	return cpu_online(cpu) && cpu_active(cpu);
}

/* Whether the scheduler's domain balancing may place other tasks on @cpu. */
bool smplb_c_cpu_is_housekeeping(u32 cpu)
{
	/* The mask is replaced when a cpuset isolates CPUs. */
	guard(rcu)();
	return housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN);
}

void smplb_c_cpus_lock(void)
{
	cpus_read_lock();
}

void smplb_c_cpus_unlock(void)
{
	cpus_read_unlock();
}

/*
 * In the hotplug thread of @cpu, which the scheduler has emptied but for threads
 * that are to stay: an engine is one of these, see smplb_c_thread_stay().
 */
static int smplb_cpu_offline(unsigned int cpu)
{
	/*
	 * On the way to another kernel (kexec, where architectures take CPUs offline
	 * for it) none may stay, and nobody waits for packets any more.
	 */
	bool park = cpuhp_tasks_frozen || system_state > SYSTEM_RUNNING;
	int err = smplb_rs_cpu_offline(cpu, park);

	if (err == -EBUSY)
		net_warn_ratelimited("smplb: CPU %u stays online: it polls ports that no other CPU may poll; delete them, or load smplb with share_control_cpu=1\n",
				     cpu);
	return err;
}

static int smplb_cpu_online(unsigned int cpu)
{
	smplb_rs_cpu_online(cpu);
	return 0;
}

void smplb_c_log_moved(const char *name, u32 from, u32 to)
{
	net_info_ratelimited("smplb: CPU %u goes offline: CPU %u polls %s now\n",
			     from, to, name);
}

static void smplb_asleep(void *data, bool asleep)
{
	smplb_rs_asleep(asleep);
}

static int smplb_cpus_state;
static void *smplb_cpus_sleeper;

int smplb_c_cpus_register(void)
{
	int state;

	smplb_cpus_sleeper = smplb_c_sleeper_start(smplb_asleep, NULL);
	if (!smplb_cpus_sleeper)
		return -ENOMEM;
	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "smplb:online",
					  smplb_cpu_online, smplb_cpu_offline);
	if (state < 0) {
		smplb_c_sleeper_stop(smplb_cpus_sleeper);
		return state;
	}
	smplb_cpus_state = state;
	return 0;
}

void smplb_c_cpus_unregister(void)
{
	cpuhp_remove_state_nocalls(smplb_cpus_state);
	smplb_c_sleeper_stop(smplb_cpus_sleeper);
}

/*
 * Whether the caller administers the machine, not just a user namespace with
 * network namespaces of its own.
 */
bool smplb_c_is_admin(void)
{
	return capable(CAP_NET_ADMIN);
}

/*
 * The CPU for the @nth port when the user names none: isolated CPUs first, if
 * @isolate allows them, then the highest numbered ones, round robin, always
 * leaving the lowest housekeeping CPU alone. U32_MAX when there is none.
 */
u32 smplb_c_pick_cpu(u32 nth, bool share, bool isolate)
{
	u32 isolated = 0, shared = 0, first, cpu, n, seen = 0;

	guard(rcu)();
	/* Not those on their way offline. */
	first = cpumask_first_and(cpu_active_mask,
				  housekeeping_cpumask(HK_TYPE_DOMAIN));
	for_each_cpu(cpu, cpu_active_mask) {
		if (!smplb_c_cpu_is_housekeeping(cpu))
			isolated += isolate;
		else if (cpu != first)
			shared++;
	}
	n = isolated ?: shared;
	if (!n)
		return share ? first : U32_MAX;
	nth %= n;
	for (cpu = nr_cpu_ids; cpu-- > 0;) {
		if (!cpu_active(cpu) || cpu == first)
			continue;
		if (smplb_c_cpu_is_housekeeping(cpu) == !!isolated)
			continue;
		if (seen++ == nth)
			return cpu;
	}
	return U32_MAX;
}

void smplb_c_bh_disable(void)
{
	local_bh_disable();
}

void smplb_c_bh_enable(void)
{
	local_bh_enable();
}

/*
 * Sleeping without a lost wake-up: smplb_c_sleep_prepare(), look at every ring
 * once more, then smplb_c_sleep() or smplb_c_sleep_cancel().
 */
void smplb_c_sleep_prepare(void)
{
	set_current_state(TASK_IDLE);
}

void smplb_c_sleep_cancel(void)
{
	__set_current_state(TASK_RUNNING);
}

void smplb_c_sleep(void)
{
	schedule();
	__set_current_state(TASK_RUNNING);
}

/*
 * By a thread bound to a CPU, for as long as it must not be anywhere else: when a
 * CPU goes offline the scheduler takes away what is only bound to it, before
 * smplb_cpu_offline() is asked. Such a thread may sleep.
 */
void smplb_c_thread_stay(void)
{
	migrate_disable();
}

void smplb_c_thread_leave(void)
{
	migrate_enable();
}

/* A thread bound to @cpu, created stopped; ERR_PTR on failure. */
struct task_struct *smplb_c_thread_create(int (*fn)(void *), void *data,
					  u32 cpu)
{
	struct task_struct *task;

	if (!cpu_online(cpu))
		return ERR_PTR(-ENODEV);
	task = kthread_create_on_cpu(fn, data, cpu, "smplb/%u");
	if (!IS_ERR(task))
		get_task_struct(task);
	return task;
}

/* Stops a thread of smplb_c_thread_create() and waits for its end. */
void smplb_c_thread_stop(struct task_struct *task)
{
	kthread_stop(task);
	put_task_struct(task);
}

u32 smplb_c_task_pid(struct task_struct *task)
{
	return task_pid_nr(task);
}

/* How often @task gave its CPU away, and how often it was taken away. */
void smplb_c_task_switches(struct task_struct *task, u64 *given, u64 *taken)
{
	*given = READ_ONCE(task->nvcsw);
	*taken = READ_ONCE(task->nivcsw);
}

/* Nanoseconds on the clock of this CPU, by far cheaper than ktime_get(). */
u64 smplb_c_clock(void)
{
	return local_clock();
}

/*
 * What has interrupted @cpu since boot: devices, and ticks of its timer as
 * LOC of /proc/interrupts has them; U64_MAX where it is not told. Ticks wrap
 * at 32 bits.
 */
void smplb_c_cpu_interrupts(u32 cpu, u64 *devices, u64 *ticks)
{
	*devices = kstat_cpu_irqs_sum(cpu);
#if defined(CONFIG_X86) && defined(CONFIG_X86_LOCAL_APIC)
	*ticks = READ_ONCE(per_cpu(irq_stat, cpu).counts[IRQ_COUNT_APIC_TIMER]);
#else
	*ticks = U64_MAX;
#endif
}
