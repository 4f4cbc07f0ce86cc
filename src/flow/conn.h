/* SPDX-License-Identifier: ISC */
/*
 * The flow table: which server has which flow. Fixed size, allocated once, no allocation per frame; finding, adding and
 * expiring a flow take constant time. It touches memory for the flows that are there only: room for many costs address
 * space.
 *
 * The director sees only the client's half of a TCP connection, so the state machine runs on that alone; the reference
 * is the INPUT-ONLY table of the kernel's IPVS (net/netfilter/ipvs/ip_vs_proto_tcp.c). States are in conn_tcp.c, the
 * table in conn.c.
 *
 * Time only goes forward here: a `now` before the latest one seen counts as that one (savefiles have frames out of
 * order). A pointer to a flow holds until the next call that adds, finds or expires flows.
 */
#ifndef FLOW_CONN_H
#define FLOW_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/keyhash.h"

enum conn_state {
	CONN_NONE = 0,    /* not in the table */
	CONN_SYN,         /* a SYN was seen, no proof yet that the client exists */
	CONN_ESTABLISHED,
	CONN_FIN_WAIT,    /* the client has finished sending; it may still receive for long */
	CONN_TIME_WAIT,
	CONN_CLOSED,      /* reset, or a stray end */
	CONN_UDP,
	CONN_NEW,         /* in the middle of a connection, or UDP: one packet, no proof yet */
	CONN_STATE_COUNT
};

/* Microseconds of silence after which a flow is forgotten, by state; more than 24 days count as 24 days. */
struct conn_timeouts {
	uint64_t state[CONN_STATE_COUNT];
};

/* IPVS's figures: established 15 min, SYN 60 s, FIN 2 min, TIME_WAIT 2 min, closed 10 s, UDP 5 min. */
struct conn_timeouts conn_timeouts_default(void);

/* In CONN_NEW, which has no timeout of its own: the lesser of 30 s and that of a proven flow. */
uint64_t conn_lifetime_new(const struct conn_timeouts *timeouts, uint8_t protocol);

/* Of a flow in `state`. */
static inline uint64_t
conn_lifetime(const struct conn_timeouts *timeouts, enum conn_state state, uint8_t protocol)
{
	return state != CONN_NEW ? timeouts->state[state] : conn_lifetime_new(timeouts, protocol);
}

/* A flow's name. All 24 bytes are hashed and compared. */
struct conn_key {
	uint8_t client[16];   /* IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2) */
	uint16_t client_port; /* host order */
	uint16_t vip_port;
	uint32_t target;      /* the VIP's number (struct vip in model/model.h) and the protocol: conn_target() */
};

/* One word, written at once: a processor waits when it reads as one what was just written in parts. */
static inline uint32_t
conn_target(uint16_t vip, uint8_t protocol)
{
	return (uint32_t)protocol << 16 | vip;
}

static inline uint16_t
conn_key_vip(const struct conn_key *key)
{
	return (uint16_t)key->target;
}

static inline uint8_t
conn_key_protocol(const struct conn_key *key)
{
	return (uint8_t)(key->target >> 16);
}

struct addr conn_key_client(const struct conn_key *key);

/* A server as flows remember it: a slot, and which owner of the slot was meant. */
struct server_ref {
	uint16_t slot;
	uint16_t generation;
};

static inline bool
server_ref_equal(struct server_ref a, struct server_ref b)
{
	return a.slot == b.slot && a.generation == b.generation;
}

#define CONN_STATE_MASK 0xf /* what `state` below has room for */

/* One flow. `key` and the links are the table's; the rest is for the forwarder, through the functions below. */
struct conn {
	struct conn_key key;
	struct server_ref server;
	uint32_t next;       /* in the bucket */
	uint32_t wheel_next; /* in the timer wheel */
	uint32_t wheel_prev;
	uint32_t deadline;   /* milliseconds, wraps */
	uint32_t began;      /* seconds, of the clock of the frame that began it */
	uint8_t state : 4;   /* enum conn_state */
	uint8_t flags : 4;   /* flow/measure.h's, for TCP */
	uint8_t hop_limit;   /* or time to live, of its last forwarded frame; 0: unknown. The forwarder's */
	uint16_t wheel_slot : 10;
	uint16_t trust : 6;    /* this and the next three are flow/fit.h's and flow/measure.h's */
	uint32_t acknowledged; /* the furthest acknowledgement of the server's bytes; in CONN_SYN the SYN's own number */
	uint32_t sent;         /* the end of what the client sent; in CONN_SYN when it began, microseconds, wraps */
	uint32_t aside;        /* in CONN_SYN the number of the last SYN; later, of a segment that did not fit */
};

/* What the numbers in struct conn are worth: `trust` there, flow/fit.h's. */
enum fit_trust {
	FIT_BASED = 1,   /* `acknowledged` and `sent` are the client's own; not before the handshake is complete */
	FIT_ASTRAY = 2,  /* the last segment did not fit; `aside` is where the next one would go on from it */
	FIT_GUESSED = 4, /* the numbers are, or will be, those that anyone could have sent: they end nothing */
	FIT_NO_START = 8 /* in CONN_SYN: the SYN's number is not known */
};

/* Are its numbers known to be its client's own? Then one that fits is reason enough to end the flow. */
static inline bool
conn_is_numbered(const struct conn *conn)
{
	return (conn->trust & (FIT_BASED | FIT_GUESSED)) == FIT_BASED;
}

struct conn_table;
struct conn_records;

/* For `capacity` flows, but at least 16. NULL when memory is out. */
NODISCARD struct conn_table *conn_table_new(uint32_t capacity, const struct siphash_key *key);
void conn_table_free(struct conn_table *table);
/* Counts also those that have expired but were not given back yet. */
uint32_t conn_table_count(const struct conn_table *table);
uint32_t conn_table_capacity(const struct conn_table *table);
uint32_t conn_table_unproven(const struct conn_table *table);
/* Unproven flows that made room for newer ones, since the table exists. */
uint64_t conn_table_evicted(const struct conn_table *table);
/* The address space of the table, which never changes; of it pages are in use as there have been flows. */
size_t conn_table_bytes(const struct conn_table *table);

/* Returns NULL when there is none. An expired flow is not found (and removed). */
struct conn *conn_find(struct conn_table *table, const struct conn_key *key, uint64_t now);
/* For readers. Also finds flows that have expired and were not removed yet: conn_left_at() is 0 then. */
const struct conn *conn_peek(const struct conn_table *table, const struct conn_key *key);
/* conn_left() at `now`, without setting the table's time. */
uint64_t conn_left_at(const struct conn_table *table, const struct conn *conn, uint64_t now);
/* Would conn_insert() find room? */
bool conn_fits(const struct conn_table *table, enum conn_state state, uint64_t now);
/* Until then unproven flows are taken for flooded, because they begin faster than the director can look at them. */
void conn_set_flood(struct conn_table *table, uint64_t until);
/*
 * Has an unproven flow of that state found no room within UNPROVEN_CALM, or does conn_set_flood() hold? False for states
 * that are proven.
 */
bool conn_is_flooded(const struct conn_table *table, enum conn_state state, uint64_t now);
/*
 * Adds a flow that conn_find() did not find. NULL when the table is full, also of what has expired (of which a few
 * dozen are looked for at each call), or when the flow is half-open (CONN_SYN) and such flows fill their share: a flood
 * of forged SYNs takes an eighth of the table at most, and no established flow's place. `state` is not CONN_NONE.
 */
NODISCARD struct conn *conn_insert(struct conn_table *table, const struct conn_key *key, struct server_ref server,
    enum conn_state state, uint64_t timeout, uint64_t now);
/* The flow was seen at the table's time: from then on it lives `timeout` microseconds, in `state` (not CONN_NONE). */
void conn_touch(struct conn_table *table, struct conn *conn, enum conn_state state, uint64_t timeout);
/* What becomes of a timeout: it shrinks as the table fills beyond three fifths, to a third of it in a full table. */
uint64_t conn_timeout(const struct conn_table *table, uint64_t timeout);
/* Sets the table's time, for conn_touch() of a flow that was not looked up with conn_find(). */
void conn_tell(struct conn_table *table, uint64_t now);
uint64_t conn_table_time(const struct conn_table *table);

/* Called for each flow just before it is removed, except by conn_table_free(). Must not change the table. */
typedef void conn_gone(void *context, const struct conn *conn);
void conn_table_on_gone(struct conn_table *table, conn_gone *gone, void *context);
/*
 * Called for each flow that begins proven, that changes its state, and just before it is removed (`removed`); not for the
 * frames in between. Must not change the table. One at a time: the last call counts, and NULL ends it.
 */
typedef void conn_changed(void *context, const struct conn *conn, bool removed);
void conn_table_on_change(struct conn_table *table, conn_changed *changed, void *context);
/*
 * Called for each flow that seems to have expired: if it was seen elsewhere, call conn_touch() here. Nothing else in
 * the table may be changed.
 */
typedef void conn_over(void *context, struct conn *conn, uint64_t now);
void conn_table_on_over(struct conn_table *table, conn_over *over, void *context);
/*
 * From now on each flow has its record (flow/conn_record.h) in `records`, which belongs to the caller and must outlive
 * the table, or the call with NULL that ends it. Flows that are there already get theirs in this call.
 */
void conn_table_record(struct conn_table *table, struct conn_records *records);
/*
 * Updates the deadlines of the next `budget` records, continuing where the last call stopped; no flow twice per call.
 * Uses the table's time.
 */
void conn_table_sweep(struct conn_table *table, uint32_t budget);
/* The entries that have ever held a flow: no flow's number is above it. */
uint32_t conn_table_used(const struct conn_table *table);
/* A flow's number, from 1 to the capacity, is unique and constant for its lifetime. */
uint32_t conn_number(const struct conn_table *table, const struct conn *conn);
struct conn *conn_at(struct conn_table *table, uint32_t number);
void conn_remove(struct conn_table *table, struct conn *conn);
/*
 * Forget what has expired by `now`; looks at no more than `budget` flows, and goes on where the last call ended. Call
 * it about once a second. (Only a silence of more than 24 days makes any call here forget all flows, in one go.)
 */
void conn_expire(struct conn_table *table, uint64_t now, uint32_t budget);
/* Microseconds until it expires unless it is seen again, and since it began; at the table's time. */
uint64_t conn_left(const struct conn_table *table, const struct conn *conn);
uint64_t conn_age(const struct conn_table *table, const struct conn *conn);
/*
 * Walk flows in no order, at most `budget` places of the table, beginning behind `from`, which is 0 at first. Where the
 * next call goes on, or 0 when all were seen. What comes or goes between two calls may be missed. The callback must not
 * change the table.
 */
uint32_t conn_walk(const struct conn_table *table, uint32_t from, uint32_t budget,
    void (*each)(void *context, const struct conn *conn), void *context);
/* All at once. */
void conn_each(const struct conn_table *table, void (*each)(void *context, const struct conn *conn), void *context);

/* The state after a client's segment with `tcp_flags` in `state`; CONN_NONE: the first segment of a flow. */
enum conn_state conn_tcp_next(enum conn_state state, uint8_t tcp_flags);
const char *conn_state_name(enum conn_state state);
/* Active flows carry data; the others open or close. */
bool conn_is_active(enum conn_state state);
/* By what they are: flow/unproven.h. */
bool conn_is_proven(enum conn_state state);

#endif
