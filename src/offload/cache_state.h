/* SPDX-License-Identifier: ISC */
/* What cache.c, slots.c and cache_view.c share, and nobody else. */
#ifndef OFFLOAD_CACHE_STATE_H
#define OFFLOAD_CACHE_STATE_H

#include "offload/cache.h"
#include "proto/packet.h"

#define CARRY_IFACES 64 /* as many as the director has */

struct carry {
	struct conn_table *conns;
	struct forward_stats *stats;
	const struct fwdtab *table;
	const struct iface *ifaces;
	struct carry_memory memory;
	uint32_t *places; /* by the flow's number: its place in the memory, and 1; 0: it is not carried */
	uint32_t *list;   /* the places in use, and those that rest, in no order */
	uint32_t listed;
	uint32_t count;   /* of them, in use */
	uint32_t cursor;  /* in the list: where the next slice begins */
	uint64_t due;
	uint32_t now;     /* as the kernel's times are */
	uint32_t slots;   /* so many servers may stand in the memory */
	uint16_t stamps[CARRY_SERVERS];
	uint16_t generations[CARRY_SERVERS];
	uint32_t ifindex[CARRY_IFACES];
	bool carries[CARRY_IFACES];
};

/* What frames say of a flow's name: CARRY_NAME_FLOW. */
static inline uint64_t
carry_name(const struct conn_key *key)
{
	return key->client_port | (uint64_t)key->vip_port << 16 |
	    (conn_key_protocol(key) == PROTOCOL_UDP ? CARRY_NAME_UDP : 0);
}

/* Counts so many frames and bytes, as the kernel counts them, for a server, which is NULL when it is gone. */
const struct fwd_server *carry_add(struct carry *carry, struct server_ref ref, uint64_t count);
/* Takes what was counted of the flow, as long as its conn is known. */
const struct fwd_server *carry_take(struct carry *carry, struct carry_flow *flow, struct conn *conn);

/* --- slots.c: which place a flow has, and how many there are --- */

/* Buckets in use at first. */
void carry_places_begin(struct carry *carry);
struct carry_flow *carry_flow_at(const struct carry *carry, uint32_t place);
/* A place for the flow, filled in but for `from` and the name; NULL: there is none now. */
struct carry_flow *carry_occupy(struct carry *carry, const struct conn *conn, const struct fwd_vip *vip);
/* Takes the flow out. */
void carry_vacate(struct carry *carry, struct carry_flow *flow, struct conn *conn);
/* The place has no name. Counts what came late; true: it has rested, and is in the list no more. */
bool carry_reclaim(struct carry *carry, struct carry_flow *flow);
/* After flows have gone: a few buckets less. */
void carry_shrink(struct carry *carry);

#endif
