/* SPDX-License-Identifier: ISC */
/*
 * offload/decide.h as tests use it: compiled for this machine, on memory of the test's own, as the kernel does it on
 * memory that it shares with the daemon. Who includes this file defines offload_bucket_at(), which says how far it
 * may reach.
 */
#ifndef TESTS_UNIT_OFFLOAD_SHARED_H
#define TESTS_UNIT_OFFLOAD_SHARED_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "offload/cache.h"

/* What offload_core.h asks for; it has no pointer to hand through. */
static struct offload_memory shared;
static struct offload_bucket *offload_bucket_at(uint32_t number);

struct view {
	const uint8_t *bytes;
	uint32_t length;
};

static int
offload_load(void *source, uint32_t offset, uint8_t *bytes, uint32_t length)
{
	const struct view *view = source;

	if (offset + length > view->length)
		return -1;
	memcpy(bytes, view->bytes + offset, length);
	return 0;
}

static struct offload_server *
offload_server_at(uint32_t slot)
{
	return &shared.servers[slot];
}

static struct offload_vip *
offload_vip_at(uint32_t number)
{
	return &shared.vips[number];
}

#include "offload/decide.h"

/* False: no memory. */
static inline bool
shared_open(uint32_t buckets)
{
	shared.bucket_count = buckets;
	shared.buckets = calloc(buckets, sizeof(*shared.buckets));
	shared.servers = calloc(OFFLOAD_SERVERS, sizeof(*shared.servers));
	shared.vips = calloc(OFFLOAD_VIPS, sizeof(*shared.vips));
	shared.control = calloc(1, sizeof(*shared.control));
	return shared.buckets != NULL && shared.servers != NULL && shared.vips != NULL && shared.control != NULL;
}

static inline void
shared_close(void)
{
	free(shared.buckets);
	free(shared.servers);
	free(shared.vips);
	free(shared.control);
}

#endif
