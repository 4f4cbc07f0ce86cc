/* SPDX-License-Identifier: ISC */
/* The inside of the flow table, which conn.c, conn_room.c and conn_record.c share. */
#ifndef FLOW_CONN_TABLE_H
#define FLOW_CONN_TABLE_H

#include "base/duration.h"
#include "base/keyhash.h"
#include "flow/conn.h"
#include "flow/conn_record.h"
#include "flow/unproven.h"

/* Indices of entries; entry 0 is never used, so that memory from calloc() is an empty table. */
#define NIL 0

/* One slot a second. The longest default, 15 minutes, fits into one turn; longer ones are filed again each turn. */
#define WHEEL_SLOTS 1024
#define WHEEL_MASK (WHEEL_SLOTS - 1)

struct conn_table {
	struct conn *conns; /* capacity + 1 entries */
	uint32_t *buckets;
	void *conn_memory;  /* where they are in */
	void *bucket_memory;
	uint32_t bucket_count; /* buckets in use */
	uint32_t bucket_mask;  /* linear_mask() of that */
	uint32_t bucket_most;
	uint32_t capacity;
	uint32_t count;
	struct unproven_queue opening; /* of them, in CONN_SYN */
	struct unproven_queue fresh;   /* and in CONN_NEW */
	uint64_t evicted;
	uint64_t flood_until; /* 0: there was no flood */
	uint32_t crowded;   /* from so many on timeouts shrink */
	uint32_t used;      /* entries above this were never touched: their pages cost nothing yet */
	uint32_t free;      /* list through `next` */
	uint64_t now;       /* the latest time seen */
	uint32_t now_milliseconds; /* the same, to be compared with deadlines */
	uint64_t cursor;    /* the second whose slot is processed next */
	uint32_t wheel[WHEEL_SLOTS];
	struct keyhash_key key;
	conn_gone *gone;
	void *gone_context;
	conn_changed *changed;
	void *changed_context;
	conn_over *over;
	void *over_context;
	struct conn_records *records; /* NULL: no records */
	uint32_t swept;     /* the flow whose record was updated last */
};

static inline bool
conn_has_expired(const struct conn_table *table, const struct conn *conn)
{
	return (int32_t)(conn->deadline - table->now_milliseconds) <= 0;
}

/* The second in which the deadline of a live flow lies; the flow expires at the end of that second. */
static inline uint64_t
conn_deadline_second(const struct conn_table *table, const struct conn *conn)
{
	const uint64_t now = table->now / MILLISECONDS(1);

	return (now + (conn->deadline - (uint32_t)now)) / 1000;
}

static inline bool
conn_has_entry(const struct conn_table *table)
{
	return table->free != NIL || table->used < table->capacity;
}

/* conn_record.c: the flow's record is what the flow is. The table has records. */
void conn_record_flow(struct conn_table *table, const struct conn *conn);
/* conn_room.c: is there no place for one more flow in `state`? */
bool conn_is_full(const struct conn_table *table, enum conn_state state);
/* Removes an expired flow, or evicts an unproven one: in a full share of its own kind, in a full table of any. */
void conn_make_room(struct conn_table *table, enum conn_state state);
/* A flow in `state` found no room. */
void conn_refuse(struct conn_table *table, enum conn_state state);
/* NULL: a flow in that state is proven. */
struct unproven_queue *conn_queue_of(struct conn_table *table, enum conn_state state);

#endif
