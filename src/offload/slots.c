/* SPDX-License-Identifier: ISC */
/*
 * Which place in the shared memory a flow has. There are as many buckets in use as the flows need: a look-up is cheap while
 * what it touches is in the processor's caches, so few flows in a large memory stay close together.
 */
#include "config.h"

#include "offload/cache_state.h"

#include <string.h>


/* A place that was given back is not used again at once: 16 ms. Longer than any reader looks at one. */
#define REST 16

/*
 * A quarter of the places is taken, until all buckets are in use: buckets that are not split yet have twice the flows of
 * others, and places that were given back rest. With half of them one flow in thirty found no room at once, with a quarter
 * one in a thousand. For those the table grows ahead of its flows.
 */
#define BUCKETS_LEAST 16
#define FLOWS_EACH 1
#define CROWDED_STEPS 16

/* A quarter of that before it shrinks, so that it does not swing; so many buckets at a time, of which each costs 0.3 us. */
#define SHRINK_SHARE 4
#define SHRINK_STEPS 1024

/* In use. */
static uint32_t
bucket_count(const struct carry *carry)
{
	return (uint32_t)(carry->memory.control->size >> 32);
}

static void
set_bucket_count(struct carry *carry, uint32_t count)
{
	__atomic_store_n(&carry->memory.control->size, carry_size(count), __ATOMIC_SEQ_CST);
}

void
carry_places_begin(struct carry *carry)
{
	set_bucket_count(carry, BUCKETS_LEAST);
}

struct carry_flow *
carry_flow_at(const struct carry *carry, uint32_t place)
{
	return &carry->memory.buckets[place / CARRY_WAYS].ways[place % CARRY_WAYS];
}

static uint32_t
place_of(const struct carry *carry, const struct carry_flow *flow)
{
	/* The first of a bucket's ways is where the bucket is. */
	return (uint32_t)(flow - carry->memory.buckets[0].ways);
}

/* --- places are taken and given back -------------------------------------------------------------------------------- */

static bool
is_listed(const struct carry *carry, const struct carry_flow *flow)
{
	return flow->listed < carry->listed && carry->list[flow->listed] == place_of(carry, flow);
}

static bool
has_rested(const struct carry *carry, const struct carry_flow *flow)
{
	/* The kernel's clock may be a little ahead of ours, which is that of the burst. */
	return (int32_t)(carry->now - flow->seen) >= REST;
}

static bool
is_free(const struct carry *carry, const struct carry_flow *flow)
{
	return flow->name == 0 && (!is_listed(carry, flow) || has_rested(carry, flow));
}

/* Of a place that was given back: what a reader counted that had found the flow just before. */
static void
count_late(struct carry *carry, struct carry_flow *flow)
{
	const uint64_t count = __atomic_exchange_n(&flow->count, 0, __ATOMIC_ACQUIRE);

	if (count != 0)
		(void)carry_add(carry, (struct server_ref) { (uint16_t)flow->conn, (uint16_t)(flow->conn >> 16) }, count);
}

bool
carry_reclaim(struct carry *carry, struct carry_flow *flow)
{
	uint32_t last;

	if (!has_rested(carry, flow))
		return false;
	count_late(carry, flow);
	last = carry->list[--carry->listed];
	carry->list[flow->listed] = last;
	carry_flow_at(carry, last)->listed = flow->listed;
	return true;
}

/* The place is the flow's from here on; a name it has later. */
static void
enter(struct carry *carry, struct carry_flow *flow, uint32_t number)
{

	if (is_listed(carry, flow)) {
		count_late(carry, flow);
	} else {
		flow->listed = carry->listed;
		carry->list[carry->listed++] = place_of(carry, flow);
	}
	flow->count = 0;
	flow->resent = 0;
	flow->conn = number;
	carry->places[number] = place_of(carry, flow) + 1;
	carry->count++;
}

/* The name goes first, so that nothing is counted behind our back but by who has found the flow already. */
static void
clear_name(struct carry_flow *flow)
{
	__atomic_store_n(&flow->name, 0, __ATOMIC_SEQ_CST);
}

/* It stays in the list until it has rested, and remembers for which server it was. */
static void
leave(struct carry *carry, struct carry_flow *flow, struct server_ref server)
{
	carry->places[flow->conn] = 0;
	flow->conn = server.slot | (uint32_t)server.generation << 16;
	flow->seen = carry->now;
	carry->count--;
}

void
carry_vacate(struct carry *carry, struct carry_flow *flow, struct conn *conn)
{
	clear_name(flow);
	(void)carry_take(carry, flow, conn);
	leave(carry, flow, conn->server);
}

static struct carry_flow *
free_way(const struct carry *carry, uint32_t bucket)
{
	struct carry_flow *ways = carry->memory.buckets[bucket].ways;

	for (uint32_t i = 0; i < CARRY_WAYS; i++)
		if (is_free(carry, &ways[i]))
			return &ways[i];
	return NULL;
}

/* --- how many there are --------------------------------------------------------------------------------------------- */

static uint64_t
hash_of(const struct carry *carry, const uint8_t client[16], const uint8_t vip[16], uint64_t name)
{
	const bool udp = (name & CARRY_NAME_UDP) != 0;
	union carry_addr from, to;

	memcpy(from.bytes, client, sizeof(from.bytes));
	memcpy(to.bytes, vip, sizeof(to.bytes));
	return addr_is_mapped(vip) ?
	    carry_hash_ipv4(&carry->memory.control->key, from.words, to.words, (uint32_t)name, udp) :
	    carry_hash_ipv6(&carry->memory.control->key, from.words, to.words, (uint32_t)name, udp);
}

/* Out of one place and into the other, with all that was counted. */
static void
move(struct carry *carry, struct carry_flow *from, struct carry_flow *to)
{
	const uint64_t name = from->name;
	const uint32_t number = from->conn, seen = from->seen;

	clear_name(from);
	leave(carry, from, conn_at(carry->conns, number)->server);
	enter(carry, to, number);
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

/* A flow whose bucket, by the new size, is no longer the one it stands in: to `other`, or out if it finds no place there. */
static void
resettle(struct carry *carry, struct carry_flow *flow, uint32_t bucket, uint32_t other)
{
	const uint64_t size = carry->memory.control->size;
	const uint64_t hash = hash_of(carry, flow->client, carry->memory.vips[flow->vip].addr, flow->name);
	const uint32_t first = carry_first(size, hash), second = carry_second(size, hash);
	struct carry_flow *to;

	if (first == bucket || second == bucket)
		return;
	/* Neither: the VIP's number is another VIP's by now. */
	to = first == other || second == other ? free_way(carry, other) : NULL;
	if (to != NULL)
		move(carry, flow, to);
	else
		carry_vacate(carry, flow, conn_at(carry->conns, flow->conn));
}

static void
resettle_bucket(struct carry *carry, uint32_t bucket, uint32_t other)
{
	struct carry_flow *ways = carry->memory.buckets[bucket].ways;

	for (uint32_t i = 0; i < CARRY_WAYS; i++)
		if (ways[i].name != 0)
			resettle(carry, &ways[i], bucket, other);
}

static void
grow(struct carry *carry, unsigned steps)
{

	for (; steps > 0 && bucket_count(carry) < carry->memory.bucket_count; steps--) {
		const uint32_t number = bucket_count(carry);

		set_bucket_count(carry, number + 1);
		resettle_bucket(carry, linear_parent(number), number);
	}
}

void
carry_shrink(struct carry *carry)
{

	for (unsigned i = 0; i < SHRINK_STEPS; i++) {
		const uint32_t number = bucket_count(carry) - 1;

		if (number < BUCKETS_LEAST || carry->count >= number / SHRINK_SHARE * FLOWS_EACH)
			return;
		set_bucket_count(carry, number);
		resettle_bucket(carry, number, linear_parent(number));
	}
}

static uint32_t
count_free(const struct carry *carry, uint32_t bucket)
{
	const struct carry_flow *ways = carry->memory.buckets[bucket].ways;
	uint32_t count = 0;

	for (uint32_t i = 0; i < CARRY_WAYS; i++)
		count += is_free(carry, &ways[i]);
	return count;
}

/* In the first bucket, where it is found sooner, unless that is nearly full and the second is not. */
static struct carry_flow *
find_place(const struct carry *carry, uint64_t hash)
{
	const uint64_t size = carry->memory.control->size;
	const uint32_t first = carry_first(size, hash), second = carry_second(size, hash), left = count_free(carry, first);

	return free_way(carry, left > 1 || left >= count_free(carry, second) ? first : second);
}

struct carry_flow *
carry_occupy(struct carry *carry, const struct conn *conn, const struct fwd_vip *vip)
{
	struct carry_flow *flow;
	uint8_t address[16];

	addr_mapped(&vip->addr, address);
	if (carry->count >= bucket_count(carry) * FLOWS_EACH)
		grow(carry, 1);
	flow = find_place(carry, hash_of(carry, conn->key.client, address, carry_name(&conn->key)));
	if (flow == NULL) {
		/* The flow's next frame tries again. */
		carry->stats->carry_full += bucket_count(carry) == carry->memory.bucket_count;
		grow(carry, CROWDED_STEPS);
		return NULL;
	}
	enter(carry, flow, conn_number(carry->conns, conn));
	memcpy(flow->client, conn->key.client, sizeof(flow->client));
	flow->vip = vip->number;
	return flow;
}
