// SPDX-License-Identifier: GPL-2.0
/* Building and sending generic netlink messages: inlines Rust cannot call. */
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "nl_gen.h"
#include "smplb.h"

int smplb_c_genl_register(void)
{
	return genl_register_family(&smplb_nl_family);
}

void smplb_c_genl_unregister(void)
{
	genl_unregister_family(&smplb_nl_family);
}

struct net *smplb_c_genl_net(struct genl_info *info)
{
	return genl_info_net(info);
}

/*
 * An answer to @info with its header, for @size octets or what is usual, if
 * that is more; NULL when there is no memory.
 */
struct sk_buff *smplb_c_genl_reply_new(struct genl_info *info, size_t size,
				       void **hdr)
{
	struct sk_buff *skb = genlmsg_new(max(size, GENLMSG_DEFAULT_SIZE),
					  GFP_KERNEL);

	if (!skb)
		return NULL;
	*hdr = genlmsg_iput(skb, info);
	if (!*hdr) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

int smplb_c_genl_reply_send(struct sk_buff *skb, struct genl_info *info,
			    void *hdr)
{
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

void smplb_c_genl_reply_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
}

/* One object of a dump; NULL when the message is full. */
void *smplb_c_genl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb)
{
	return genlmsg_iput(skb, genl_info_dump(cb));
}

void smplb_c_genl_dump_end(struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
}

void smplb_c_genl_dump_cancel(struct sk_buff *skb, void *hdr)
{
	genlmsg_cancel(skb, hdr);
}

struct net *smplb_c_genl_dump_net(struct netlink_callback *cb)
{
	return sock_net(cb->skb->sk);
}

const struct genl_info *smplb_c_genl_dump_info(struct netlink_callback *cb)
{
	return genl_info_dump(cb);
}

struct nlattr *smplb_c_nest_start(struct sk_buff *skb, int type)
{
	return nla_nest_start(skb, type);
}

void smplb_c_nest_end(struct sk_buff *skb, struct nlattr *nest)
{
	nla_nest_end(skb, nest);
}

/* Attributes of a nested one, checked against the policy of the spec. */
int smplb_c_parse_service_def(struct nlattr **tb, const struct nlattr *nest,
			      struct netlink_ext_ack *extack)
{
	return nla_parse_nested(tb, SMPLB_A_SERVICE_DEF_MAX, nest,
				smplb_service_def_nl_policy, extack);
}

int smplb_c_parse_backend_def(struct nlattr **tb, const struct nlattr *nest,
			      struct netlink_ext_ack *extack)
{
	return nla_parse_nested(tb, SMPLB_A_BACKEND_DEF_MAX, nest,
				smplb_backend_def_nl_policy, extack);
}

/* Names the attribute that an error is about. */
void smplb_c_extack_attr(struct netlink_ext_ack *extack,
			 const struct nlattr *attr)
{
	NL_SET_BAD_ATTR(extack, attr);
}

/* Names an attribute that is missing. */
void smplb_c_extack_missing(struct netlink_ext_ack *extack, u32 type)
{
	NL_SET_ERR_ATTR_MISS(extack, NULL, type);
}

/* Tells listeners of the multicast group `config` of a new generation. */
struct sk_buff *smplb_c_ntf_new(void **hdr)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct genl_info info;

	if (!skb)
		return NULL;
	genl_info_init_ntf(&info, &smplb_nl_family, SMPLB_CMD_GENERATION_NTF);
	*hdr = genlmsg_iput(skb, &info);
	if (!*hdr) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

void smplb_c_ntf_send(struct net *net, struct sk_buff *skb, void *hdr)
{
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&smplb_nl_family, net, skb, 0,
				SMPLB_NLGRP_CONFIG, GFP_KERNEL);
}

void smplb_c_rtnl_lock(void)
{
	rtnl_lock();
}

void smplb_c_rtnl_unlock(void)
{
	rtnl_unlock();
}
