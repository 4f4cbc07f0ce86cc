/* SPDX-License-Identifier: ISC */
/*
 * Flows that the kernel forwards: the daemon decides a flow once, puts it into memory shared with the kernel
 * (offload/map.h), and sees only those of its further frames that change its state. The kernel's counters are collected
 * in turns, and whenever the flow is used, so that counters, idle times and acknowledgements cover all frames.
 *
 * Pure: the memory is an argument, and the reader on the other side is unknown here. Without a cache (NULL in the
 * forwarder) nothing is offloaded.
 */
#ifndef OFFLOAD_CACHE_H
#define OFFLOAD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"
#include "base/keyhash.h"
#include "flow/conn.h"
#include "flow/stats.h"
#include "offload/map.h"
#include "proto/packet.h"
#include "sched/fwdtab.h"

struct offload_cache;
struct select_bank;
struct select_control;
struct select_counts;

/*
 * All zero at first. `buckets` are a power of two; the other tables have OFFLOAD_SERVERS, OFFLOAD_ENCAPS
 * and OFFLOAD_VIPS.
 */
struct offload_memory {
	struct offload_bucket *buckets;
	uint32_t bucket_count;
	struct offload_server *servers;
	struct offload_encap *encaps;
	struct offload_vip *vips;
	struct offload_control *control;
	/* The next are offload/select_map.h's; `selection` is NULL where servers are not selected. */
	struct select_control *selection;
	struct select_bank *banks;
	struct select_counts *counts; /* of each of so many processors */
	uint32_t cpus;
};

/* Buckets for so many flows. */
uint32_t offload_buckets(uint32_t connections);

/*
 * NULL when memory is out. `memory`, `conns` and `stats` must outlive it; `connections` is the capacity of the flow
 * table. The hash is keyed with `secret`, since clients choose what is hashed. Call offload_refresh() before anything
 * else.
 */
NODISCARD struct offload_cache *offload_new(const struct offload_memory *memory, const struct siphash_key *secret,
    struct conn_table *conns, uint32_t connections, struct forward_stats *stats);
/* Nothing is offloaded any more from here on. */
void offload_free(struct offload_cache *offload);
uint32_t offload_count(const struct offload_cache *offload); /* flows in the shared memory */

/* The kernel's index of the director's interface is `ifindex`; frames that arrive there are offloaded if `carries`. */
void offload_iface(struct offload_cache *offload, uint16_t iface, uint32_t ifindex, bool carries);

/*
 * There is a new table, or interfaces have changed: takes effect for all flows immediately. Both must live until the
 * next call. `forget`: VIPs and ports may have changed, so each flow is decided again with its next frame. `wanted` are
 * further addresses whose frames the daemon needs.
 */
void offload_refresh(struct offload_cache *offload, const struct fwdtab *table, const struct iface *ifaces, bool forget,
    const struct addr *wanted, size_t count, uint64_t now);

/* Before a frame of `conn` is examined: collects what the kernel counted. */
void offload_pull(struct offload_cache *offload, struct conn *conn, uint64_t now);
/* After it was examined, and `forwarded` or dropped: the flow may be offloaded from now on, or no longer. */
void offload_offer(struct offload_cache *offload, struct conn *conn, const struct fwd_vip *vip,
    const struct packet *packet,
    bool forwarded, uint64_t now);
/* The flow is forgotten. */
void offload_remove(struct offload_cache *offload, struct conn *conn);

/* Collects the counts of at most `budget` flows, and continues where the last call ended. */
void offload_sync(struct offload_cache *offload, uint32_t budget, uint64_t now);
/* The same in equal slices, a round a second. Call it at offload_due(), which is UINT64_MAX for never. */
void offload_tick(struct offload_cache *offload, uint64_t now);
uint64_t offload_due(const struct offload_cache *offload);

#endif
