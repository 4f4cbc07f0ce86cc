/* SPDX-License-Identifier: ISC */
/*
 * What "proven" means, for TCP, UDP and SCTP alike. A flow of which one packet was seen may be forged: it is unproven.
 * It is proven, as conn_is_proven() says of its state, by:
 *
 * - TCP that begins with a SYN (CONN_SYN): an ACK whose number follows the SYN's.
 * - TCP in the middle (CONN_NEW): UNPROVEN_REST or more after the first segment, another one that fits it and makes
 *   progress: new octets, or an acknowledgement of new ones.
 * - UDP (CONN_NEW): another datagram UNPROVEN_REST or more after the first.
 * - SCTP: after an INIT (CONN_SYN), a packet with a verification tag; in the middle (CONN_NEW), UNPROVEN_REST later
 * - another
 *   one with the same tag.
 *
 * The director sees no secret of the server, so who forges two packets with the numbers of one client proves a flow.
 *
 * Unproven flows of each of the two states have an eighth of the table, and CONN_NEW a lifetime of 30 seconds. When
 * their share or the table is full, the oldest one of more than 3 seconds makes room. They do not count as active,
 * nor against `max-connections`, and leave no client with persistence for longer than they live themselves.
 *
 * Here: which one is the oldest. A queue of flows of one state, in the order in which they began; of those that were
 * proven or have ended since, the entries are skipped.
 */
#ifndef FLOW_UNPROVEN_H
#define FLOW_UNPROVEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/duration.h"

#define UNPROVEN_REST MILLISECONDS(100)
/* In CONN_NEW, as nf_conntrack gives a datagram without an answer (nf_conntrack_udp_timeout). */
#define UNPROVEN_LIFETIME SECONDS(30)

/* One part in so many of a table. */
#define UNPROVEN_SHARE 8
/* Seconds: longer than a client waits with the first repetition of its SYN (RFC 6298 section 2.1). */
#define UNPROVEN_GRACE 3

/*
 * So long after a flow found no room, new ones in its state are placed by hash, as that one was: what the client
 * sends again (its SYN, after 1 and 3 seconds: RFC 6298) or later may find room, and must not go to another server.
 */
#define UNPROVEN_CALM SECONDS(4)

/* A flow's number, and the second in which it began. */
struct unproven {
	uint32_t number;
	uint32_t began;
};

/* Zero, but for unproven_init(). */
struct unproven_queue {
	struct unproven *flows; /* a ring */
	uint32_t size;
	uint32_t first;
	uint32_t used;
	uint32_t count; /* flows in the state, which the table counts */
	uint32_t share; /* so many there may be */
	uint64_t refused; /* when the last flow found no room, at the table's time; 0: none did */
};

/* For a table of `capacity` flows. -1: memory is out. */
NODISCARD int unproven_init(struct unproven_queue *queue, uint32_t capacity);
void unproven_clear(struct unproven_queue *queue);
/* A flow began. When the ring is full its oldest entry is lost: that flow is not evicted, and still expires. */
void unproven_push(struct unproven_queue *queue, uint32_t number, uint32_t second);
/* The oldest entry, or NULL. */
const struct unproven *unproven_first(const struct unproven_queue *queue);
void unproven_pop(struct unproven_queue *queue);

static inline bool
unproven_is_full(const struct unproven_queue *queue)
{
	return queue->count >= queue->share;
}

#endif
