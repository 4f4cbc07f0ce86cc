/* SPDX-License-Identifier: ISC */
/* Shared by cache.c, slots.c and cache_view.c only. */
#ifndef OFFLOAD_CACHE_STATE_H
#define OFFLOAD_CACHE_STATE_H

#include "base/attr.h"
#include "offload/cache.h"
#include "offload/select_map.h"
#include "proto/packet.h"

#define OFFLOAD_IFACES 64 /* as many as the director has */

struct publisher;

struct offload_cache {
	struct conn_table *conns;
	struct forward_stats *stats;
	const struct fwdtab *table;
	const struct iface *ifaces;
	struct offload_memory memory;
	uint32_t *places; /* by the flow's number: its slot plus 1; 0: it is not offloaded */
	uint32_t *list;   /* the slots in use, and those that rest, in no order */
	uint32_t listed;
	uint32_t count;   /* in use */
	uint32_t cursor;  /* in the list: the start of the next slice */
	uint64_t due;
	uint32_t now;     /* as the kernel's times are, */
	uint64_t clock;   /* and in microseconds */
	struct publisher *publisher; /* NULL: servers are not selected */
	const struct addr *probes;   /* probe addresses, until the next offload_refresh() */
	size_t probe_count;
	uint32_t slots;   /* so many servers may stand in the memory */
	uint16_t stamps[OFFLOAD_SERVERS];
	uint16_t generations[OFFLOAD_SERVERS];
	uint32_t ifindex[OFFLOAD_IFACES];
	bool carries[OFFLOAD_IFACES];
};

/* The part of a flow's name that frames have: OFFLOAD_NAME_FLOW. */
static inline uint64_t
offload_name(const struct conn_key *key)
{
	return key->client_port | (uint64_t)key->vip_port << 16 |
	    (conn_key_protocol(key) == PROTOCOL_UDP ? OFFLOAD_NAME_UDP : 0);
}

/* Counts so many frames and bytes, as the kernel counts them, for a server, which is NULL when it is gone. */
const struct fwd_server *offload_add(struct offload_cache *offload, struct server_ref ref, uint64_t count);
/* Collects the flow's counts, as long as its conn is known. */
const struct fwd_server *offload_take(struct offload_cache *offload, struct offload_flow *flow, struct conn *conn);

/*
 * The flow is in the table, so that the kernel does not select a server for it, but each of its frames is the daemon's
 * until one was offered.
 */
void offload_pin(struct offload_cache *offload, const struct conn *conn, const struct fwd_vip *vip);

/* --- slots.c: the slots of flows, and how many there are --- */

/* Buckets in use at first. */
void offload_places_begin(struct offload_cache *offload);
struct offload_flow *offload_flow_at(const struct offload_cache *offload, uint32_t place);
/* A slot for the flow, filled in except `from` and the name; NULL: none is free. */
struct offload_flow *offload_occupy(struct offload_cache *offload, const struct conn *conn, const struct fwd_vip *vip);
/* Takes the flow out. */
void offload_vacate(struct offload_cache *offload, struct offload_flow *flow, struct conn *conn);
/* The slot has no name. Collects late counts; true: it has rested, and is no longer in the list. */
bool offload_reclaim(struct offload_cache *offload, struct offload_flow *flow);
/* After flows have been removed: removes a few buckets. */
void offload_shrink(struct offload_cache *offload);

/* --- publish.c: services whose servers the kernel selects; none of these needs a publisher ------------------------ */

/* NULL when memory is out. */
NODISCARD struct publisher *publisher_new(void);
void publisher_free(struct publisher *publisher);
/* There is a new table: publishes it, now or, when the bank has not rested, as soon as it has. */
void publisher_update(struct offload_cache *offload);
/* Counts what the kernel has counted since the last call, for the table's servers. */
void publisher_collect(struct offload_cache *offload);
/* Slots become settled with time. */
void publisher_tick(struct offload_cache *offload, uint64_t now);
/* When publisher_tick() has work; UINT64_MAX for never. */
uint64_t publisher_due(const struct offload_cache *offload);

#endif
