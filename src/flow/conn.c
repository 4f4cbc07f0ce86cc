/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/large.h"
#include "base/linear.h"
#include "flow/conn_table.h"

/* Deadlines are compared in 32 bits of milliseconds: half of that range is 24.8 days. */
#define TIMEOUT_MOST SECONDS(24 * 24 * 60 * 60)

/* Timeouts shrink, in proportion, from the first share of the capacity on, in percent, and would be zero at the second (pf). */
#define CROWDED_FROM 60
#define CROWDED_TO 120

#define CAPACITY_LEAST 16
#define CAPACITY_MOST (UINT32_C(1) << 30)

/*
 * The index grows with the flows, a bucket at a time (base/linear.h). A lookup is cheap as long as it hits the CPU's
 * caches, so few flows in a large table stay close together. Two buckets per flow, up to the maximum size; it shrinks
 * at four buckets per flow, as hysteresis.
 */
#define BUCKETS_LEAST CAPACITY_LEAST
#define BUCKETS_EACH 2
#define BUCKETS_EACH_MOST 4
#define SPLITS_AHEAD 16

/* 1 M flows and their buckets, at least one for two flows and less than one for each, are 66 MB. */
static_assert(sizeof(struct conn_key) == KEYHASH_BYTES, "the key is hashed whole: no padding");
static_assert(sizeof(struct conn) <= 64, "a flow's size times a million");

static void
conn_set_bucket_count(struct conn_table *table, uint32_t count)
{
	table->bucket_count = count;
	table->bucket_mask = linear_mask(count);
}

struct conn_table *
conn_table_new(uint32_t capacity, const struct siphash_key *key)
{
	struct conn_table *table;
	uint32_t buckets = BUCKETS_LEAST;

	if (capacity < CAPACITY_LEAST)
		capacity = CAPACITY_LEAST;
	if (capacity > CAPACITY_MOST)
		return NULL;
	while (buckets < capacity / 2)
		buckets *= 2;
	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return NULL;
	table->conns = large_calloc((size_t)capacity + 1, sizeof(*table->conns), &table->conn_memory);
	table->buckets = large_calloc(buckets, sizeof(*table->buckets), &table->bucket_memory);
	if (table->conns == NULL || table->buckets == NULL || unproven_init(&table->opening, capacity) == -1 ||
	    unproven_init(&table->fresh, capacity) == -1) {
		conn_table_free(table);
		return NULL;
	}
	table->capacity = capacity;
	table->crowded = (uint32_t)((uint64_t)capacity * CROWDED_FROM / 100);
	table->bucket_most = buckets;
	conn_set_bucket_count(table, BUCKETS_LEAST);
	table->key = keyhash_key(key);
	return table;
}

void
conn_table_free(struct conn_table *table)
{
	if (table == NULL)
		return;
	unproven_clear(&table->opening);
	unproven_clear(&table->fresh);
	free(table->bucket_memory);
	free(table->conn_memory);
	free(table);
}

uint32_t
conn_table_count(const struct conn_table *table)
{
	return table->count;
}

uint32_t
conn_table_unproven(const struct conn_table *table)
{
	return table->opening.count + table->fresh.count;
}

uint64_t
conn_table_evicted(const struct conn_table *table)
{
	return table->evicted;
}

uint32_t
conn_table_capacity(const struct conn_table *table)
{
	return table->capacity;
}

uint32_t
conn_table_used(const struct conn_table *table)
{
	return table->used;
}

size_t
conn_table_bytes(const struct conn_table *table)
{
	return sizeof(*table) + ((size_t)table->capacity + 1) * sizeof(*table->conns) +
	    (size_t)table->bucket_most * sizeof(*table->buckets) +
	    2 * (size_t)table->opening.size * sizeof(*table->opening.flows);
}

void
conn_table_on_gone(struct conn_table *table, conn_gone *gone, void *context)
{
	table->gone = gone;
	table->gone_context = context;
}

void
conn_table_on_change(struct conn_table *table, conn_changed *changed, void *context)
{
	table->changed = changed;
	table->changed_context = context;
}

struct addr
conn_key_client(const struct conn_key *key)
{
	if (addr_is_mapped(key->client))
		return addr_from_ipv4(key->client + 12);
	return addr_from_ipv6(key->client);
}

void
conn_table_on_over(struct conn_table *table, conn_over *over, void *context)
{
	table->over = over;
	table->over_context = context;
}

uint32_t
conn_number(const struct conn_table *table, const struct conn *conn)
{
	return (uint32_t)(conn - table->conns);
}

struct conn *
conn_at(struct conn_table *table, uint32_t number)
{
	return &table->conns[number];
}

static inline uint32_t
conn_bucket_number(const struct conn_table *table, const struct conn_key *key)
{
	return linear_bucket(keyhash_hash(&table->key, key), table->bucket_count, table->bucket_mask);
}

static inline uint32_t *
conn_bucket_of(struct conn_table *table, const struct conn_key *key)
{
	return &table->buckets[conn_bucket_number(table, key)];
}

/* Adds a bucket: it gets the flows of the bucket it is split from whose hash has the distinguishing bit set. */
static void
conn_split_bucket(struct conn_table *table)
{
	const uint32_t number = table->bucket_count;
	uint32_t *stay = &table->buckets[linear_parent(number)], *go = &table->buckets[number];

	conn_set_bucket_count(table, number + 1);
	for (uint32_t i = *stay; i != NIL; i = table->conns[i].next) {
		if (conn_bucket_number(table, &table->conns[i].key) == number) {
			*go = i;
			go = &table->conns[i].next;
		} else {
			*stay = i;
			stay = &table->conns[i].next;
		}
	}
	*stay = *go = NIL;
	/* The flows that are moved next but a few are on their way from memory meanwhile. */
	__builtin_prefetch(&table->conns[table->buckets[linear_parent(number + SPLITS_AHEAD)]]);
}

/* The last bucket's flows go back behind those they were split from. */
static void
conn_merge_bucket(struct conn_table *table)
{
	const uint32_t number = table->bucket_count - 1;
	const uint32_t first = table->buckets[number];
	uint32_t *link = &table->buckets[linear_parent(number)];

	conn_set_bucket_count(table, number);
	if (first == NIL)
		return;
	while (*link != NIL)
		link = &table->conns[*link].next;
	*link = first;
}

/* After a flow came: as many steps as it adds buckets. */
static void
conn_grow(struct conn_table *table)
{
	for (unsigned i = 0; i < BUCKETS_EACH; i++)
		if (table->bucket_count < table->bucket_most && table->bucket_count / BUCKETS_EACH < table->count)
			conn_split_bucket(table);
}

/* After a flow was removed: its share of buckets goes too, so that an empty table has the smallest index. */
static void
conn_shrink(struct conn_table *table)
{
	for (unsigned i = 0; i < BUCKETS_EACH_MOST; i++)
		if (table->bucket_count > BUCKETS_LEAST && table->bucket_count / BUCKETS_EACH_MOST > table->count)
			conn_merge_bucket(table);
}

static uint32_t
conn_milliseconds(uint64_t now)
{
	return (uint32_t)(now / MILLISECONDS(1));
}

/* For an expired flow: was it seen elsewhere in the meantime? */
static bool
conn_has_expired_everywhere(struct conn_table *table, struct conn *conn)
{
	if (!conn_has_expired(table, conn))
		return false;
	if (table->over != NULL)
		table->over(table->over_context, conn, table->now);
	return conn_has_expired(table, conn);
}

/* The second of the slot that the flow is filed in: from the cursor on, the wheel holds one turn. */
static uint64_t
conn_filed_second(const struct conn_table *table, const struct conn *conn)
{
	return table->cursor + ((conn->wheel_slot - table->cursor) & WHEEL_MASK);
}

static void
conn_wheel_add(struct conn_table *table, struct conn *conn)
{
	const uint32_t index = conn_number(table, conn);
	uint64_t second = conn_deadline_second(table, conn);

	/* The cursor is never ahead of the time, nor the time of the deadline. */
	if (second > table->cursor + WHEEL_MASK)
		second = table->cursor + WHEEL_MASK;
	conn->wheel_slot = second & WHEEL_MASK;
	conn->wheel_prev = NIL;
	conn->wheel_next = table->wheel[conn->wheel_slot];
	if (conn->wheel_next != NIL)
		table->conns[conn->wheel_next].wheel_prev = index;
	table->wheel[conn->wheel_slot] = index;
}

static void
conn_wheel_remove(struct conn_table *table, struct conn *conn)
{
	if (conn->wheel_prev != NIL)
		table->conns[conn->wheel_prev].wheel_next = conn->wheel_next;
	else
		table->wheel[conn->wheel_slot] = conn->wheel_next;
	if (conn->wheel_next != NIL)
		table->conns[conn->wheel_next].wheel_prev = conn->wheel_prev;
}

static void
conn_count_state(struct conn_table *table, enum conn_state state, int change)
{
	if (state == CONN_SYN)
		table->opening.count += (uint32_t)change;
	else if (state == CONN_NEW)
		table->fresh.count += (uint32_t)change;
}

void
conn_remove(struct conn_table *table, struct conn *conn)
{
	const uint32_t index = conn_number(table, conn);
	uint32_t *link = conn_bucket_of(table, &conn->key);

	if (table->gone != NULL)
		table->gone(table->gone_context, conn);
	if (table->changed != NULL)
		table->changed(table->changed_context, conn, true);
	while (*link != index)
		link = &table->conns[*link].next;
	*link = conn->next;
	conn_wheel_remove(table, conn);
	if (table->records != NULL && index <= table->records->ready)
		conn_record_clear(&table->records->first[index - 1]);
	conn_count_state(table, (enum conn_state)conn->state, -1);
	conn->state = CONN_NONE;
	conn->next = table->free;
	table->free = index;
	table->count--;
	conn_shrink(table);
}

/*
 * After a silence longer than any timeout no flow is alive, and the deadlines, which wrap, can no longer be compared:
 * all flows are removed. This happens in a savefile with a gap of weeks.
 */
static NOINLINE void
conn_set_time(struct conn_table *table, uint64_t now)
{
	if (now - table->now > TIMEOUT_MOST) {
		for (uint32_t i = 1; table->count > 0 && i <= table->used; i++)
			if (table->conns[i].state != CONN_NONE)
				conn_remove(table, &table->conns[i]);
		table->cursor = now / SECONDS(1);
	}
	table->now = now;
	table->now_milliseconds = conn_milliseconds(now);
}

/* Takes note of the time, which most frames of a burst share. */
static inline void
conn_advance(struct conn_table *table, uint64_t now)
{
	if (now > table->now)
		conn_set_time(table, now);
}

/* The flow, unless it has expired everywhere: then it is removed, so that the client's next flow can use the entry. */
static NOINLINE struct conn *
conn_revive(struct conn_table *table, struct conn *conn)
{
	if (!conn_has_expired_everywhere(table, conn))
		return conn;
	conn_remove(table, conn);
	return NULL;
}

void
conn_tell(struct conn_table *table, uint64_t now)
{
	conn_advance(table, now);
}

uint64_t
conn_table_time(const struct conn_table *table)
{
	return table->now;
}

/* conn_find() of the first frame that has this time. */
static NOINLINE struct conn *
conn_find_later(struct conn_table *table, const struct conn_key *key, uint64_t now)
{
	conn_set_time(table, now);
	return conn_find(table, key, now);
}

struct conn *
conn_find(struct conn_table *table, const struct conn_key *key, uint64_t now)
{
	if (now > table->now)
		return conn_find_later(table, key, now);
	for (uint32_t i = *conn_bucket_of(table, key); i != NIL; i = table->conns[i].next) {
		struct conn *conn = &table->conns[i];

		if (memcmp(&conn->key, key, sizeof(*key)) == 0)
			return conn_has_expired(table, conn) ? conn_revive(table, conn) : conn;
	}
	return NULL;
}

const struct conn *
conn_peek(const struct conn_table *table, const struct conn_key *key)
{
	for (uint32_t i = table->buckets[conn_bucket_number(table, key)]; i != NIL; i = table->conns[i].next)
		if (memcmp(&table->conns[i].key, key, sizeof(*key)) == 0)
			return &table->conns[i];
	return NULL;
}

uint64_t
conn_left_at(const struct conn_table *table, const struct conn *conn, uint64_t now)
{
	const uint64_t latest = now > table->now ? now : table->now;
	const int32_t left = (int32_t)(conn->deadline - conn_milliseconds(latest));

	/* After such a silence conn_advance() forgets all flows. */
	return left <= 0 || latest - table->now > TIMEOUT_MOST ? 0 : MILLISECONDS(left);
}

/* A free entry for a flow in `state`, or NULL. */
static struct conn *
conn_take_entry(struct conn_table *table, enum conn_state state)
{
	struct conn *conn;

	if (conn_is_full(table, state)) {
		conn_make_room(table, state);
		if (conn_is_full(table, state)) {
			conn_refuse(table, state);
			return NULL;
		}
	}
	if (table->free != NIL) {
		conn = &table->conns[table->free];
		table->free = conn->next;
		return conn;
	}
	return &table->conns[++table->used];
}

static NOINLINE uint64_t
conn_crowded_timeout(const struct conn_table *table, uint64_t timeout)
{
	const uint64_t end = (uint64_t)table->capacity * CROWDED_TO / 100;

	return timeout / MILLISECONDS(1) * (end - table->count) / (end - table->crowded) * MILLISECONDS(1);
}

uint64_t
conn_timeout(const struct conn_table *table, uint64_t timeout)
{
	if (timeout > TIMEOUT_MOST)
		timeout = TIMEOUT_MOST;
	return table->count <= table->crowded ? timeout : conn_crowded_timeout(table, timeout);
}

/* Rounded down to a millisecond: a flow ends a little early, never late. */
static uint32_t
conn_deadline_after(const struct conn_table *table, uint64_t timeout)
{
	return conn_milliseconds(table->now + conn_timeout(table, timeout));
}

struct conn *
conn_insert(struct conn_table *table, const struct conn_key *key, struct server_ref server, enum conn_state state,
    uint64_t timeout, uint64_t now)
{
	struct conn *conn;
	uint32_t *bucket;

	conn_advance(table, now);
	conn = conn_take_entry(table, state);
	if (conn == NULL)
		return NULL;
	conn->key = *key;
	conn->server = server;
	conn->state = state & CONN_STATE_MASK;
	conn->flags = 0;
	conn->trust = 0;
	conn->acknowledged = conn->sent = conn->aside = 0;
	conn->hop_limit = 0;
	conn->began = (uint32_t)(table->now / SECONDS(1));
	conn->deadline = conn_deadline_after(table, timeout);
	bucket = conn_bucket_of(table, key);
	conn->next = *bucket;
	*bucket = conn_number(table, conn);
	conn_wheel_add(table, conn);
	conn_count_state(table, state, 1);
	if (!conn_is_proven(state))
		unproven_push(conn_queue_of(table, state), conn_number(table, conn), conn->began);
	else if (table->changed != NULL)
		table->changed(table->changed_context, conn, false);
	table->count++;
	if (table->records != NULL)
		conn_record_flow(table, conn);
	conn_grow(table);
	return conn;
}

/* A flow with an earlier deadline moves to another slot. */
static NOINLINE void
conn_refile(struct conn_table *table, struct conn *conn)
{
	if (conn_deadline_second(table, conn) >= conn_filed_second(table, conn))
		return;
	conn_wheel_remove(table, conn);
	conn_wheel_add(table, conn);
}

static NOINLINE void
conn_change_state(struct conn_table *table, struct conn *conn, enum conn_state state)
{
	conn_count_state(table, (enum conn_state)conn->state, -1);
	conn_count_state(table, state, 1);
	conn->state = state & CONN_STATE_MASK;
	if (table->records != NULL)
		conn_record_flow(table, conn);
	if (table->changed != NULL)
		table->changed(table->changed_context, conn, false);
}

/*
 * A flow with a later deadline stays in its slot: the wheel notices when it gets there, so a busy flow is moved once
 * per timeout and not once per frame.
 */
void
conn_touch(struct conn_table *table, struct conn *conn, enum conn_state state, uint64_t timeout)
{
	const uint32_t before = conn->deadline;

	conn->deadline = conn_deadline_after(table, timeout);
	if (conn->state != state)
		conn_change_state(table, conn, state);
	if ((int32_t)(conn->deadline - before) < 0)
		conn_refile(table, conn);
}

void
conn_expire(struct conn_table *table, uint64_t now, uint32_t budget)
{
	uint64_t second;

	conn_advance(table, now);
	second = table->now / SECONDS(1);
	/* One turn reaches every slot, however long ago the last call was. */
	if (second > table->cursor + WHEEL_SLOTS)
		table->cursor = second - WHEEL_SLOTS;
	while (table->cursor < second) {
		const uint32_t index = table->wheel[table->cursor & WHEEL_MASK];
		struct conn *conn = &table->conns[index];

		if (index == NIL) {
			table->cursor++;
			continue;
		}
		if (budget-- == 0)
			return;
		if (conn_has_expired_everywhere(table, conn)) {
			conn_remove(table, conn);
		} else {
			/* Into a later slot; at most twice in one call, at the two ends of a whole turn. */
			conn_wheel_remove(table, conn);
			conn_wheel_add(table, conn);
		}
	}
}

uint64_t
conn_left(const struct conn_table *table, const struct conn *conn)
{
	const int32_t left = (int32_t)(conn->deadline - table->now_milliseconds);

	return left > 0 ? MILLISECONDS(left) : 0;
}

uint64_t
conn_age(const struct conn_table *table, const struct conn *conn)
{
	return SECONDS((uint32_t)(table->now / SECONDS(1)) - conn->began);
}

uint32_t
conn_walk(const struct conn_table *table, uint32_t from, uint32_t budget,
    void (*each)(void *context, const struct conn *conn), void *context)
{
	const uint32_t last = table->used - from > budget ? from + budget : table->used;

	if (from >= table->used)
		return 0;
	for (uint32_t i = from + 1; i <= last; i++)
		if (table->conns[i].state != CONN_NONE)
			each(context, &table->conns[i]);
	return last < table->used ? last : 0;
}

void
conn_each(const struct conn_table *table, void (*each)(void *context, const struct conn *conn), void *context)
{
	(void)conn_walk(table, 0, UINT32_MAX, each, context);
}
