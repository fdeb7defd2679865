// SPDX-License-Identifier: GPL-2.0
/* What the user is told: reasons of refusals, and the log. */
#include <linux/net.h>
#include <linux/netlink.h>

#include "smplb.h"

/* NL_SET_ERR_MSG() for a text that is a constant of the Rust side. */
void smplb_c_extack_set(struct netlink_ext_ack *extack, const char *text)
{
	extack->_msg = text;
}

/* The one way to the log, with a rate limit. */
void smplb_c_log_error(const char *what, int error)
{
	net_err_ratelimited("smplb: %s: %pe\n", what, ERR_PTR(error));
}
