// SPDX-License-Identifier: GPL-2.0
/*
 * A responder by AF_XDP: xsk INTERFACE sleep|look [copy]. The first queue is bound
 * without copies if the driver can do that, and unless copies are wanted; otherwise
 * with one each way. It says which. All that comes is the socket's: the program is
 * the shortest that there is.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "turn.h"

#define RING 2048
#define CHUNK 2048

struct ring {
	unsigned int *producer, *consumer, *flags;
	void *entries;
	/* What we have produced or consumed. */
	unsigned int at;
};

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void map_ring(struct ring *ring, int fd, const struct xdp_ring_offset *offset, size_t entry,
		     off_t where)
{
	char *memory = mmap(NULL, offset->desc + RING * entry, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, fd, where);

	must(memory == MAP_FAILED ? -1 : 0, "mmap of a ring");
	ring->producer = (void *)(memory + offset->producer);
	ring->consumer = (void *)(memory + offset->consumer);
	ring->flags = (void *)(memory + offset->flags);
	ring->entries = memory + offset->desc;
}

static unsigned int theirs(const unsigned int *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void ours(unsigned int *index, unsigned int value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* Gives all that comes by the interface to the socket. */
static void redirect(int fd, int ifindex)
{
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = 1,
	};
	int map_fd = must(bpf(BPF_MAP_CREATE, &map), "BPF_MAP_CREATE"), key = 0;
	struct bpf_insn program[] = {
		/* return bpf_redirect_map(map, ctx->rx_queue_index, XDP_PASS); */
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
		  offsetof(struct xdp_md, rx_queue_index), 0 },
		{ BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map_fd },
		{ 0 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, XDP_PASS },
		{ BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map },
		{ BPF_JMP | BPF_EXIT, 0, 0, 0, 0 },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insn_cnt = sizeof(program) / sizeof(*program),
		.insns = (unsigned long)program,
		.license = (unsigned long)"GPL",
	};
	union bpf_attr element = {
		.map_fd = map_fd, .key = (unsigned long)&key, .value = (unsigned long)&fd,
	};
	union bpf_attr link = { 0 };

	link.link_create.prog_fd = must(bpf(BPF_PROG_LOAD, &load), "BPF_PROG_LOAD");
	link.link_create.target_ifindex = ifindex;
	link.link_create.attach_type = BPF_XDP;
	link.link_create.flags = XDP_FLAGS_DRV_MODE;
	must(bpf(BPF_LINK_CREATE, &link), "BPF_LINK_CREATE");
	must(bpf(BPF_MAP_UPDATE_ELEM, &element), "BPF_MAP_UPDATE_ELEM");
}

/* The queue is another one's for a moment after that has ended. */
static int bind_it(int fd, const struct sockaddr_xdp *at)
{
	int tries, done;

	for (tries = 0; tries < 100; tries++) {
		done = bind(fd, (const void *)at, sizeof(*at));
		if (!done || errno != EBUSY)
			break;
		usleep(100000);
	}
	return done;
}

int main(int argc, char **argv)
{
	int fd = must(socket(AF_XDP, SOCK_RAW, 0), "socket"), size = RING, sleeps, copies = 0;
	struct sockaddr_xdp at = { .sxdp_family = AF_XDP };
	struct ring rx = { 0 }, tx = { 0 }, fill = { 0 }, done = { 0 };
	struct xdp_mmap_offsets offsets;
	socklen_t len = sizeof(offsets);
	struct xdp_umem_reg umem = { .len = (size_t)RING * CHUNK, .chunk_size = CHUNK };
	unsigned char *memory;
	unsigned int n;

	if (argc != 3 && argc != 4)
		return 2;
	sleeps = !strcmp(argv[2], "sleep");
	memory = mmap(NULL, umem.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		      -1, 0);
	must(memory == MAP_FAILED ? -1 : 0, "mmap");
	umem.addr = (unsigned long)memory;
	must(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)), "XDP_UMEM_REG");
	must(setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &size, sizeof(size)), "XDP_UMEM_FILL_RING");
	must(setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &size, sizeof(size)), "COMPLETION_RING");
	must(setsockopt(fd, SOL_XDP, XDP_RX_RING, &size, sizeof(size)), "XDP_RX_RING");
	must(setsockopt(fd, SOL_XDP, XDP_TX_RING, &size, sizeof(size)), "XDP_TX_RING");
	must(getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &len), "XDP_MMAP_OFFSETS");
	map_ring(&rx, fd, &offsets.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
	map_ring(&tx, fd, &offsets.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
	map_ring(&fill, fd, &offsets.fr, sizeof(__u64), XDP_UMEM_PGOFF_FILL_RING);
	map_ring(&done, fd, &offsets.cr, sizeof(__u64), XDP_UMEM_PGOFF_COMPLETION_RING);
	for (n = 0; n < RING; n++)
		((__u64 *)fill.entries)[n] = (__u64)n * CHUNK;
	ours(fill.producer, fill.at = RING);

	at.sxdp_ifindex = if_nametoindex(argv[1]);
	redirect(fd, at.sxdp_ifindex);
	at.sxdp_flags = XDP_USE_NEED_WAKEUP | XDP_ZEROCOPY;
	if (argc == 4 || bind_it(fd, &at)) {
		at.sxdp_flags = XDP_USE_NEED_WAKEUP | XDP_COPY;
		copies = 1;
		must(bind_it(fd, &at), "bind");
	}
	printf("answering with%s copies\n", copies ? "" : "out");
	fflush(stdout);
	for (;;) {
		unsigned int got = theirs(rx.producer) - rx.at, back, sent = 0, waits;

		got = got < BURST ? got : BURST;
		for (n = 0; n < got; n++) {
			struct xdp_desc *from = (struct xdp_desc *)rx.entries + (rx.at++ % RING);

			/* As many as came are back before more come: there is room on either ring. */
			if (turn(memory + from->addr, from->len)) {
				((struct xdp_desc *)tx.entries)[tx.at++ % RING] = *from;
				sent++;
			} else {
				((__u64 *)fill.entries)[fill.at++ % RING] = from->addr & ~(CHUNK - 1ull);
			}
		}
		ours(rx.consumer, rx.at);
		if (sent)
			ours(tx.producer, tx.at);
		back = theirs(done.producer) - done.at;
		for (n = 0; n < back; n++)
			((__u64 *)fill.entries)[fill.at++ % RING] =
				((__u64 *)done.entries)[done.at++ % RING] & ~(CHUNK - 1ull);
		ours(done.consumer, done.at);
		ours(fill.producer, fill.at);
		/* With copies a call sends no more than some: again, until all are. */
		waits = tx.at != theirs(tx.consumer);
		if (waits && theirs(tx.flags) & XDP_RING_NEED_WAKEUP)
			sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0);
		if (!got && !waits && (sleeps || theirs(fill.flags) & XDP_RING_NEED_WAKEUP))
			poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, sleeps ? -1 : 0);
	}
}
