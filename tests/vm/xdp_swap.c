// SPDX-License-Identifier: GPL-2.0
/*
 * The least that an XDP program can do to pass a frame on: swap the MAC
 * addresses, and redirect. What native ports are compared with.
 */
#include <linux/bpf.h>

#define SEC(name) __attribute__((section(name), used))

static long (*bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)BPF_FUNC_redirect;

SEC("xdp")
int swap(struct xdp_md *ctx)
{
	__u16 *mac = (void *)(long)ctx->data;
	__u16 word;
	int i;

	if ((void *)(mac + 7) > (void *)(long)ctx->data_end)
		return XDP_DROP;
#pragma unroll
	for (i = 0; i < 3; i++) {
		word = mac[i];
		mac[i] = mac[i + 3];
		mac[i + 3] = word;
	}
	return bpf_redirect(OUT, 0);
}

/* Where frames are redirected to, there has to be one, too. */
SEC("xdp.pass")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("license")
char _license[] = "GPL";
