// SPDX-License-Identifier: GPL-2.0
/* /dev/smplb: what the kernel asks of a channel's file. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nsproxy.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "smplb.h"
#include "uapi/linux/smplb_channel.h"

static_assert(sizeof(struct smplb_desc) == 16);
static_assert(offsetof(struct smplb_desc, owner) == 8);
static_assert(sizeof(struct smplb_channel_state) == 8);
static_assert(sizeof(struct smplb_channel_open) == 120);
static_assert(offsetof(struct smplb_channel_open, rings) == 40);
static_assert(sizeof(struct smplb_channel_want) == 24);
static_assert(offsetof(struct smplb_channel_want, protocol) == 16);
static_assert(sizeof(struct smplb_channel_port) == 16);
static_assert(offsetof(struct smplb_channel_port, mac) == 10);
static_assert(sizeof(struct smplb_channel_stats) == 96);
static_assert(sizeof(struct smplb_channel_queue) == 48);
static_assert(offsetof(struct smplb_channel_queue, size) == 44);
static_assert(sizeof(struct smplb_channel_pair) == 128);
static_assert(offsetof(struct smplb_channel_pair, rx) == 32);

/* An open file. */
struct smplb_door {
	struct mutex lock;	/* serialises the making of the channel */
	wait_queue_head_t wait;
	void *channel;		/* Rust: crate::channel::Channel; set once */
	struct address_space *mapping;
	struct mutex bell_lock;	/* under it pages of doorbells are mapped */
	bool bells;		/* they may be: the application has a queue pair */
	unsigned long nowhere;	/* page for who rings without one */
};

static int smplb_door_open(struct inode *inode, struct file *file)
{
	struct smplb_door *door = kzalloc(sizeof(*door), GFP_KERNEL_ACCOUNT);

	if (!door)
		return -ENOMEM;
	mutex_init(&door->lock);
	init_waitqueue_head(&door->wait);
	mutex_init(&door->bell_lock);
	door->mapping = file->f_mapping;
	file->private_data = door;
	return nonseekable_open(inode, file);
}

/* No call on the file is under way any more, and nothing of it is mapped. */
static int smplb_door_release(struct inode *inode, struct file *file)
{
	struct smplb_door *door = file->private_data;

	if (door->channel)
		smplb_rs_channel_close(door->channel);
	free_page(door->nowhere);
	mutex_destroy(&door->bell_lock);
	mutex_destroy(&door->lock);
	kfree(door);
	return 0;
}

/*
 * Who may share the buffers of the switch, all of which it can read and write then:
 * root and the group of the device node, however others come to open it.
 */
static bool smplb_door_trusts(struct file *file)
{
	return uid_eq(current_euid(), GLOBAL_ROOT_UID) ||
	       in_egroup_p(file_inode(file)->i_gid);
}

static long smplb_door_make(struct file *file, void __user *arg)
{
	struct smplb_door *door = file->private_data;
	struct smplb_channel_open open;
	void *channel;
	int err = 0;

	if (copy_from_user(&open, arg, sizeof(open)))
		return -EFAULT;
	mutex_lock(&door->lock);
	if (door->channel) {
		err = -EALREADY;
	} else {
		channel = smplb_rs_channel_open(current->nsproxy->net_ns,
						smplb_door_trusts(file), door,
						&open, &err);
		/* Pairs with smplb_door_channel(). */
		smp_store_release(&door->channel, channel);
	}
	mutex_unlock(&door->lock);
	/* Who waited before there was one asks again. */
	if (!err)
		smplb_c_door_wake(door);
	if (!err && copy_to_user(arg, &open, sizeof(open)))
		err = -EFAULT;
	return err;
}

static void *smplb_door_channel(struct file *file)
{
	struct smplb_door *door = file->private_data;

	return smp_load_acquire(&door->channel);
}

static long smplb_door_ioctl(struct file *file, unsigned int cmd,
			     unsigned long data)
{
	void __user *arg = (void __user *)data;
	void *channel = smplb_door_channel(file);
	struct smplb_channel_want want;
	struct smplb_channel_port port;
	struct smplb_channel_stats stats;
	struct smplb_channel_pair pair;
	int err;

	if (cmd == SMPLB_CHANNEL_OPEN)
		return smplb_door_make(file, arg);
	if (!channel)
		return -ENOTCONN;
	switch (cmd) {
	case SMPLB_CHANNEL_WANT:
	case SMPLB_CHANNEL_UNWANT:
		if (copy_from_user(&want, arg, sizeof(want)))
			return -EFAULT;
		return smplb_rs_channel_want(channel, &want,
					     cmd == SMPLB_CHANNEL_WANT);
	case SMPLB_CHANNEL_KICK:
		return smplb_rs_channel_kick(channel);
	case SMPLB_CHANNEL_PORT:
		if (copy_from_user(&port, arg, sizeof(port)))
			return -EFAULT;
		err = smplb_rs_channel_port(channel, &port);
		if (err)
			return err;
		return copy_to_user(arg, &port, sizeof(port)) ? -EFAULT : 0;
	case SMPLB_CHANNEL_STATS:
		smplb_rs_channel_stats(channel, &stats);
		return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
	case SMPLB_CHANNEL_PAIR:
		if (!capable(CAP_SYS_RAWIO))
			return -EPERM;
		if (copy_from_user(&pair, arg, sizeof(pair)))
			return -EFAULT;
		err = smplb_rs_channel_pair(channel, &pair);
		if (err)
			return err;
		return copy_to_user(arg, &pair, sizeof(pair)) ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

/*
 * The page of a doorbell, for as long as the application has the queue. It learns by
 * poll() that it has not any more, and may ring meanwhile.
 */
static vm_fault_t smplb_bell_fault(struct vm_fault *vmf)
{
	struct smplb_door *door = vmf->vma->vm_file->private_data;
	u64 offset = (u64)vmf->vma->vm_pgoff << PAGE_SHIFT;
	u64 bell = smplb_rs_channel_bell(smplb_door_channel(vmf->vma->vm_file),
					 offset);

	guard(mutex)(&door->bell_lock);
	if (!door->bells) {
		if (!door->nowhere)
			door->nowhere = get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!door->nowhere)
			return VM_FAULT_OOM;
		bell = virt_to_phys((void *)door->nowhere);
	}
	if (!bell)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address, bell >> PAGE_SHIFT);
}

static const struct vm_operations_struct smplb_bell_ops = {
	.fault = smplb_bell_fault,
};

static int smplb_bell_mmap(struct vm_area_struct *vma)
{
	if (vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
		     VM_DONTCOPY);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &smplb_bell_ops;
	return 0;
}

/* Doorbells can be mapped from now on. */
void smplb_c_door_bells(void *data)
{
	struct smplb_door *door = data;

	guard(mutex)(&door->bell_lock);
	door->bells = true;
}

/* And no more; those at @offset, of @len octets, are not mapped any longer. */
void smplb_c_door_no_bells(void *data, u64 offset, u64 len)
{
	struct smplb_door *door = data;

	guard(mutex)(&door->bell_lock);
	door->bells = false;
	unmap_mapping_range(door->mapping, offset, len, 1);
}

static int smplb_door_mmap(struct file *file, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	u64 at, len = vma->vm_end - vma->vm_start;
	void *channel = smplb_door_channel(file);
	bool readonly = false;
	void *memory;
	int err;

	if (!channel)
		return -ENOTCONN;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (smplb_rs_channel_bell(channel, offset))
		return smplb_bell_mmap(vma);
	if (!smplb_rs_channel_memory(channel, offset, len, 0, &readonly))
		return -EINVAL;
	if (readonly) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY);
	for (at = 0; at < len; at += PAGE_SIZE) {
		memory = smplb_rs_channel_memory(channel, offset, len, at,
						 &readonly);
		if (!memory)
			return -EINVAL;
		err = vm_insert_page(vma, vma->vm_start + at,
				     is_vmalloc_addr(memory) ?
				     vmalloc_to_page(memory) :
				     virt_to_page(memory));
		if (err)
			return err;
	}
	return 0;
}

static __poll_t smplb_door_poll(struct file *file, poll_table *wait)
{
	struct smplb_door *door = file->private_data;
	void *channel = smplb_door_channel(file);

	poll_wait(file, &door->wait, wait);
	if (!channel)
		return EPOLLERR;
	return (__force __poll_t)smplb_rs_channel_ready(channel);
}

/* In any context. */
void smplb_c_door_wake(void *data)
{
	struct smplb_door *door = data;

	wake_up_interruptible_poll(&door->wait, EPOLLIN | EPOLLRDNORM |
				   EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP);
}

/*
 * Memory of @len octets, zeroed, that can be mapped into a program, on the account
 * of who asks for it.
 */
void *smplb_c_shared_alloc(size_t len)
{
	return __vmalloc(len, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
}

void smplb_c_shared_free(void *memory)
{
	vfree(memory);
}

static const struct file_operations smplb_door_fops = {
	.owner = THIS_MODULE,
	.open = smplb_door_open,
	.release = smplb_door_release,
	.unlocked_ioctl = smplb_door_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = smplb_door_mmap,
	.poll = smplb_door_poll,
};

static struct miscdevice smplb_door_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "smplb",
	.fops = &smplb_door_fops,
	.mode = 0600,
};

int smplb_c_door_register(void)
{
	return misc_register(&smplb_door_device);
}

void smplb_c_door_unregister(void)
{
	misc_deregister(&smplb_door_device);
}
