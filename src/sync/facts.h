/* SPDX-License-Identifier: ISC */
/*
 * A peer as reports, metrics and the list of problems read it. Plain values and pointers that hold until the loop
 * goes on.
 */
#ifndef SYNC_FACTS_H
#define SYNC_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "model/settings.h"
#include "sync/feed.h"
#include "sync/intake.h"
#include "sync/picture.h"

#define PEER_DIFFERENCES 32 /* that are listed; the others are counted */
#define PEER_FAULT 160

struct peer_facts {
	const char *name;
	struct addr addr;
	uint16_t port;
	bool up;
	bool complete;         /* each side has the bulk of the other */
	uint64_t since;        /* when it came up or went down, of the monotonic clock */
	const char *fault;     /* why it is down; empty: it is up, or is being connected to for the first time */
	const char *version;   /* of its dsrd; empty: not known */
	uint64_t configuration; /* hashes */
	uint64_t own_configuration;
	bool named;            /* it has said what it has: differences are known */
	uint64_t lag;          /* microseconds */
	int64_t clock_ahead;   /* seconds */
	uint32_t table;        /* flows in its table */
	uint32_t shared;       /* flows that we keep up to date there */
	uint32_t shared_here;    /* and that it says it keeps up to date here */
	uint32_t held;         /* flows here that it sent */
	struct feed_counts sent;
	struct intake_counts received;
	uint64_t bytes_sent;
	uint64_t bytes_received;
	uint64_t sessions;     /* that came up */
	const struct wire_self *self; /* what it says about itself; NULL: it is down */
	size_t difference_count;
	const struct difference *differences; /* PEER_DIFFERENCES at the most */
};

#endif
