/* SPDX-License-Identifier: ISC */
/*
 * What a peer has sent, entered here: names into the picture, flows and clients into the tables, orders where they are
 * newer. A record whose VIP, service or server is not here is counted and skipped.
 *
 * A flow of this director's own is never displaced by a peer's, except where the director is not active for the VIP, or
 * its own flow has ended and the peer's is a younger one. A received flow lives a little longer than at the peer, which
 * renews it in rounds.
 *
 * Pure. Every frame takes a bounded time.
 */
#ifndef SYNC_INTAKE_H
#define SYNC_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/duration.h"
#include "sync/picture.h"
#include "sync/session.h"
#include "sync/share.h"

/* Two rounds of the peer's feed (FEED_ROUND), and its lag. */
#define INTAKE_SLACK SECONDS(30)
/* Percent of a table that received entries may fill; the rest is for this director's own. */
#define INTAKE_SHARE 90

struct intake_counts {
	uint64_t flows;    /* records entered or renewed */
	uint64_t clients;
	uint64_t orders;   /* that changed something */
	uint64_t fragments;
	uint64_t unknown;  /* records about what is not here */
	uint64_t refused;  /* no room, or `sync = off` here */
	uint64_t conflicts; /* the flow is here, with another server, and stays */
};

/* An operator's order that is newer than what is known here. */
typedef void intake_order(void *context, struct server *server, const struct wire_order *order);

struct intake {
	struct share *share;
	struct picture *picture;
	uint8_t source;    /* share_source() of the peer's process */
	bool bulk_done;
	struct intake_counts counts;
	intake_order *order;
	void *context;
};

/* 0, or -1 when memory is out. */
NODISCARD int intake_init(struct intake *intake, struct share *share, uint8_t source, intake_order *order, void *context);
void intake_clear(struct intake *intake);
/* Any type but HELLO and STATE. What is wrong with it, or SESSION_FINE. */
enum session_fault intake_take(struct intake *intake, const struct session_frame *frame, uint64_t now);

/* Is the order newer than what is known of the server? Both directors answer alike, whichever has the order. */
bool intake_is_newer(const struct wire_order *order, const struct server *server);

#endif
