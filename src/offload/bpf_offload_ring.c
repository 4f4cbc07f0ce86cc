/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/bpf_offload_ring.h"

#include <sys/epoll.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <unistd.h>

static size_t
ring_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int
ring_open(struct ring *ring, int outer, uint32_t number, int epoll)
{
	struct epoll_event event = { .events = EPOLLIN, .data = { .u32 = number } };
	void *memory;

	ring->map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "dsrd_ring", 0, 0, SELECT_RING, NULL);
	if (ring->map < 0)
		return errno;
	memory = mmap(NULL, ring_page(), PROT_READ | PROT_WRITE, MAP_SHARED, ring->map, 0);
	if (memory == MAP_FAILED)
		return errno;
	ring->read = memory;
	memory = mmap(NULL, ring_page() + (size_t)2 * SELECT_RING, PROT_READ, MAP_SHARED, ring->map,
	    (off_t)ring_page());
	if (memory == MAP_FAILED)
		return errno;
	ring->written = memory;
	if (bpf_map_update_elem(outer, &number, &ring->map, BPF_ANY) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, ring->map, &event) == -1)
		return errno;
	return 0;
}

int
rings_open(struct rings *rings, int outer, uint32_t count)
{
	int result;

	rings->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (rings->epoll == -1)
		return errno;
	rings->rings = calloc(count, sizeof(*rings->rings));
	if (rings->rings == NULL)
		return ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		rings->count = i + 1;
		result = ring_open(&rings->rings[i], outer, i, rings->epoll);
		if (result != 0)
			return result;
	}
	return 0;
}

void
rings_close(struct rings *rings)
{
	for (uint32_t i = 0; i < rings->count; i++) {
		struct ring *ring = &rings->rings[i];

		if (ring->read != NULL)
			(void)munmap(ring->read, ring_page());
		if (ring->written != NULL)
			(void)munmap((void *)(uintptr_t)ring->written, ring_page() + (size_t)2 * SELECT_RING);
		if (ring->map >= 0)
			(void)close(ring->map);
	}
	free(rings->rings);
	if (rings->epoll != -1)
		(void)close(rings->epoll);
	*rings = (struct rings) { .epoll = -1 };
}

/*
 * A reader may free the room of a record as soon as it has read it: the position is written after each one. The kernel's
 * records are multiples of 8 bytes long, with 8 before them (kernel/bpf/ringbuf.c).
 */
static uint32_t
ring_read(struct ring *ring, uint32_t budget, bpf_offload_reader *reader, void *context)
{
	const uint8_t *data = (const uint8_t *)ring->written + ring_page();
	const uint64_t end = __atomic_load_n(ring->written, __ATOMIC_ACQUIRE);
	uint64_t at = *ring->read;
	uint32_t count = 0;

	while (at < end && count < budget) {
		const uint8_t *entry = data + (at & (SELECT_RING - 1));
		const uint32_t header = __atomic_load_n((const uint32_t *)(const void *)entry, __ATOMIC_ACQUIRE);
		const uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if ((header & BPF_RINGBUF_BUSY_BIT) != 0)
			break;
		if ((header & BPF_RINGBUF_DISCARD_BIT) == 0 && length == sizeof(struct select_record)) {
			reader(context, (const struct select_record *)(const void *)(entry + BPF_RINGBUF_HDR_SZ));
			count++;
		}
		at += (length + BPF_RINGBUF_HDR_SZ + 7) & ~UINT64_C(7);
		__atomic_store_n(ring->read, at, __ATOMIC_RELEASE);
	}
	return count;
}

uint32_t
rings_read(struct rings *rings, uint32_t budget, bpf_offload_reader *reader, void *context)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < rings->count; i++)
		count += ring_read(&rings->rings[i], budget, reader, context);
	return count;
}
