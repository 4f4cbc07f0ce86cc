/* SPDX-License-Identifier: ISC */
/*
 * What one peer is sent, and when: names, health and operators' orders; every flow it needs, once it has proven itself and
 * is FEED_AGE old, and again before it would expire there. For each flow the feed remembers the deadline that the peer
 * knows, nothing more: what waits is a number, and several changes of a flow while it waits are one record. When more
 * flows wait than there is room for, the feed walks the whole table instead, so nothing is lost and nothing grows.
 *
 * It lives as long as a session that is up, and begins with all there is: names, orders, then flows and clients as a
 * bulk, with what changes in between.
 *
 * Pure. A call takes a bounded time, whatever the size of the tables.
 */
#ifndef SYNC_FEED_H
#define SYNC_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/duration.h"
#include "sync/share.h"
#include "sync/wire.h"

/* A flow is sent when it has been proven for so long: shorter ones cost nothing. */
#define FEED_AGE SECONDS(1)
/* Every flow is looked at once in so long, for what no change of state announces: that it was used. */
#define FEED_ROUND SECONDS(10)
/* Servers that changed are noticed in this time, of up to FEED_SLOTS servers; of more, so many at a time. */
#define FEED_LOOK MILLISECONDS(100)
#define FEED_SLOTS 4096
/*
 * So long after servers came or went, here or there, the whole table is walked for flows that need to be sent since. The
 * other director finds out the same in the meantime, as a rule, and most flows need not be sent.
 */
#define FEED_WALK_REST SECONDS(2)
/* Flows that wait; a larger table has more, up to FEED_WAIT_MOST. */
#define FEED_WAIT_MOST (1U << 20)

struct feed;

enum feed_result {
	FEED_IDLE = 0, /* nothing until feed_due() */
	FEED_AGAIN,    /* this call's share of the work is done; go on soon */
	FEED_FRAME     /* a body to send */
};

struct feed_counts {
	uint64_t flows;    /* records sent */
	uint64_t clients;
	uint64_t orders;
	uint64_t fragments;
	uint64_t overflows; /* more waited than there was room for: the table was walked */
	uint64_t walks;    /* through the whole table at full speed, the bulk included */
	uint32_t shared;   /* flows that were sent, that the peer still keeps, and that still exist here */
	uint32_t waiting;  /* flows and clients */
	bool bulk_done;
};

/* For a peer that has nothing yet. NULL when memory is out. */
NODISCARD struct feed *feed_new(struct share *share, uint64_t now);
void feed_free(struct feed *feed);
/*
 * The peer has these candidates for the service of that number here, 0 for no such service. Where they differ from ours,
 * it needs all flows of the service. Unknown services differ.
 */
void feed_set_candidates(struct feed *feed, uint16_t service, uint64_t candidates);
/* The peer has named all its candidates: until then no flows are sent, since it is not known which ones it needs. */
void feed_set_ready(struct feed *feed);
/* Does the peer forward frames? Then it may get the rest of a datagram whose first fragment came here. */
void feed_set_forwards(struct feed *feed, bool forwards);
/* The next body, into `bytes`, of which WIRE_BODY can be used; `type` and `length` are for FEED_FRAME. */
enum feed_result feed_next(struct feed *feed, uint64_t now, uint8_t bytes[WIRE_BODY], enum wire_type *type,
    size_t *length);
/* When there will be something to do, at the latest. */
uint64_t feed_due(const struct feed *feed);
struct feed_counts feed_counts(const struct feed *feed);

#endif
