/* SPDX-License-Identifier: ISC */
/* The feed's inside: what feed.c, feed_names.c and feed_entries.c have in common. */
#ifndef SYNC_FEED_STATE_H
#define SYNC_FEED_STATE_H

#include "sync/feed.h"

#define FEED_NUMBERS (UINT16_MAX + 1)
#define FEED_STEP 2048   /* entries of a table that a call looks at */
#define FEED_SLICE 1024  /* entries that a step of the slow round looks at */
#define FEED_QUEUED UINT32_C(0x80000000) /* in `known`: the number waits in the ring */
#define FEED_RING_LEAST 1024

/* One that waits: its number, and from when on it may be sent, in milliseconds that wrap. */
struct feed_wait {
	uint32_t number;
	uint32_t due;
};

/* What the peer knows of one table. */
struct feed_table {
	uint32_t *known; /* by number: the deadline that the peer knows, in seconds; 0: it does not know the entry */
	void *known_memory;
	uint32_t count; /* of those that are not 0 */
	struct feed_wait *ring;
	void *ring_memory;
	uint32_t size;
	uint32_t first;
	uint32_t used;
	bool walking;   /* at full speed; from `walked` on */
	bool walk_again; /* from the beginning, when that has ended */
	uint32_t walked;
	uint32_t round; /* where the slow round is */
	uint64_t round_due;
};

/* The lists of names, in the order in which they are sent. */
enum feed_naming {
	FEED_RESET = 0,
	FEED_VIPS,
	FEED_SERVICES,
	FEED_SERVERS,
	FEED_NAMED,
	FEED_ALL_NAMED
};

struct feed {
	struct share *share;
	struct feed_table tables[SHARE_TABLES];
	uint64_t now;
	enum feed_naming naming;
	size_t named;          /* of the list */
	uint64_t configuration; /* that was named */
	uint64_t serial;       /* of the table that `needs` is about */
	bool ready;            /* the peer's candidates are known */
	bool bulk_ended;
	bool walk_wanted;      /* because of new candidates */
	uint64_t walk_from;    /* then */
	/* By service: the peer's candidates, and whether ours are others. */
	uint64_t *candidates;
	bool *differs;
	uint64_t *named_candidates; /* of ours, as they were sent */
	size_t service;        /* where the look at services goes on; behind the last, until another table is in force */
	/* By slot: a sum of what the peer was sent of a server's health, and of orders about it. */
	uint32_t *health;
	uint32_t *orders;
	size_t slot;           /* where the look at servers goes on */
	uint64_t look_due;
	bool forwards;         /* the peer does */
	uint64_t fragment;     /* of the share's, the next to send */
	struct feed_counts counts;
};

uint32_t feed_milliseconds(uint64_t now);
uint32_t feed_seconds(uint64_t now);

/* feed_names.c: a body of what is to be named first; and of what has changed since. */
enum wire_type feed_put_names(struct feed *feed, struct wire_out *out);
enum wire_type feed_put_changes(struct feed *feed, struct wire_out *out);

/* feed_entries.c. -1: memory is out. */
NODISCARD int feed_entries_init(struct feed *feed);
void feed_entries_clear(struct feed *feed);
/* For share_watch(). */
void feed_entry_changed(void *context, enum share_table which, uint32_t number, bool removed);
/* A body of flows or clients; nothing is written when none is due. */
enum wire_type feed_put_entries(struct feed *feed, struct wire_out *out);
bool feed_is_walking(const struct feed *feed);
/* When an entry is due. */
uint64_t feed_entries_due(const struct feed *feed);

#endif
