/* SPDX-License-Identifier: ISC */
/*
 * The director's peers: joins src/peer to the director. Reads the key, gives peers the table in force, carries out what
 * operators ordered at another director.
 */
#ifndef DAEMON_PEERING_H
#define DAEMON_PEERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "daemon/peering_settings.h"
#include "sync/facts.h"
#include "sync/share.h"

struct burst;
struct director;
struct event_base;
struct peering;
struct privsep;
struct roles;
struct state;

/* All outlive it. */
struct peering_parts {
	struct director *director;
	struct state *state; /* saved when a peer's order was carried out */
	struct roles *roles; /* which peers are told, and which get what peers say */
	struct burst *burst; /* sends what follows from that */
	struct privsep *privsep; /* opens the key file and the socket; NULL: this process may */
};

/* With the peers of `conf`, or none yet. NULL with a reason: the key file, the socket or memory. */
NODISCARD struct peering *peering_open(struct event_base *base, const struct conf *conf,
    const struct peering_parts *parts, char error[PEERING_ERROR]);
/*
 * A reload: other peers, another key in the file, another address. If anything changed all connections begin again. -1
 * with a reason: the old peers stay, if the fault is the key file or the address.
 */
NODISCARD int peering_apply(struct peering *peering, const struct conf *conf, char error[PEERING_ERROR]);
/* Before flows are freed. NULL is fine, here, above and below: then there are no peers, as in observe mode. */
void peering_close(struct peering *peering);
/* Once a second. */
void peering_tick(struct peering *peering, uint64_t now);
/*
 * The table is present: every peer has sent what it has, or cannot be reached. A director that becomes active before
 * may lack flows.
 */
bool peering_table_present(const struct peering *peering);
/* The facts of all peers, until the next call. */
const struct peer_facts *peering_list(struct peering *peering, size_t *count);
/* Is a peer active for the group of that name, and ready? The form is that of announcing_set_others(). */
bool peering_serves(void *peering, const char *group);
/* This director's name, as peers have it. */
const char *peering_name(const struct peering *peering);
uint64_t peering_refused(const struct peering *peering);

#endif
