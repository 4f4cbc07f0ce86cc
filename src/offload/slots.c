/* SPDX-License-Identifier: ISC */
/*
 * Which slot in the shared memory a flow has. There are as many buckets in use as the flows need: a look-up is cheap
 * while what it touches is in the processor's caches, so few flows in a large memory stay close together.
 */
#include "config.h"

#include "offload/cache_state.h"

#include <string.h>


/* A freed slot rests for 16 ms: longer than any reader uses one. */
#define REST 16

/*
 * A quarter of the slots is used until all buckets are in use: buckets that are not split yet have twice the flows of
 * others, and slots that were freed rest for a while. At one half, one flow in thirty found no slot immediately; at a
 * quarter, one in a thousand. For those the table grows ahead of its flows.
 */
#define BUCKETS_LEAST 16
#define FLOWS_EACH 1
#define CROWDED_STEPS 16

/* A quarter of that before it shrinks, as hysteresis; so many buckets at a time, at 0.3 us each. */
#define SHRINK_SHARE 4
#define SHRINK_STEPS 1024

/* In use. */
static uint32_t
slots_bucket_count(const struct offload_cache *offload)
{
	return (uint32_t)(offload->memory.control->size >> 32);
}

static void
slots_set_bucket_count(struct offload_cache *offload, uint32_t count)
{
	__atomic_store_n(&offload->memory.control->size, offload_size(count), __ATOMIC_SEQ_CST);
}

void
offload_places_begin(struct offload_cache *offload)
{
	slots_set_bucket_count(offload, BUCKETS_LEAST);
}

struct offload_flow *
offload_flow_at(const struct offload_cache *offload, uint32_t place)
{
	return &offload->memory.buckets[place / OFFLOAD_WAYS].ways[place % OFFLOAD_WAYS];
}

static uint32_t
slots_place(const struct offload_cache *offload, const struct offload_flow *flow)
{
	/* The first of a bucket's ways is where the bucket is. */
	return (uint32_t)(flow - offload->memory.buckets[0].ways);
}

/* --- slots are occupied and freed -------------------------------------------------------------------------------- */

static bool
slots_is_listed(const struct offload_cache *offload, const struct offload_flow *flow)
{
	return flow->listed < offload->listed && offload->list[flow->listed] == slots_place(offload, flow);
}

static bool
slots_has_rested(const struct offload_cache *offload, const struct offload_flow *flow)
{
	/* The kernel's clock may be a little ahead of ours, which was read at the start of the burst. */
	return (int32_t)(offload->now - flow->seen) >= REST;
}

static bool
slots_is_free(const struct offload_cache *offload, const struct offload_flow *flow)
{
	return flow->name == 0 && (!slots_is_listed(offload, flow) || slots_has_rested(offload, flow));
}

/* Late counts of a freed slot, by a reader that had found the flow just before. */
static void
slots_count_late(struct offload_cache *offload, struct offload_flow *flow)
{
	const uint64_t count = __atomic_exchange_n(&flow->count, 0, __ATOMIC_ACQUIRE);

	if (count != 0)
		(void)offload_add(offload, (struct server_ref) { (uint16_t)flow->conn, (uint16_t)(flow->conn >> 16) },
		    count);
}

bool
offload_reclaim(struct offload_cache *offload, struct offload_flow *flow)
{
	uint32_t last;

	if (!slots_has_rested(offload, flow))
		return false;
	slots_count_late(offload, flow);
	last = offload->list[--offload->listed];
	offload->list[flow->listed] = last;
	offload_flow_at(offload, last)->listed = flow->listed;
	return true;
}

/* The slot belongs to the flow from here on; its name is written later. */
static void
slots_enter(struct offload_cache *offload, struct offload_flow *flow, uint32_t number)
{

	if (slots_is_listed(offload, flow)) {
		slots_count_late(offload, flow);
	} else {
		flow->listed = offload->listed;
		offload->list[offload->listed++] = slots_place(offload, flow);
	}
	flow->count = 0;
	flow->resent = 0;
	flow->conn = number;
	offload->places[number] = slots_place(offload, flow) + 1;
	offload->count++;
}

/* The name is cleared first, so that after that only a reader that has already found the flow can count. */
static void
slots_clear_name(struct offload_flow *flow)
{
	__atomic_store_n(&flow->name, 0, __ATOMIC_SEQ_CST);
}

/* It stays in the list, with its server, until it has rested. */
static void
slots_leave(struct offload_cache *offload, struct offload_flow *flow, struct server_ref server)
{
	offload->places[flow->conn] = 0;
	flow->conn = server.slot | (uint32_t)server.generation << 16;
	flow->seen = offload->now;
	offload->count--;
}

void
offload_vacate(struct offload_cache *offload, struct offload_flow *flow, struct conn *conn)
{
	slots_clear_name(flow);
	(void)offload_take(offload, flow, conn);
	slots_leave(offload, flow, conn->server);
}

static struct offload_flow *
slots_free_way(const struct offload_cache *offload, uint32_t bucket)
{
	struct offload_flow *ways = offload->memory.buckets[bucket].ways;

	for (uint32_t i = 0; i < OFFLOAD_WAYS; i++)
		if (slots_is_free(offload, &ways[i]))
			return &ways[i];
	return NULL;
}

/*
 * --- growing and shrinking
 * ---------------------------------------------------------------------------------------------
 */

static uint64_t
slots_hash(const struct offload_cache *offload, const uint8_t client[16], const uint8_t vip[16], uint64_t name)
{
	const bool udp = (name & OFFLOAD_NAME_UDP) != 0;
	union offload_addr from, to;

	memcpy(from.bytes, client, sizeof(from.bytes));
	memcpy(to.bytes, vip, sizeof(to.bytes));
	return addr_is_mapped(vip) ?
	    offload_hash_ipv4(&offload->memory.control->key, from.words, to.words, (uint32_t)name, udp) :
	    offload_hash_ipv6(&offload->memory.control->key, from.words, to.words, (uint32_t)name, udp);
}

/* Moves the flow from one slot to the other, with its counts. */
static void
slots_move(struct offload_cache *offload, struct offload_flow *from, struct offload_flow *to)
{
	const uint64_t name = from->name;
	const uint32_t number = from->conn, seen = from->seen;

	slots_clear_name(from);
	slots_leave(offload, from, conn_at(offload->conns, number)->server);
	slots_enter(offload, to, number);
	memcpy(to->client, from->client, sizeof(to->client));
	memcpy(to->from, from->from, sizeof(to->from));
	to->vip = from->vip;
	to->acknowledged = from->acknowledged;
	to->sent = from->sent;
	to->resent = __atomic_exchange_n(&from->resent, 0, __ATOMIC_RELAXED);
	to->count = __atomic_exchange_n(&from->count, 0, __ATOMIC_ACQUIRE);
	to->seen = seen;
	__atomic_store_n(&to->name, name, __ATOMIC_RELEASE);
}

/* A flow whose bucket changes with the new size: moved to `other`, or removed if that is full. */
static void
slots_resettle(struct offload_cache *offload, struct offload_flow *flow, uint32_t bucket, uint32_t other)
{
	const uint64_t size = offload->memory.control->size;
	const uint64_t hash = slots_hash(offload, flow->client, offload->memory.vips[flow->vip].addr, flow->name);
	const uint32_t first = offload_first(size, hash), second = offload_second(size, hash);
	struct offload_flow *to;

	if (first == bucket || second == bucket)
		return;
	/* Neither: the VIP's number now belongs to another VIP. */
	to = first == other || second == other ? slots_free_way(offload, other) : NULL;
	if (to != NULL)
		slots_move(offload, flow, to);
	else
		offload_vacate(offload, flow, conn_at(offload->conns, flow->conn));
}

static void
slots_resettle_bucket(struct offload_cache *offload, uint32_t bucket, uint32_t other)
{
	struct offload_flow *ways = offload->memory.buckets[bucket].ways;

	for (uint32_t i = 0; i < OFFLOAD_WAYS; i++)
		if (ways[i].name != 0)
			slots_resettle(offload, &ways[i], bucket, other);
}

static void
slots_grow(struct offload_cache *offload, unsigned steps)
{

	for (; steps > 0 && slots_bucket_count(offload) < offload->memory.bucket_count; steps--) {
		const uint32_t number = slots_bucket_count(offload);

		slots_set_bucket_count(offload, number + 1);
		slots_resettle_bucket(offload, linear_parent(number), number);
	}
}

void
offload_shrink(struct offload_cache *offload)
{

	for (unsigned i = 0; i < SHRINK_STEPS; i++) {
		const uint32_t number = slots_bucket_count(offload) - 1;

		if (number < BUCKETS_LEAST || offload->count >= number / SHRINK_SHARE * FLOWS_EACH)
			return;
		slots_set_bucket_count(offload, number);
		slots_resettle_bucket(offload, number, linear_parent(number));
	}
}

static uint32_t
slots_count_free(const struct offload_cache *offload, uint32_t bucket)
{
	const struct offload_flow *ways = offload->memory.buckets[bucket].ways;
	uint32_t count = 0;

	for (uint32_t i = 0; i < OFFLOAD_WAYS; i++)
		count += slots_is_free(offload, &ways[i]);
	return count;
}

/* In the first bucket, where it is found sooner, unless that is nearly full and the second is not. */
static struct offload_flow *
slots_find_place(const struct offload_cache *offload, uint64_t hash)
{
	const uint64_t size = offload->memory.control->size;
	const uint32_t first = offload_first(size, hash), second = offload_second(size, hash),
	    left = slots_count_free(offload, first);

	return slots_free_way(offload, left > 1 || left >= slots_count_free(offload, second) ? first : second);
}

struct offload_flow *
offload_occupy(struct offload_cache *offload, const struct conn *conn, const struct fwd_vip *vip)
{
	struct offload_flow *flow;
	uint8_t address[16];

	addr_mapped(&vip->addr, address);
	if (offload->count >= slots_bucket_count(offload) * FLOWS_EACH)
		slots_grow(offload, 1);
	flow = slots_find_place(offload, slots_hash(offload, conn->key.client, address, offload_name(&conn->key)));
	if (flow == NULL) {
		/* The flow's next frame tries again. */
		offload->stats->offload_full += slots_bucket_count(offload) == offload->memory.bucket_count;
		slots_grow(offload, CROWDED_STEPS);
		return NULL;
	}
	slots_enter(offload, flow, conn_number(offload->conns, conn));
	memcpy(flow->client, conn->key.client, sizeof(flow->client));
	flow->vip = vip->number;
	return flow;
}
