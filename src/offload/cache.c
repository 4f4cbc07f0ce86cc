/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/cache_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "flow/fit.h"
#include "flow/measure.h"
#include "vipcheck/vipcheck.h"

static_assert(sizeof(struct offload_flow) == 64, "a flow is a cache line");
static_assert(sizeof(struct offload_server) == 32 && sizeof(struct offload_vip) == 32, "shared with the kernel's "
    "program");
static_assert(sizeof(struct offload_control) % 8 == 0, "as maps round sizes up");

#define MEMORY_LEAST 1024 /* buckets; slots.c determines how many of them are in use */
/* Flows in one slice: some 100 ns each where their cache lines are cold. */
#define SLICE 4096

uint32_t
offload_buckets(uint32_t connections)
{
	uint32_t buckets = MEMORY_LEAST;

	while ((uint64_t)buckets * OFFLOAD_WAYS < connections)
		buckets *= 2;
	return buckets;
}

struct offload_cache *
offload_new(const struct offload_memory *memory, const struct siphash_key *secret, struct conn_table *conns,
    uint32_t connections, struct forward_stats *stats)
{
	struct offload_cache *offload = calloc(1, sizeof(*offload));

	if (offload == NULL)
		return NULL;
	offload->memory = *memory;
	offload->conns = conns;
	offload->stats = stats;
	offload->due = UINT64_MAX;
	offload->places = calloc((size_t)connections + 1, sizeof(*offload->places));
	offload->list = calloc((size_t)memory->bucket_count * OFFLOAD_WAYS, sizeof(*offload->list));
	offload->publisher = memory->selection != NULL ? publisher_new() : NULL;
	if (offload->places == NULL || offload->list == NULL ||
	    (memory->selection != NULL && offload->publisher == NULL)) {
		publisher_free(offload->publisher);
		free(offload->places);
		free(offload->list);
		free(offload);
		return NULL;
	}
	memory->control->key.start = siphash24(secret, "", 0);
	for (uint8_t i = 0; i < OFFLOAD_KEY_WORDS; i++)
		memory->control->key.words[i] = siphash24(secret, &i, sizeof(i));
	offload_places_begin(offload);
	memory->control->port_first = VIPCHECK_TAG_FIRST;
	memory->control->port_last = VIPCHECK_TAG_LAST;
	return offload;
}

void
offload_free(struct offload_cache *offload)
{
	if (offload == NULL)
		return;
	for (uint32_t i = 0; i < OFFLOAD_VIPS; i++)
		offload->memory.vips[i].ifindex = 0;
	if (offload->memory.selection != NULL)
		offload->memory.selection->bank = 0;
	publisher_free(offload->publisher);
	free(offload->places);
	free(offload->list);
	free(offload);
}

uint32_t
offload_count(const struct offload_cache *offload)
{
	return offload->count;
}

void
offload_iface(struct offload_cache *offload, uint16_t iface, uint32_t ifindex, bool carries)
{
	/* Removals take effect immediately; additions with the next table. */
	for (uint32_t i = 0; !carries && i < OFFLOAD_VIPS; i++)
		if (offload->memory.vips[i].ifindex == offload->ifindex[iface])
			__atomic_store_n(&offload->memory.vips[i].ifindex, 0, __ATOMIC_RELEASE);
	offload->ifindex[iface] = ifindex;
	offload->carries[iface] = carries;
}

static struct offload_flow *
cache_flow(const struct offload_cache *offload, const struct conn_table *conns, const struct conn *conn)
{
	const uint32_t place = offload->places[conn_number(conns, conn)];

	return place == 0 ? NULL : offload_flow_at(offload, place - 1);
}

static void
cache_pull_time(struct offload_cache *offload, uint64_t now)
{
	offload->now = (uint32_t)(now * 1000 >> OFFLOAD_TIME_SHIFT);
	offload->clock = now;
}

/* Microseconds since the kernel saw the flow. Its clock may be a little ahead: ours is that of the burst. */
static uint64_t
cache_idle_time(const struct offload_cache *offload, const struct offload_flow *flow)
{
	const int32_t units = (int32_t)(offload->now - flow->seen);

	return units <= 0 ? 0 : ((uint64_t)units << OFFLOAD_TIME_SHIFT) / 1000;
}

/*
 * --- what was counted -----------------------------------------------------------------------------------------------
 */

static void
cache_pull_segments(const struct offload_cache *offload, struct offload_flow *flow, struct conn *conn,
    struct server_run *run)
{
	const uint32_t acknowledged = flow->acknowledged, before = conn->sent;
	const uint32_t resent = __atomic_exchange_n(&flow->resent, 0, __ATOMIC_RELAXED);

	measure_offloaded(&run->measure, conn, acknowledged, flow->sent, resent);
	/* Octets beyond a FIN: it was none, see fit_revives(). */
	if (conn->state == CONN_FIN_WAIT && (int32_t)(conn->sent - before) > 0) {
		account_flow(run, CONN_FIN_WAIT, -1);
		account_flow(run, CONN_ESTABLISHED, 1);
		conn_touch(offload->conns, conn, CONN_ESTABLISHED, conn_left(offload->conns, conn));
	}
}

const struct fwd_server *
offload_add(struct offload_cache *offload, struct server_ref ref, uint64_t count)
{
	const uint64_t packets = count >> OFFLOAD_BYTES_BITS;
	const struct fwd_server *server = fwdtab_server(offload->table, ref);

	offload->stats->frames += packets;
	offload->stats->forwarded += packets;
	offload->stats->offloaded += packets;
	if (server == NULL)
		return NULL;
	server->run->packets += packets;
	server->run->bytes += count & ((UINT64_C(1) << OFFLOAD_BYTES_BITS) - 1);
	return server;
}

/* The flow's server, or NULL when nothing was counted or the server is gone. */
const struct fwd_server *
offload_take(struct offload_cache *offload, struct offload_flow *flow, struct conn *conn)
{
	const uint64_t count = __atomic_exchange_n(&flow->count, 0, __ATOMIC_ACQUIRE);
	const struct fwd_server *server;

	if (count == 0)
		return NULL;
	server = offload_add(offload, conn->server, count);
	if (server != NULL && conn_key_protocol(&conn->key) == PROTOCOL_TCP)
		cache_pull_segments(offload, flow, conn, server->run);
	return server;
}

static void
cache_take(struct offload_cache *offload, struct offload_flow *flow, struct conn *conn)
{
	const struct fwd_server *server = offload_take(offload, flow, conn);
	uint64_t idle, timeout;

	if (server == NULL)
		return;
	idle = cache_idle_time(offload, flow);
	timeout = server->service->settings.timeouts.state[conn->state];
	conn_touch(offload->conns, conn, (enum conn_state)conn->state, timeout > idle ? timeout - idle : 0);
}

void
offload_pull(struct offload_cache *offload, struct conn *conn, uint64_t now)
{
	struct offload_flow *flow = cache_flow(offload, offload->conns, conn);

	cache_pull_time(offload, now);
	if (flow != NULL)
		cache_take(offload, flow, conn);
}

/* An entry of the list; false: it was freed, and the last one has moved here. */
static bool
cache_sync_place(struct offload_cache *offload, struct offload_flow *flow)
{
	if (flow->name == 0)
		return !offload_reclaim(offload, flow);
	if (flow->count != 0)
		cache_take(offload, flow, conn_at(offload->conns, flow->conn));
	return true;
}

void
offload_sync(struct offload_cache *offload, uint32_t budget, uint64_t now)
{
	uint64_t all;

	cache_pull_time(offload, now);
	conn_tell(offload->conns, now);
	publisher_collect(offload);
	/*
	 * Each place once, and once more for each that leaves the list: the last one, which then stands there, may have
	 * been seen.
	 */
	all = (uint64_t)offload->listed + (offload->listed - offload->count);
	if (budget > all)
		budget = (uint32_t)all;
	for (; budget > 0 && offload->listed > 0; budget--) {
		/* Flows may have gone since the last slice. */
		if (offload->cursor >= offload->listed)
			offload->cursor = 0;
		offload->cursor += cache_sync_place(offload, offload_flow_at(offload, offload->list[offload->cursor]));
	}
}

void
offload_tick(struct offload_cache *offload, uint64_t now)
{

	publisher_tick(offload, now);
	if (now < offload->due)
		return;
	offload_sync(offload, SLICE, now);
	offload_shrink(offload);
	offload->due = offload->listed == 0 ? UINT64_MAX : now + SECONDS(1) / (offload->listed / SLICE + 1);
}

uint64_t
offload_due(const struct offload_cache *offload)
{
	const uint64_t publisher = publisher_due(offload);

	return offload->due < publisher ? offload->due : publisher;
}

/*
 * --- flows come and go ----------------------------------------------------------------------------------------------
 */

void
offload_remove(struct offload_cache *offload, struct conn *conn)
{
	struct offload_flow *flow = cache_flow(offload, offload->conns, conn);

	if (flow != NULL)
		offload_vacate(offload, flow, conn);
}

/* From here on the kernel finds it. */
static void
cache_name(const struct offload_cache *offload, struct offload_flow *flow, const struct conn *conn)
{
	__atomic_store_n(&flow->name, offload_name(&conn->key) | (uint64_t)conn->server.slot << OFFLOAD_SLOT_SHIFT |
	    (uint64_t)offload->stamps[conn->server.slot] << OFFLOAD_STAMP_SHIFT, __ATOMIC_RELEASE);
}

static struct offload_flow *
cache_install(struct offload_cache *offload, const struct conn *conn, const struct fwd_vip *vip, uint64_t now)
{
	struct offload_flow *flow = offload_occupy(offload, conn, vip);

	if (flow == NULL)
		return NULL;
	flow->acknowledged = conn->acknowledged;
	flow->sent = conn->sent;
	if (offload->due == UINT64_MAX)
		offload->due = now + SECONDS(1);
	return flow;
}

/* No frame has the source address 0. */
void
offload_pin(struct offload_cache *offload, const struct conn *conn, const struct fwd_vip *vip)
{
	struct offload_flow *flow = cache_flow(offload, offload->conns, conn) == NULL ?
	    cache_install(offload, conn, vip, offload->clock) : NULL;

	if (flow == NULL)
		return;
	memset(flow->from, 0, sizeof(flow->from));
	flow->seen = offload->now;
	cache_name(offload, flow, conn);
}

static bool
cache_may_offload(const struct offload_cache *offload, const struct conn *conn, const struct fwd_vip *vip,
    const struct packet *packet)
{
	if (vip->iface == IFACE_NONE || !offload->carries[vip->iface] ||
	    offload->memory.servers[conn->server.slot].rule == 0)
		return false;
	switch ((enum conn_state)conn->state) {
	case CONN_UDP:
		return packet->protocol == PROTOCOL_UDP;
	case CONN_ESTABLISHED:
	case CONN_FIN_WAIT:
		return packet->protocol == PROTOCOL_TCP && fit_is_based(conn);
	case CONN_NONE:
	case CONN_SYN:
	case CONN_NEW:
	case CONN_TIME_WAIT:
	case CONN_CLOSED:
	case CONN_STATE_COUNT:
		break;
	}
	return false;
}

void
offload_offer(struct offload_cache *offload, struct conn *conn, const struct fwd_vip *vip, const struct packet *packet,
    bool forwarded, uint64_t now)
{
	struct offload_flow *flow = cache_flow(offload, offload->conns, conn);

	cache_pull_time(offload, now);
	/* What this frame said was taken note of here: from this on the kernel counts. */
	if (flow != NULL) {
		flow->acknowledged = conn->acknowledged;
		flow->sent = conn->sent;
	}
	/* A fragment does not have the flow's ports, and tagged frames are not offloaded. */
	if (!forwarded || packet->tagged || packet->fragment)
		return;
	if (!cache_may_offload(offload, conn, vip, packet)) {
		offload_remove(offload, conn);
		return;
	}
	if (flow == NULL)
		flow = cache_install(offload, conn, vip, now);
	if (flow == NULL)
		return;
	memcpy(flow->from, packet->ether_source.bytes, sizeof(flow->from));
	cache_name(offload, flow, conn);
}
