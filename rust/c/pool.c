// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that devices read and write: the buffer pool, chunks of pages that are
 * mapped for DMA as a whole, and descriptor rings.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>

#include "smplb.h"

#define SMPLB_CHUNK_ORDER	get_order(SMPLB_CHUNK_SIZE)

/*
 * A chunk of SMPLB_CHUNK_SIZE octets, zeroed and contiguous, so that a device
 * has one address for all of it; single pages, so that each can be mapped into
 * a program later.
 */
void *smplb_c_chunk_alloc(void)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
					__GFP_RETRY_MAYFAIL, SMPLB_CHUNK_ORDER);

	if (!page)
		return NULL;
	split_page(page, SMPLB_CHUNK_ORDER);
	return page_address(page);
}

void smplb_c_chunk_free(void *chunk)
{
	unsigned long at;

	for (at = 0; at < SMPLB_CHUNK_SIZE; at += PAGE_SIZE)
		free_page((unsigned long)chunk + at);
}

/*
 * The address of @chunk for @dev. A device whose packets would have to be copied
 * on their way (bounce buffers) is refused: that is what the pool is not for. So
 * is one that knows @physical addresses only and has others.
 */
int smplb_c_chunk_map(struct device *dev, void *chunk, bool physical, u64 *addr)
{
	dma_addr_t dma = dma_map_single_attrs(dev, chunk, SMPLB_CHUNK_SIZE,
					      DMA_BIDIRECTIONAL,
					      DMA_ATTR_REQUIRE_COHERENT);

	if (dma_mapping_error(dev, dma))
		return -ENOMEM;
	if (physical && dma != virt_to_phys(chunk)) {
		smplb_c_chunk_unmap(dev, dma);
		return -EOPNOTSUPP;
	}
	*addr = dma;
	return 0;
}

void smplb_c_chunk_unmap(struct device *dev, u64 addr)
{
	dma_unmap_single_attrs(dev, addr, SMPLB_CHUNK_SIZE, DMA_BIDIRECTIONAL,
			       DMA_ATTR_REQUIRE_COHERENT);
}

/*
 * Memory for a ring, zeroed, and its address for @dev. No dma_alloc_coherent():
 * what a device has been lost with is unmapped, but never somebody else's memory.
 * Where that is not coherent the chunks of the pool cannot be mapped either.
 */
void *smplb_c_ring_alloc(struct device *dev, size_t size, u64 *addr)
{
	void *ring = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);
	dma_addr_t dma;

	if (!ring)
		return NULL;
	dma = dma_map_single_attrs(dev, ring, size, DMA_BIDIRECTIONAL,
				   DMA_ATTR_REQUIRE_COHERENT);
	if (dma_mapping_error(dev, dma)) {
		free_pages_exact(ring, size);
		return NULL;
	}
	*addr = dma;
	return ring;
}

void smplb_c_ring_unmap(struct device *dev, u64 addr, size_t size)
{
	dma_unmap_single_attrs(dev, addr, size, DMA_BIDIRECTIONAL,
			       DMA_ATTR_REQUIRE_COHERENT);
}

void smplb_c_ring_free(void *ring, size_t size)
{
	free_pages_exact(ring, size);
}

/*
 * Pages of a ring of @size octets that a program is to map: they outlive the ring,
 * so that nobody else has them while it does.
 */
void smplb_c_pages_hold(void *ring, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE_SIZE)
		get_page(virt_to_page(ring + at));
}

void smplb_c_pages_drop(void *ring, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE_SIZE)
		put_page(virt_to_page(ring + at));
}

/* What @memory leads to is kept for good, and not by mistake. */
void smplb_c_lost(const void *memory)
{
	kmemleak_not_leak(memory);
}
