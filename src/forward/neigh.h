/* SPDX-License-Identifier: ISC */
/*
 * The MAC addresses of real servers, resolved by the director itself, ahead of need: a server without a MAC is not a
 * candidate, so no frame ever waits for one. Known addresses are verified before they expire, by unicast as RFC 1122
 * section 2.3.2.1 advises, and a server that sends from a new MAC is followed immediately.
 */
#ifndef FORWARD_NEIGH_H
#define FORWARD_NEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

enum neigh_state {
	NEIGH_RESOLVING = 0, /* no answer yet */
	NEIGH_KNOWN,
	NEIGH_LOST        /* was known, or the requests were not answered; requests continue */
};

struct server;

struct neigh {
	struct addr addr;
	uint16_t iface;
	enum neigh_state state;
	struct mac mac;      /* zero unless KNOWN */
	uint32_t unanswered; /* requests since the last answer */
	uint64_t next_ask;
	uint64_t changed;    /* when the MAC was last learned or replaced */
	uint32_t next;       /* of those that hash alike */
	struct server *servers; /* the caller's list of those at this address; neigh_begin() empties it */
	bool wanted;
};

enum neigh_event {
	NEIGH_FOUND,   /* has a MAC now */
	NEIGH_CHANGED, /* has another MAC now; `before` is the old one */
	NEIGH_GONE     /* does not answer; `before` is the MAC it had, or zero */
};

typedef void neigh_watch(void *context, enum neigh_event event, const struct neigh *neigh, const struct mac *before);
/* `destination` is the neighbor's MAC, or broadcast. */
typedef void neigh_ask(void *context, const struct neigh *neigh, const struct mac *destination);

struct neigh_table;

NODISCARD struct neigh_table *neigh_table_new(neigh_watch *watch, void *context);
void neigh_table_free(struct neigh_table *table);

/* Replaces the set of addresses: begin, want each, end. An address that stays keeps its MAC. -1: out of memory. */
void neigh_begin(struct neigh_table *table);
NODISCARD int neigh_want(struct neigh_table *table, uint16_t iface, const struct addr *addr, uint64_t now);
void neigh_end(struct neigh_table *table);

/* The list of a wanted address. Valid until the set changes. */
struct server **neigh_servers(struct neigh_table *table, uint16_t iface, const struct addr *addr);

/* NULL while unknown. */
const struct mac *neigh_mac(struct neigh_table *table, uint16_t iface, const struct addr *addr);
/* Records that `addr` was seen at `mac`, if it is a wanted address. */
void neigh_learn(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac,
    uint64_t now);
/*
 * An address that is wanted was at `mac` a moment ago, according to another process: it is known, and verified
 * immediately. No event. Does nothing when it is not wanted, or known already.
 */
void neigh_restore(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac,
    uint64_t now);
/* Sends the requests that are due. Call it about once a second, or more often. */
void neigh_tick(struct neigh_table *table, uint64_t now, neigh_ask *ask, void *context);
/* Entries that were looked at so far: the work that searches made. */
uint64_t neigh_compared(const struct neigh_table *table);
size_t neigh_count(const struct neigh_table *table);
const struct neigh *neigh_at(const struct neigh_table *table, size_t index);

#endif
