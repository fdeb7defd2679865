// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/smplb.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "nl_gen.h"

#include <uapi/linux/smplb.h>

/* Integer value ranges */
static const struct netlink_range_validation smplb_a_service_timeout_range = {
	.min	= 1ULL,
	.max	= 2678400ULL,
};

static const struct netlink_range_validation smplb_a_backend_weight_range = {
	.max	= 65535ULL,
};

static const struct netlink_range_validation smplb_a_service_def_timeout_range = {
	.min	= 1ULL,
	.max	= 2678400ULL,
};

static const struct netlink_range_validation smplb_a_backend_def_weight_range = {
	.max	= 65535ULL,
};

/* Common nested types */
const struct nla_policy smplb_backend_def_nl_policy[SMPLB_A_BACKEND_DEF_WEIGHT + 1] = {
	[SMPLB_A_BACKEND_DEF_SERVICE] = { .type = NLA_U32, },
	[SMPLB_A_BACKEND_DEF_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_BACKEND_DEF_PORT] = { .type = NLA_BE16, },
	[SMPLB_A_BACKEND_DEF_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &smplb_a_backend_def_weight_range),
};

const struct nla_policy smplb_service_def_nl_policy[SMPLB_A_SERVICE_DEF_ANNOUNCE + 1] = {
	[SMPLB_A_SERVICE_DEF_PROTOCOL] = { .type = NLA_U8, },
	[SMPLB_A_SERVICE_DEF_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_SERVICE_DEF_PORT] = { .type = NLA_BE16, },
	[SMPLB_A_SERVICE_DEF_SCHEDULER] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMPLB_A_SERVICE_DEF_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMPLB_A_SERVICE_DEF_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &smplb_a_service_def_timeout_range),
	[SMPLB_A_SERVICE_DEF_ANNOUNCE] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* SMPLB_CMD_PORT_GET - do */
static const struct nla_policy smplb_port_get_nl_policy[SMPLB_A_PORT_IFNAME + 1] = {
	[SMPLB_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[SMPLB_A_PORT_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
};

/* SMPLB_CMD_PORT_SET - do */
static const struct nla_policy smplb_port_set_nl_policy[SMPLB_A_PORT_CPU + 1] = {
	[SMPLB_A_PORT_IFINDEX] = { .type = NLA_U32, },
	[SMPLB_A_PORT_IFNAME] = { .type = NLA_NUL_STRING, .len = 15, },
	[SMPLB_A_PORT_CPU] = { .type = NLA_U32, },
};

/* SMPLB_CMD_SERVICE_NEW - do */
static const struct nla_policy smplb_service_new_nl_policy[SMPLB_A_SERVICE_ANNOUNCE + 1] = {
	[SMPLB_A_SERVICE_PROTOCOL] = { .type = NLA_U8, },
	[SMPLB_A_SERVICE_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_SERVICE_PORT] = { .type = NLA_BE16, },
	[SMPLB_A_SERVICE_SCHEDULER] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMPLB_A_SERVICE_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMPLB_A_SERVICE_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &smplb_a_service_timeout_range),
	[SMPLB_A_SERVICE_ANNOUNCE] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* SMPLB_CMD_SERVICE_SET - do */
static const struct nla_policy smplb_service_set_nl_policy[SMPLB_A_SERVICE_ANNOUNCE + 1] = {
	[SMPLB_A_SERVICE_PROTOCOL] = { .type = NLA_U8, },
	[SMPLB_A_SERVICE_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_SERVICE_PORT] = { .type = NLA_BE16, },
	[SMPLB_A_SERVICE_SCHEDULER] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMPLB_A_SERVICE_MODE] = NLA_POLICY_MAX(NLA_U32, 1),
	[SMPLB_A_SERVICE_TIMEOUT] = NLA_POLICY_FULL_RANGE(NLA_U32, &smplb_a_service_timeout_range),
	[SMPLB_A_SERVICE_ANNOUNCE] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* SMPLB_CMD_SERVICE_DEL - do */
static const struct nla_policy smplb_service_del_nl_policy[SMPLB_A_SERVICE_PORT + 1] = {
	[SMPLB_A_SERVICE_PROTOCOL] = { .type = NLA_U8, },
	[SMPLB_A_SERVICE_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_SERVICE_PORT] = { .type = NLA_BE16, },
};

/* SMPLB_CMD_SERVICE_GET - do */
static const struct nla_policy smplb_service_get_nl_policy[SMPLB_A_SERVICE_PORT + 1] = {
	[SMPLB_A_SERVICE_PROTOCOL] = { .type = NLA_U8, },
	[SMPLB_A_SERVICE_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_SERVICE_PORT] = { .type = NLA_BE16, },
};

/* SMPLB_CMD_BACKEND_NEW - do */
static const struct nla_policy smplb_backend_new_nl_policy[SMPLB_A_BACKEND_WEIGHT + 1] = {
	[SMPLB_A_BACKEND_SERVICE] = NLA_POLICY_NESTED(smplb_service_def_nl_policy),
	[SMPLB_A_BACKEND_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_BACKEND_PORT] = { .type = NLA_BE16, },
	[SMPLB_A_BACKEND_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &smplb_a_backend_weight_range),
};

/* SMPLB_CMD_BACKEND_SET - do */
static const struct nla_policy smplb_backend_set_nl_policy[SMPLB_A_BACKEND_WEIGHT + 1] = {
	[SMPLB_A_BACKEND_SERVICE] = NLA_POLICY_NESTED(smplb_service_def_nl_policy),
	[SMPLB_A_BACKEND_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_BACKEND_PORT] = { .type = NLA_BE16, },
	[SMPLB_A_BACKEND_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &smplb_a_backend_weight_range),
};

/* SMPLB_CMD_BACKEND_DEL - do */
static const struct nla_policy smplb_backend_del_nl_policy[SMPLB_A_BACKEND_PORT + 1] = {
	[SMPLB_A_BACKEND_SERVICE] = NLA_POLICY_NESTED(smplb_service_def_nl_policy),
	[SMPLB_A_BACKEND_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_BACKEND_PORT] = { .type = NLA_BE16, },
};

/* SMPLB_CMD_BACKEND_GET - do */
static const struct nla_policy smplb_backend_get_do_nl_policy[SMPLB_A_BACKEND_PORT + 1] = {
	[SMPLB_A_BACKEND_SERVICE] = NLA_POLICY_NESTED(smplb_service_def_nl_policy),
	[SMPLB_A_BACKEND_ADDR] = { .type = NLA_BE32, },
	[SMPLB_A_BACKEND_PORT] = { .type = NLA_BE16, },
};

/* SMPLB_CMD_BACKEND_GET - dump */
static const struct nla_policy smplb_backend_get_dump_nl_policy[SMPLB_A_BACKEND_SERVICE + 1] = {
	[SMPLB_A_BACKEND_SERVICE] = NLA_POLICY_NESTED(smplb_service_def_nl_policy),
};

/* SMPLB_CMD_CONFIG_APPLY - do */
static const struct nla_policy smplb_config_apply_nl_policy[SMPLB_A_CONFIG_EXPECT_GENERATION + 1] = {
	[SMPLB_A_CONFIG_SERVICE] = NLA_POLICY_NESTED(smplb_service_def_nl_policy),
	[SMPLB_A_CONFIG_BACKEND] = NLA_POLICY_NESTED(smplb_backend_def_nl_policy),
	[SMPLB_A_CONFIG_DRY_RUN] = { .type = NLA_FLAG, },
	[SMPLB_A_CONFIG_EXPECT_GENERATION] = { .type = NLA_UINT, },
};

/* SMPLB_CMD_PORT_PLAN - do */
static const struct nla_policy smplb_port_plan_nl_policy[SMPLB_A_PORT_QUEUES + 1] = {
	[SMPLB_A_PORT_LOWER_IFNAME] = { .type = NLA_NUL_STRING, .len = 31, },
	[SMPLB_A_PORT_QUEUES] = NLA_POLICY_RANGE(NLA_U32, 1, 64),
};

/* Ops table for smplb */
static const struct genl_split_ops smplb_nl_ops[] = {
	{
		.cmd		= SMPLB_CMD_PORT_GET,
		.doit		= smplb_nl_port_get_doit,
		.policy		= smplb_port_get_nl_policy,
		.maxattr	= SMPLB_A_PORT_IFNAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMPLB_CMD_PORT_GET,
		.dumpit	= smplb_nl_port_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SMPLB_CMD_PORT_SET,
		.doit		= smplb_nl_port_set_doit,
		.policy		= smplb_port_set_nl_policy,
		.maxattr	= SMPLB_A_PORT_CPU,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_SERVICE_NEW,
		.doit		= smplb_nl_service_new_doit,
		.policy		= smplb_service_new_nl_policy,
		.maxattr	= SMPLB_A_SERVICE_ANNOUNCE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_SERVICE_SET,
		.doit		= smplb_nl_service_set_doit,
		.policy		= smplb_service_set_nl_policy,
		.maxattr	= SMPLB_A_SERVICE_ANNOUNCE,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_SERVICE_DEL,
		.doit		= smplb_nl_service_del_doit,
		.policy		= smplb_service_del_nl_policy,
		.maxattr	= SMPLB_A_SERVICE_PORT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_SERVICE_GET,
		.doit		= smplb_nl_service_get_doit,
		.policy		= smplb_service_get_nl_policy,
		.maxattr	= SMPLB_A_SERVICE_PORT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMPLB_CMD_SERVICE_GET,
		.dumpit	= smplb_nl_service_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SMPLB_CMD_BACKEND_NEW,
		.doit		= smplb_nl_backend_new_doit,
		.policy		= smplb_backend_new_nl_policy,
		.maxattr	= SMPLB_A_BACKEND_WEIGHT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_BACKEND_SET,
		.doit		= smplb_nl_backend_set_doit,
		.policy		= smplb_backend_set_nl_policy,
		.maxattr	= SMPLB_A_BACKEND_WEIGHT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_BACKEND_DEL,
		.doit		= smplb_nl_backend_del_doit,
		.policy		= smplb_backend_del_nl_policy,
		.maxattr	= SMPLB_A_BACKEND_PORT,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_BACKEND_GET,
		.doit		= smplb_nl_backend_get_doit,
		.policy		= smplb_backend_get_do_nl_policy,
		.maxattr	= SMPLB_A_BACKEND_PORT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_BACKEND_GET,
		.dumpit		= smplb_nl_backend_get_dumpit,
		.policy		= smplb_backend_get_dump_nl_policy,
		.maxattr	= SMPLB_A_BACKEND_SERVICE,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= SMPLB_CMD_CONFIG_APPLY,
		.doit		= smplb_nl_config_apply_doit,
		.policy		= smplb_config_apply_nl_policy,
		.maxattr	= SMPLB_A_CONFIG_EXPECT_GENERATION,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMPLB_CMD_GENERATION_GET,
		.doit	= smplb_nl_generation_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMPLB_CMD_GENERATION_ROLLBACK,
		.doit	= smplb_nl_generation_rollback_doit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMPLB_CMD_ENGINE_GET,
		.dumpit	= smplb_nl_engine_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= SMPLB_CMD_STATS_GET,
		.doit	= smplb_nl_stats_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= SMPLB_CMD_CONNECTION_GET,
		.dumpit	= smplb_nl_connection_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= SMPLB_CMD_POOL_GET,
		.doit	= smplb_nl_pool_get_doit,
		.flags	= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= SMPLB_CMD_PORT_PLAN,
		.doit		= smplb_nl_port_plan_doit,
		.policy		= smplb_port_plan_nl_policy,
		.maxattr	= SMPLB_A_PORT_QUEUES,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group smplb_nl_mcgrps[] = {
	[SMPLB_NLGRP_CONFIG] = { "config", },
};

struct genl_family smplb_nl_family __ro_after_init = {
	.name		= SMPLB_FAMILY_NAME,
	.version	= SMPLB_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= smplb_nl_ops,
	.n_split_ops	= ARRAY_SIZE(smplb_nl_ops),
	.mcgrps		= smplb_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(smplb_nl_mcgrps),
};
