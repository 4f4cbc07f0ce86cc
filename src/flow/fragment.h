/* SPDX-License-Identifier: ISC */
/*
 * Fragments: only the first fragment of a datagram has the ports of its flow. This table remembers where the first one
 * went, so that the others follow, and holds those that arrive before it. Nothing is reassembled. Entries, held frames
 * and time are bounded, so that fragments cannot be used to fill memory.
 */
#ifndef FLOW_FRAGMENT_H
#define FLOW_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/keyhash.h"
#include "flow/conn.h"
#include "proto/frame.h"

/* A datagram's name (RFC 791 section 3.2, RFC 8200 section 4.5). All bytes are hashed: clear the struct first. */
struct fragment_key {
	uint8_t client[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint32_t id;
	uint16_t vip;       /* the VIP's number */
	uint8_t protocol;
	uint8_t zero;
};

struct fragment_table;

/* NULL when memory is out. */
NODISCARD struct fragment_table *fragment_table_new(const struct siphash_key *key);
void fragment_table_free(struct fragment_table *table);

/*
 * Where the datagram's first fragment went. False: unknown, or no fragment of it was seen for five seconds. `last`:
 * this is the last fragment.
 */
bool fragment_find(struct fragment_table *table, const struct fragment_key *key, bool last, struct server_ref *server,
    uint64_t now);
/*
 * Keeps a copy of a fragment whose first one has not arrived. False when there is no room, the source has used its
 * share (64 of 256 slots; IPv6 sources by their /64), or the frame is too large. Held frames are dropped after two
 * seconds, and after 20 ms if all slots are taken.
 */
NODISCARD bool fragment_hold(struct fragment_table *table, const struct fragment_key *key, const struct frame *frame,
    bool last, uint64_t now);
/*
 * The first fragment went to `server`: `release` gets each held one, in the order they came. It may write to it. A
 * second first fragment changes nothing before the last one has passed, or five seconds: anyone could have forged it.
 */
void fragment_settle(struct fragment_table *table, const struct fragment_key *key, struct server_ref server,
    void (*release)(void *context, struct frame *frame), void *context, uint64_t now);
/* The first fragment of a datagram went to `server`. Must not change the table. */
typedef void fragment_settled(void *context, const struct fragment_key *key, struct server_ref server, uint64_t now);
void fragment_table_on_settle(struct fragment_table *table, fragment_settled *settled, void *context);
/* Forgets what is too old; the number of held frames that were never released since the last call. */
uint64_t fragment_expire(struct fragment_table *table, uint64_t now);

#endif
