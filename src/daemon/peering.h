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
#include "sync/facts.h"
#include "sync/share.h"

struct burst;
struct conf;
struct director;
struct event_base;
struct peering;
struct roles;
struct state;

#define PEERING_ERROR 512

/* All outlive it. */
struct peering_parts {
	struct director *director;
	struct state *state; /* saved when a peer's order was carried out */
	struct roles *roles; /* which peers are told, and which get what peers say */
	struct burst *burst; /* sends what follows from that */
};

/*
 * Opens the key file and the socket, so before root is given up. NULL with an empty `error`: no peers are configured.
 */
NODISCARD struct peering *peering_open(struct event_base *base, const struct conf *conf,
    const struct peering_parts *parts, char error[PEERING_ERROR]);
/* Before flows are freed. NULL is fine, here and below: then there are no peers. */
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
/* This director's name, as peers have it. */
const char *peering_name(const struct peering *peering);
uint64_t peering_refused(const struct peering *peering);

#endif
