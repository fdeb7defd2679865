/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/smplb.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#ifndef _LINUX_SMPLB_GEN_H
#define _LINUX_SMPLB_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/smplb.h>

/* Common nested types */
extern const struct nla_policy smplb_backend_def_nl_policy[SMPLB_A_BACKEND_DEF_WEIGHT + 1];
extern const struct nla_policy smplb_service_def_nl_policy[SMPLB_A_SERVICE_DEF_ANNOUNCE + 1];

int smplb_nl_port_get_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_port_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int smplb_nl_port_set_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_service_new_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_service_set_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_service_del_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_service_get_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_service_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int smplb_nl_backend_new_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_backend_set_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_backend_del_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_backend_get_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_backend_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int smplb_nl_config_apply_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_generation_get_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_generation_rollback_doit(struct sk_buff *skb,
				      struct genl_info *info);
int smplb_nl_engine_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int smplb_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_connection_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb);
int smplb_nl_pool_get_doit(struct sk_buff *skb, struct genl_info *info);
int smplb_nl_port_plan_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	SMPLB_NLGRP_CONFIG,
};

extern struct genl_family smplb_nl_family;

#endif /* _LINUX_SMPLB_GEN_H */
