/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/cache_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "flow/measure.h"
#include "vipcheck/vipcheck.h"

static_assert(sizeof(struct carry_flow) == 64, "a flow is a cache line");
static_assert(sizeof(struct carry_server) == 32 && sizeof(struct carry_vip) == 32, "shared with the kernel's program");
static_assert(sizeof(struct carry_control) % 8 == 0, "as maps round sizes up");

#define MEMORY_LEAST 1024 /* buckets, of which as many are in use as carry_place.c says */
/* Flows in one slice: some 100 ns each where their cache lines are cold. */
#define SLICE 4096

uint32_t
carry_buckets(uint32_t connections)
{
	uint32_t buckets = MEMORY_LEAST;

	while ((uint64_t)buckets * CARRY_WAYS < connections)
		buckets *= 2;
	return buckets;
}

struct carry *
carry_new(const struct carry_memory *memory, const struct siphash_key *secret, struct conn_table *conns,
    uint32_t connections, struct forward_stats *stats)
{
	struct carry *carry = calloc(1, sizeof(*carry));

	if (carry == NULL)
		return NULL;
	carry->memory = *memory;
	carry->conns = conns;
	carry->stats = stats;
	carry->due = UINT64_MAX;
	carry->places = calloc((size_t)connections + 1, sizeof(*carry->places));
	carry->list = calloc((size_t)memory->bucket_count * CARRY_WAYS, sizeof(*carry->list));
	if (carry->places == NULL || carry->list == NULL) {
		free(carry->places);
		free(carry->list);
		free(carry);
		return NULL;
	}
	memory->control->key.start = siphash24(secret, "", 0);
	for (uint8_t i = 0; i < CARRY_KEY_WORDS; i++)
		memory->control->key.words[i] = siphash24(secret, &i, sizeof(i));
	carry_places_begin(carry);
	memory->control->port_first = PATH_TAG_FIRST;
	memory->control->port_last = PATH_TAG_LAST;
	return carry;
}

void
carry_free(struct carry *carry)
{
	if (carry == NULL)
		return;
	for (uint32_t i = 0; i < CARRY_VIPS; i++)
		carry->memory.vips[i].ifindex = 0;
	free(carry->places);
	free(carry->list);
	free(carry);
}

uint32_t
carry_count(const struct carry *carry)
{
	return carry->count;
}

void
carry_iface(struct carry *carry, uint16_t iface, uint32_t ifindex, bool carries)
{
	/* At once for what must end; what begins does so with the next table. */
	for (uint32_t i = 0; !carries && i < CARRY_VIPS; i++)
		if (carry->memory.vips[i].ifindex == carry->ifindex[iface])
			__atomic_store_n(&carry->memory.vips[i].ifindex, 0, __ATOMIC_RELEASE);
	carry->ifindex[iface] = ifindex;
	carry->carries[iface] = carries;
}

static struct carry_flow *
flow_of(const struct carry *carry, const struct conn_table *conns, const struct conn *conn)
{
	const uint32_t place = carry->places[conn_number(conns, conn)];

	return place == 0 ? NULL : carry_flow_at(carry, place - 1);
}

static void
take_time(struct carry *carry, uint64_t now)
{
	carry->now = (uint32_t)(now * 1000 >> CARRY_TIME_SHIFT);
}

/* Microseconds since the kernel saw the flow. Its clock may be a little ahead: ours is that of the burst. */
static uint64_t
idle_time(const struct carry *carry, const struct carry_flow *flow)
{
	const int32_t units = (int32_t)(carry->now - flow->seen);

	return units <= 0 ? 0 : ((uint64_t)units << CARRY_TIME_SHIFT) / 1000;
}

/* --- what was counted ----------------------------------------------------------------------------------------------- */

static void
take_segments(struct carry_flow *flow, struct conn *conn, struct measure *measure)
{
	const uint32_t acknowledged = flow->acknowledged;
	const uint32_t resent = __atomic_exchange_n(&flow->resent, 0, __ATOMIC_RELAXED);

	measure_carried(measure, conn, acknowledged, flow->sent, resent);
}

const struct fwd_server *
carry_add(struct carry *carry, struct server_ref ref, uint64_t count)
{
	const uint64_t packets = count >> CARRY_BYTES_BITS;
	const struct fwd_server *server = fwdtab_server(carry->table, ref);

	carry->stats->frames += packets;
	carry->stats->forwarded += packets;
	carry->stats->carried += packets;
	if (server == NULL)
		return NULL;
	server->run->packets += packets;
	server->run->bytes += count & ((UINT64_C(1) << CARRY_BYTES_BITS) - 1);
	return server;
}

/* The flow's server, or NULL when nothing was counted or the server is gone. */
const struct fwd_server *
carry_take(struct carry *carry, struct carry_flow *flow, struct conn *conn)
{
	const uint64_t count = __atomic_exchange_n(&flow->count, 0, __ATOMIC_ACQUIRE);
	const struct fwd_server *server;

	if (count == 0)
		return NULL;
	server = carry_add(carry, conn->server, count);
	if (server != NULL && conn_key_protocol(&conn->key) == PROTOCOL_TCP)
		take_segments(flow, conn, &server->run->measure);
	return server;
}

static void
take(struct carry *carry, struct carry_flow *flow, struct conn *conn)
{
	const struct fwd_server *server = carry_take(carry, flow, conn);
	uint64_t idle, timeout;

	if (server == NULL)
		return;
	idle = idle_time(carry, flow);
	timeout = server->service->settings.timeouts.state[conn->state];
	conn_touch(carry->conns, conn, (enum conn_state)conn->state, timeout > idle ? timeout - idle : 0);
}

void
carry_pull(struct carry *carry, struct conn *conn, uint64_t now)
{
	struct carry_flow *flow = flow_of(carry, carry->conns, conn);

	take_time(carry, now);
	if (flow != NULL)
		take(carry, flow, conn);
}

/* A place of the list; false: it was the last one's to know of, and another one stands there now. */
static bool
sync_place(struct carry *carry, struct carry_flow *flow)
{
	if (flow->name == 0)
		return !carry_reclaim(carry, flow);
	if (flow->count != 0)
		take(carry, flow, conn_at(carry->conns, flow->conn));
	return true;
}

void
carry_sync(struct carry *carry, uint32_t budget, uint64_t now)
{
	uint64_t all;

	take_time(carry, now);
	conn_tell(carry->conns, now);
	/* Each place once, and once more for each that leaves the list: the last one, which then stands there, may have been seen. */
	all = (uint64_t)carry->listed + (carry->listed - carry->count);
	if (budget > all)
		budget = (uint32_t)all;
	for (; budget > 0 && carry->listed > 0; budget--) {
		/* Flows may have gone since the last slice. */
		if (carry->cursor >= carry->listed)
			carry->cursor = 0;
		carry->cursor += sync_place(carry, carry_flow_at(carry, carry->list[carry->cursor]));
	}
}

void
carry_tick(struct carry *carry, uint64_t now)
{

	if (now < carry->due)
		return;
	carry_sync(carry, SLICE, now);
	carry_shrink(carry);
	carry->due = carry->listed == 0 ? UINT64_MAX : now + SECONDS(1) / (carry->listed / SLICE + 1);
}

uint64_t
carry_due(const struct carry *carry)
{
	return carry->due;
}

/* --- flows come and go ---------------------------------------------------------------------------------------------- */

void
carry_remove(struct carry *carry, struct conn *conn)
{
	struct carry_flow *flow = flow_of(carry, carry->conns, conn);

	if (flow != NULL)
		carry_vacate(carry, flow, conn);
}

static struct carry_flow *
install(struct carry *carry, const struct conn *conn, const struct fwd_vip *vip, uint64_t now)
{
	struct carry_flow *flow = carry_occupy(carry, conn, vip);

	if (flow == NULL)
		return NULL;
	flow->acknowledged = conn->acknowledged;
	flow->sent = conn->sent;
	if (carry->due == UINT64_MAX)
		carry->due = now + SECONDS(1);
	return flow;
}

static bool
may_carry(const struct carry *carry, const struct conn *conn, const struct fwd_vip *vip, const struct packet *packet)
{
	if (vip->iface == IFACE_NONE || !carry->carries[vip->iface] || carry->memory.servers[conn->server.slot].rule == 0)
		return false;
	switch ((enum conn_state)conn->state) {
	case CONN_UDP:
		return packet->protocol == PROTOCOL_UDP;
	case CONN_ESTABLISHED:
	case CONN_FIN_WAIT:
		return packet->protocol == PROTOCOL_TCP && measure_is_based(conn);
	case CONN_NONE:
	case CONN_SYN:
	case CONN_TIME_WAIT:
	case CONN_CLOSED:
	case CONN_STATE_COUNT:
		break;
	}
	return false;
}

void
carry_offer(struct carry *carry, struct conn *conn, const struct fwd_vip *vip, const struct packet *packet,
    bool forwarded, uint64_t now)
{
	struct carry_flow *flow = flow_of(carry, carry->conns, conn);

	take_time(carry, now);
	/* What this frame said was taken note of here: from this on the kernel counts. */
	if (flow != NULL) {
		flow->acknowledged = conn->acknowledged;
		flow->sent = conn->sent;
	}
	/* A fragment says nothing of what follows it, and tags are not carried. */
	if (!forwarded || packet->tagged || packet->fragment)
		return;
	if (!may_carry(carry, conn, vip, packet)) {
		carry_remove(carry, conn);
		return;
	}
	if (flow == NULL)
		flow = install(carry, conn, vip, now);
	if (flow == NULL)
		return;
	memcpy(flow->from, packet->ether_source.bytes, sizeof(flow->from));
	__atomic_store_n(&flow->name, carry_name(&conn->key) | (uint64_t)conn->server.slot << CARRY_SLOT_SHIFT |
	    (uint64_t)carry->stamps[conn->server.slot] << CARRY_STAMP_SHIFT, __ATOMIC_RELEASE);
}
