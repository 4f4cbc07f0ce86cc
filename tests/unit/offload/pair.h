/* SPDX-License-Identifier: ISC */
/*
 * Two directors see the same frames, one alone, one whose flows are offloaded by offload/decide.h on shared memory, as
 * the kernel does it: what leaves, and what is counted, must be the same. The including file defines configure().
 */
#ifndef TESTS_UNIT_OFFLOAD_PAIR_H
#define TESTS_UNIT_OFFLOAD_PAIR_H

#include <stdlib.h>
#include <string.h>

#include "../scene/scene.h"
#include "base/bytes.h"
#include "forward/forward.h"
#include "offload_shared.h"

#define BUCKETS 1024
#define IFINDEX 17 /* eth0 is 17, eth1 is 18 */

static struct scene alone, aided;
static struct offload_cache *offload;
static unsigned offloaded;

static struct offload_bucket *
offload_bucket_at(uint32_t number)
{
	ck_assert_uint_lt(number, BUCKETS);
	return &shared.buckets[number];
}

static void configure(struct scene *scene);

static void
refresh(bool forget)
{
	offload_refresh(offload, aided.forwarder.table, aided.forwarder.ifaces, forget, NULL, 0, aided.now);
}

static void
setup(void)
{
	static const struct siphash_key secret = { { 42 } };

	offloaded = 0;
	ck_assert(shared_open(BUCKETS));
	scene_open(&alone);
	scene_open(&aided);
	configure(&alone);
	configure(&aided);
	offload = offload_new(&shared, &secret, aided.forwarder.conns, SCENE_FLOWS,
	    &aided.forwarder.stats);
	ck_assert_ptr_nonnull(offload);
	aided.forwarder.offload = offload;
	offload_iface(offload, 0, IFINDEX, true);
	offload_iface(offload, 1, IFINDEX + 1, false);
	refresh(false);
}

static void
teardown(void)
{
	offload_free(offload);
	aided.forwarder.offload = NULL;
	scene_close(&alone);
	scene_close(&aided);
	shared_close();
}

/* Would the kernel carry it? Then it leaves `aided`, which learns of it. */
static bool
kernel_takes(const struct frame *frame)
{
	static uint8_t bytes[FRAME_MOST + ENCAP_HEADER_MOST];
	struct view view = { bytes, frame->length };
	struct offload_frame seen = { .source = &view, .length = frame->length, .ifindex = IFINDEX + frame->iface,
		.now = aided.now * 1000, .sums_unknown = true };
	struct offload_head head;
	struct offload_hand hand;
	struct frame out;

	memcpy(bytes, frame->bytes, frame->length);
	memset(&head, 0, sizeof(head));
	if (!offload_decide(&seen, shared.control, &head, &hand))
		return false;
	offloaded++;
	for (uint32_t i = 0; i < record_count; i++)
		forward_learn(&aided.forwarder, &records[i]);
	record_count = 0;
	ck_assert(shared_leave(&view, &hand));
	out = frame_of(bytes, view.length, (uint16_t)(hand.ifindex - IFINDEX));
	aided.forwarder.tx.emit(aided.forwarder.tx.context, &out);
	return true;
}

/* True when the kernel forwarded it. */
static bool
give(struct scene *scene, struct frame frame)
{
	if (scene == &aided && kernel_takes(&frame))
		return true;
	forward_frame(&scene->forwarder, &frame, scene->now);
	return false;
}

/* A TCP segment with numbers. */
static struct frame
segment(struct scene *scene, const struct shape *shape, uint32_t sequence, uint32_t acknowledgement)
{
	struct frame frame = scene_frame(scene, shape);
	const uint32_t l4 = load16(frame.bytes + ETHER_TYPE) == ETHERTYPE_IPV6 ? 54 : 34;

	if (shape->protocol == 0 && l4 + 20 <= frame.length) {
		store32(frame.bytes + l4 + 4, sequence - ((shape->flags & TCP_SYN) != 0));
		store32(frame.bytes + l4 + 8, acknowledgement);
		/* A checksum that is wrong, and by no chance the unfinished one. */
		store16(frame.bytes + l4 + 16, 0);
	}
	return frame;
}

static bool
give_both(const struct shape *shape, uint32_t sequence, uint32_t acknowledgement)
{
	bool was_offloaded;

	scene_forget(&alone);
	scene_forget(&aided);
	give(&alone, segment(&alone, shape, sequence, acknowledgement));
	was_offloaded = give(&aided, segment(&aided, shape, sequence, acknowledgement));
	must(alone.sent_count == aided.sent_count, "%zu frames alone, %zu aided", alone.sent_count, aided.sent_count);
	for (size_t i = 0; i < alone.sent_count; i++) {
		const size_t length = alone.sent[i].length;

		must(alone.sent[i].iface == aided.sent[i].iface, "frame %zu leaves by another interface", i);
		must(length == aided.sent[i].length, "frame %zu has another length", i);
		must(memcmp(alone.sent[i].bytes, aided.sent[i].bytes, length) == 0, "frame %zu has other bytes", i);
	}
	return was_offloaded;
}

static bool
tcp(uint16_t port, uint8_t flags)
{
	const struct shape shape = { .from_port = port, .flags = flags };

	return give_both(&shape, 1000, 1);
}

static void
compare_servers(void)
{
	for (size_t i = 0; i < alone.model->slot_count; i++) {
		const struct server_run *a = alone.model->slots[i]->run, *b = aided.model->slots[i]->run;

		ck_assert_uint_eq(a->packets, b->packets);
		ck_assert_uint_eq(a->bytes, b->bytes);
		ck_assert_uint_eq(a->connections, b->connections);
		ck_assert_uint_eq(a->active, b->active);
		ck_assert_uint_eq(a->inactive, b->inactive);
		/* What is owed for FINs is paid by whatever is counted next, here or there. */
		ck_assert_uint_eq(a->measure.response_bytes - a->measure.owed,
		    b->measure.response_bytes - b->measure.owed);
		ck_assert_uint_eq(a->measure.retransmits, b->measure.retransmits);
		ck_assert_uint_eq(a->measure.jumps, b->measure.jumps);
	}
}

static void
compare_counters(void)
{
	struct forward_stats counted;

	offload_sync(offload, UINT32_MAX, aided.now);
	counted = aided.forwarder.stats;
	ck_assert_uint_eq(counted.offloaded, offloaded);
	counted.offloaded = counted.offload_full = counted.selected = counted.unrecorded = 0;
	ck_assert_mem_eq(&alone.forwarder.stats, &counted, sizeof(counted));
	ck_assert_uint_eq(conn_table_count(alone.forwarder.conns), conn_table_count(aided.forwarder.conns));
	compare_servers();
}

static void
pass_time(uint64_t time)
{
	alone.now += time;
	aided.now += time;
	forward_tick(&alone.forwarder, alone.now);
	forward_tick(&aided.forwarder, aided.now);
	offload_tick(offload, aided.now);
}

static void
both_compile(bool forget)
{
	scene_compile(&alone);
	scene_compile(&aided);
	refresh(forget);
}

#endif
