/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between the module's C shim and its Rust: every function that one
 * side calls on the other, and the plain structs they pass.
 *
 * smplb_c_*  are C, called by Rust: what Rust has no binding for.
 * smplb_rs_* are Rust, called by C: what the kernel's C callbacks do.
 */
#ifndef SMPLB_H
#define SMPLB_H

#ifdef CONFIG_PREEMPT_RT
#error "smplb relies on softirqs that are not preempted; PREEMPT_RT is not supported"
#endif

#include <linux/netdevice.h>
#include <linux/sizes.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>

struct netlink_ext_ack;

/* What ethtool -S and ip -s link show of a port; see core::counters. */
struct smplb_port_stats {
	u64 rx_packets;		/* taken from the NIC */
	u64 rx_bytes;
	u64 tx_packets;		/* put on the NIC */
	u64 tx_bytes;
	u64 stack_packets;	/* passed up to the host */
	u64 host_packets;	/* sent by the host */
	u64 dropped;
};

#define SMPLB_VERSION	"0.1.0"
#define SMPLB_CPU_AUTO	U32_MAX

/* The private part of a pseudo net device. */
struct smplb_dev {
	struct net_device *dev;
	struct net_device *lower;
	netdevice_tracker lower_tracker;
	struct napi_struct napi;
	void *port;		/* Rust: crate::port::Port */
	bool linked;
};

/* link.c */
int smplb_c_link_register(void);
void smplb_c_link_unregister(void);
bool smplb_c_is_pseudo(const struct net_device *dev);
void *smplb_c_take_port(struct smplb_dev *sd);
void *smplb_c_port_of(struct net *net, u32 ifindex, const char *name);
bool smplb_c_running(const struct net_device *pseudo);
void smplb_c_stack_kick(struct net_device *pseudo);
void smplb_c_host_wake(struct net_device *pseudo, u32 queue);

struct smplb_dev_info {
	u32 ifindex;
	u32 lower_ifindex;
	u32 mtu;
	u32 up;
	u8 mac[ETH_ALEN];
	char name[IFNAMSIZ];
	char lower_name[IFNAMSIZ];
};
void smplb_c_dev_info(struct net_device *pseudo, struct smplb_dev_info *info);

struct ethtool_stats;
void smplb_c_setup(struct net_device *dev);
void smplb_c_get_stats64(struct net_device *dev,
			 struct rtnl_link_stats64 *stats);
int smplb_c_get_sset_count(struct net_device *dev, int sset);
void smplb_c_get_strings(struct net_device *dev, u32 sset, u8 *data);
void smplb_c_get_ethtool_stats(struct net_device *dev,
			       struct ethtool_stats *stats, u64 *data);

/* native.c */
struct device;
struct net_device *smplb_c_native_alloc(struct device *parent, const u8 *mac,
					unsigned int mtu, unsigned int max_mtu,
					unsigned int queues);
void smplb_c_native_free(struct net_device *dev);
int smplb_c_native_register(struct net_device *dev, void *port);
void smplb_c_native_quiesce(struct net_device *dev);
void smplb_c_native_unregister(struct net_device *dev);
void smplb_c_native_carrier(struct net_device *dev, bool up);
void smplb_c_native_tell(struct net_device *dev, const char *what, int code);
bool smplb_c_native_promisc(const struct net_device *dev);
bool smplb_c_is_native(const struct net_device *dev);
void smplb_c_napi_enable(struct napi_struct *napi);
int smplb_c_native_receive(struct napi_struct *napi, u32 queue,
			   const void *frame, unsigned int len,
			   u16 csum_start, u16 csum_offset);
int smplb_c_native_resolve(struct napi_struct *napi, const void *packet,
			   unsigned int len, __be32 addr, u32 ifindex);

/* xmit.c */
struct sk_buff *smplb_c_skb_plain(struct sk_buff *skb);
void smplb_c_host_send(struct net_device *pseudo, struct sk_buff *skb);
unsigned int smplb_c_xmit_burst(struct net_device *lower, struct sk_buff **skbs,
				unsigned int n, unsigned int queue);
void smplb_c_stack_receive(struct net_device *pseudo, struct sk_buff *skb);
void smplb_c_resolve(struct net_device *pseudo, __be32 addr,
		     struct sk_buff *skb);
struct net *smplb_c_init_net(void);
struct sk_buff *smplb_c_frame_alloc(const void *frame, unsigned int len);
int smplb_c_frame_trim(struct sk_buff *skb, unsigned int len);
int smplb_c_skb_prepare(struct sk_buff *skb, unsigned int len);

/* sched.c */
void smplb_c_engine_relax(unsigned long *last_qs);
bool smplb_c_cpu_online(u32 cpu);
bool smplb_c_cpu_is_housekeeping(u32 cpu);
void smplb_c_cpus_lock(void);
void smplb_c_cpus_unlock(void);
int smplb_c_cpus_register(void);
void smplb_c_cpus_unregister(void);
bool smplb_c_is_admin(void);
u32 smplb_c_pick_cpu(u32 nth, bool share, bool isolate);
void smplb_c_sleep_prepare(void);
void smplb_c_sleep_cancel(void);
void smplb_c_sleep(void);
struct task_struct;
struct task_struct *smplb_c_thread_create(int (*fn)(void *), void *data,
					  u32 cpu);
void smplb_c_thread_stop(struct task_struct *task);
void smplb_c_thread_stay(void);
void smplb_c_thread_leave(void);
void smplb_c_log_moved(const char *name, u32 from, u32 to);
u32 smplb_c_task_pid(struct task_struct *task);
void smplb_c_task_switches(struct task_struct *task, u64 *given, u64 *taken);
u64 smplb_c_clock(void);
void smplb_c_cpu_interrupts(u32 cpu, u64 *devices, u64 *ticks);
void smplb_c_bh_disable(void);
void smplb_c_bh_enable(void);

/* power.c */
void *smplb_c_sleeper_start(void (*fn)(void *data, bool asleep), void *data);
void smplb_c_sleeper_stop(void *sleeper);

/* pool.c */
#define SMPLB_CHUNK_SIZE	SZ_2M
void *smplb_c_chunk_alloc(void);
void smplb_c_chunk_free(void *chunk);
int smplb_c_chunk_map(struct device *dev, void *chunk, bool physical, u64 *addr);
void smplb_c_chunk_unmap(struct device *dev, u64 addr);
void *smplb_c_ring_alloc(struct device *dev, size_t size, u64 *addr);
void smplb_c_ring_unmap(struct device *dev, u64 addr, size_t size);
void smplb_c_ring_free(void *ring, size_t size);
void smplb_c_pages_hold(void *ring, size_t size);
void smplb_c_pages_drop(void *ring, size_t size);
void smplb_c_lost(const void *memory);

/* vector.c */
struct pci_dev;
struct smplb_vector;
struct smplb_vectors;
struct smplb_vectors *smplb_c_vectors_new(struct pci_dev *pdev,
					  unsigned int count);
void smplb_c_vectors_free(struct smplb_vectors *all);
struct smplb_vector *smplb_c_vector_of(struct smplb_vectors *all,
				       unsigned int pair);
void smplb_c_vector_watch(struct smplb_vector *v, void *port);
void smplb_c_vector_arm(struct smplb_vector *v);
void smplb_c_vector_disarm(struct smplb_vector *v);

/* genl.c */
struct genl_info;
struct netlink_callback;
struct nlattr;
int smplb_c_genl_register(void);
void smplb_c_genl_unregister(void);
struct net *smplb_c_genl_net(struct genl_info *info);
struct sk_buff *smplb_c_genl_reply_new(struct genl_info *info, size_t size,
				       void **hdr);
int smplb_c_genl_reply_send(struct sk_buff *skb, struct genl_info *info,
			    void *hdr);
void smplb_c_genl_reply_free(struct sk_buff *skb);
void *smplb_c_genl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb);
void smplb_c_genl_dump_end(struct sk_buff *skb, void *hdr);
void smplb_c_genl_dump_cancel(struct sk_buff *skb, void *hdr);
struct net *smplb_c_genl_dump_net(struct netlink_callback *cb);
const struct genl_info *smplb_c_genl_dump_info(struct netlink_callback *cb);
struct nlattr *smplb_c_nest_start(struct sk_buff *skb, int type);
void smplb_c_nest_end(struct sk_buff *skb, struct nlattr *nest);
int smplb_c_parse_service_def(struct nlattr **tb, const struct nlattr *nest,
			      struct netlink_ext_ack *extack);
int smplb_c_parse_backend_def(struct nlattr **tb, const struct nlattr *nest,
			      struct netlink_ext_ack *extack);
void smplb_c_extack_attr(struct netlink_ext_ack *extack,
			 const struct nlattr *attr);
void smplb_c_extack_missing(struct netlink_ext_ack *extack, u32 type);
struct sk_buff *smplb_c_ntf_new(void **hdr);
void smplb_c_ntf_send(struct net *net, struct sk_buff *skb, void *hdr);
void smplb_c_rtnl_lock(void);
void smplb_c_rtnl_unlock(void);

/* extack.c */
void smplb_c_extack_set(struct netlink_ext_ack *extack, const char *text);
void smplb_c_log_error(const char *what, int error);

/* mirror.c */
int smplb_c_mirror_register(void);
void smplb_c_mirror_unregister(void);
int smplb_c_mirror_start(struct net *net, void **mirror);
void smplb_c_mirror_stop(struct net *net, void *mirror);

/* net.c */
int smplb_c_pernet_register(void);
void smplb_c_pernet_unregister(void);
void **smplb_c_pernet(struct net *net);
void *smplb_c_ticker_start(void (*fn)(void *data), void *data,
			   unsigned int period_ms);
void smplb_c_ticker_stop(void *ticker);

/*
 * Rust, for link.c. A port is what smplb_rs_port_new() returned, until it is
 * given to smplb_rs_port_del(); @net, @pseudo and @lower outlive it.
 */
/* Under RTNL; @net is the namespace of both devices. NULL and @err on failure. */
void *smplb_rs_port_new(struct net *net, struct net_device *pseudo,
			struct net_device *lower, u32 cpu,
			struct netlink_ext_ack *extack, int *err);
/* Under RTNL; no callback below runs any more or will. */
void smplb_rs_port_del(void *port);
/* Under RTNL. */
int smplb_rs_port_set_cpu(void *port, u32 cpu, struct netlink_ext_ack *extack);
u32 smplb_rs_port_cpu(void *port);
void smplb_rs_port_changed(void *port);
/* In any context: wakes the engine that polls a queue pair of the port. */
void smplb_rs_port_kick(void *port, u32 pair);
/* Under RTNL or RCU. */
void smplb_rs_port_stats(void *port, struct smplb_port_stats *stats);
/* With BH disabled; takes over the packet. */
void smplb_rs_rx(void *port, struct sk_buff *skb);
/* Under the transmit lock; takes over the packet when it returns true. */
bool smplb_rs_host_tx(void *port, struct sk_buff *skb);
bool smplb_rs_host_room(void *port);
/*
 * The same for a queue pair of a native port, under the lock of the transmit
 * queue with that number; the frame is copied.
 */
bool smplb_rs_native_host_tx(void *port, u32 pair, const void *frame, u32 len);
bool smplb_rs_native_host_room(void *port, u32 pair);
/* In the one NAPI of the pseudo interface. */
int smplb_rs_stack_poll(void *port, int budget);
int smplb_rs_native_stack_poll(void *port, struct napi_struct *napi, int budget);
/* While that is disabled. */
void smplb_rs_stack_drop(void *port);

/*
 * Rust, for mirror.c. @sw is the switch that the mirror was started for. Hop
 * kinds are those of core::route::Hop; a route's port is NULL for the host.
 */
enum smplb_hop {
	SMPLB_HOP_HOST,
	SMPLB_HOP_DIRECT,
	SMPLB_HOP_GATEWAY,
	SMPLB_HOP_NONE,
};
/* Under RTNL. */
void smplb_rs_route(void *sw, u32 table, u32 dst, u32 len, bool add,
		    u32 hop, void *port, __be32 gateway);
void smplb_rs_route_commit(void *sw);
/* In process context. */
void smplb_rs_route_flush(void *sw);
/* Under RCU, in any context; @mac is the caller's copy. */
void smplb_rs_neighbour(void *port, __be32 addr, const u8 *mac, bool valid);

/* Rust, for sched.c: in the hotplug thread of @cpu. */
int smplb_rs_cpu_offline(u32 cpu, bool asleep);
void smplb_rs_cpu_online(u32 cpu);
/* Before the machine sleeps, and when it has woken up. */
void smplb_rs_asleep(bool asleep);

/* Rust, for net.c: once per switch, when its ports are gone. Not under RTNL. */
void smplb_rs_net_exit(void *sw);

/* channel.c */
int smplb_c_door_register(void);
void smplb_c_door_unregister(void);
void smplb_c_door_wake(void *door);
void smplb_c_door_bells(void *door);
void smplb_c_door_no_bells(void *door, u64 offset, u64 len);
void *smplb_c_shared_alloc(size_t len);
void smplb_c_shared_free(void *memory);

/*
 * Rust, for channel.c. A channel is what smplb_rs_channel_open() returned, until
 * it is given to smplb_rs_channel_close(); @door outlives it.
 */
struct smplb_channel_open;
struct smplb_channel_want;
struct smplb_channel_port;
struct smplb_channel_stats;
struct smplb_channel_pair;
/*
 * In process context, with no lock but the door's. @trusts: the caller may share
 * the buffers of the switch. NULL and @err on failure.
 */
void *smplb_rs_channel_open(struct net *net, bool trusts, void *door,
			    struct smplb_channel_open *open, int *err);
void smplb_rs_channel_close(void *channel);
int smplb_rs_channel_want(void *channel, const struct smplb_channel_want *want,
			  bool on);
int smplb_rs_channel_kick(void *channel);
int smplb_rs_channel_port(void *channel, struct smplb_channel_port *port);
void smplb_rs_channel_stats(void *channel, struct smplb_channel_stats *stats);
/* The caller may do anything to devices. */
int smplb_rs_channel_pair(void *channel, struct smplb_channel_pair *pair);
/* The physical address of the doorbell that is mapped at @offset, or 0. */
u64 smplb_rs_channel_bell(void *channel, u64 offset);
/*
 * Where octet @at is of what is mapped at an offset: NULL unless something with
 * that length is.
 */
void *smplb_rs_channel_memory(void *channel, u64 offset, u64 len, u64 at,
			      bool *readonly);
u32 smplb_rs_channel_ready(void *channel);

#endif /* SMPLB_H */
