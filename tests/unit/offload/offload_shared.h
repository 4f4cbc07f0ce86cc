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

#include "offload/publish.h"

/* What offload_core.h asks for; it has no pointer to hand through. */
static struct offload_memory shared;
static struct offload_bucket *offload_bucket_at(uint32_t number);

/* A frame; to leave in a tunnel it needs room for ENCAP_HEADER_MOST bytes more. */
struct view {
	uint8_t *bytes;
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

static int
offload_store(void *source, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
	const struct view *view = source;

	if (offset + length > view->length)
		return -1;
	memcpy(view->bytes + offset, bytes, length);
	return 0;
}

static int
offload_make_room(void *source, const struct offload_hand *hand)
{
	struct view *view = source;

	view->length -= hand->padding;
	memmove(view->bytes + 14 + hand->encap.length, view->bytes + 14, view->length - 14);
	view->length += hand->encap.length;
	return 0;
}

static struct offload_encap *
offload_encap_at(uint32_t slot)
{
	return slot < OFFLOAD_ENCAPS ? &shared.encaps[slot] : NULL;
}

static struct offload_server *
offload_server_at(uint32_t slot)
{
	return &shared.servers[slot];
}

/* What happens elsewhere in the middle of a decision: when it has found its flow, or the ports of its VIP. */
static void (*shared_pause)(void);

static struct offload_vip *
offload_vip_at(uint32_t number)
{
	if (shared_pause != NULL)
		shared_pause();
	return &shared.vips[number];
}

static struct select_control *
offload_selection(void)
{
	return shared.selection;
}

static struct select_bank *
offload_bank_at(uint32_t number)
{
	return &shared.banks[number];
}

/* What the kernel has recorded and the daemon has not read yet. */
#define RECORDS_MOST 64
static struct select_record records[RECORDS_MOST];
static uint32_t record_count, records_most = RECORDS_MOST, cpu;

static struct select_counts *
offload_counts(void)
{
	return &shared.counts[cpu];
}

static struct select_record *
offload_record_begin(void)
{
	return record_count < records_most ? &records[record_count] : NULL;
}

static void
offload_record_end(struct select_record *record)
{
	record_count += record == &records[record_count];
}

#include "offload/decide.h"

/* Writes what has been decided. False: it cannot. */
static inline bool
shared_leave(struct view *view, const struct offload_hand *hand)
{
	if (hand->encap.length != 0)
		return offload_leave_by_tunnel(view, hand);
	return offload_is_plain(hand) ? offload_store(view, 0, hand->macs, sizeof(hand->macs)) == 0 :
	    offload_leave_readdressed(view, hand);
}
#define SHARED_CPUS 2

/* False: no memory. */
static inline bool
shared_open(uint32_t buckets)
{
	shared.bucket_count = buckets;
	shared.buckets = calloc(buckets, sizeof(*shared.buckets));
	shared.servers = calloc(OFFLOAD_SERVERS, sizeof(*shared.servers));
	shared.encaps = calloc(OFFLOAD_ENCAPS, sizeof(*shared.encaps));
	shared.vips = calloc(OFFLOAD_VIPS, sizeof(*shared.vips));
	shared.control = calloc(1, sizeof(*shared.control));
	shared.selection = calloc(1, sizeof(*shared.selection));
	shared.banks = calloc(SELECT_BANKS, sizeof(*shared.banks));
	shared.counts = calloc(SHARED_CPUS, sizeof(*shared.counts));
	shared.cpus = SHARED_CPUS;
	record_count = 0;
	if (shared.selection == NULL || shared.banks == NULL || shared.counts == NULL)
		return false;
	return shared.buckets != NULL && shared.servers != NULL && shared.encaps != NULL && shared.vips != NULL &&
	    shared.control != NULL;
}

static inline void
shared_close(void)
{
	free(shared.buckets);
	free(shared.servers);
	free(shared.encaps);
	free(shared.vips);
	free(shared.control);
	free(shared.selection);
	free(shared.banks);
	free(shared.counts);
}

#endif
