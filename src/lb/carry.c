/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "lb/carry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "lb/forward.h"
#include "lb/measure.h"
#include "lb/passage.h"

static_assert(sizeof(struct carry_flow) == 64, "a flow is a cache line");
static_assert(sizeof(struct carry_server) == 32 && sizeof(struct carry_vip) == 32, "shared with the kernel's program");
static_assert(sizeof(struct carry_control) % 8 == 0, "as maps round sizes up");

#define BUCKETS_LEAST 1024
#define IFACES 64 /* as many as the director has */

/* A place that was given back is not used again at once: 16 ms. Longer than any reader looks at one. */
#define REST 16

/* Flows in one slice: some 100 ns each where their cache lines are cold. */
#define SLICE 4096

struct carry {
	struct carry_memory memory;
	uint32_t connections;
	uint32_t *places; /* by the flow's number: its place in the memory, and 1; 0: it is not carried */
	uint32_t *list;   /* the places in use, in no order */
	uint32_t count;
	uint32_t cursor;  /* in the list: where the next slice begins */
	uint64_t due;
	uint32_t now;     /* as the kernel's times are */
	uint32_t slots;   /* so many servers may stand in the memory */
	uint16_t stamps[CARRY_SERVERS];
	uint16_t generations[CARRY_SERVERS];
	uint32_t ifindex[IFACES];
	bool carries[IFACES];
};

uint32_t
carry_buckets(uint32_t connections)
{
	uint32_t buckets = BUCKETS_LEAST;

	while ((uint64_t)buckets * CARRY_WAYS < connections)
		buckets *= 2;
	return buckets;
}

struct carry *
carry_new(const struct carry_memory *memory, uint64_t seed, uint32_t connections)
{
	struct carry *carry = calloc(1, sizeof(*carry));

	if (carry == NULL)
		return NULL;
	carry->memory = *memory;
	carry->connections = connections;
	carry->due = UINT64_MAX;
	carry->places = calloc((size_t)connections + 1, sizeof(*carry->places));
	carry->list = calloc((size_t)memory->bucket_count * CARRY_WAYS, sizeof(*carry->list));
	if (carry->places == NULL || carry->list == NULL) {
		free(carry->places);
		free(carry->list);
		free(carry);
		return NULL;
	}
	memory->control->seed = seed;
	memory->control->mask = memory->bucket_count - 1;
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
flow_at(const struct carry *carry, uint32_t place)
{
	return &carry->memory.buckets[place / CARRY_WAYS].ways[place % CARRY_WAYS];
}

static struct carry_flow *
flow_of(const struct carry *carry, const struct conn_table *conns, const struct conn *conn)
{
	const uint32_t place = carry->places[conn_number(conns, conn)];

	return place == 0 ? NULL : flow_at(carry, place - 1);
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

	/* The kernel lets it only grow, by less than a window each time. */
	measure_add(measure, acknowledged - conn->acknowledged, resent);
	conn->acknowledged = acknowledged;
	conn->sent = flow->sent;
}

/* The flow's server, or NULL when nothing was counted or the server is gone. */
static const struct fwd_server *
take_counts(struct forwarder *forwarder, struct carry_flow *flow, struct conn *conn)
{
	const uint64_t count = __atomic_exchange_n(&flow->count, 0, __ATOMIC_ACQUIRE);
	const uint64_t packets = count >> CARRY_BYTES_BITS;
	const struct fwd_server *server;

	if (count == 0)
		return NULL;
	forwarder->stats.frames += packets;
	forwarder->stats.forwarded += packets;
	forwarder->stats.carried += packets;
	server = fwdtab_server(forwarder->table, conn->server);
	if (server == NULL)
		return NULL;
	server->run->packets += packets;
	server->run->bytes += count & ((UINT64_C(1) << CARRY_BYTES_BITS) - 1);
	if (conn->key.protocol == PROTOCOL_TCP)
		take_segments(flow, conn, &server->run->measure);
	return server;
}

static void
take(struct forwarder *forwarder, struct carry_flow *flow, struct conn *conn)
{
	const struct fwd_server *server = take_counts(forwarder, flow, conn);
	uint64_t idle, timeout;

	if (server == NULL)
		return;
	idle = idle_time(forwarder->carry, flow);
	timeout = server->service->settings.timeouts.state[conn->state];
	conn_touch(forwarder->conns, conn, (enum conn_state)conn->state, timeout > idle ? timeout - idle : 0);
}

void
carry_pull(struct forwarder *forwarder, struct conn *conn, uint64_t now)
{
	struct carry_flow *flow = flow_of(forwarder->carry, forwarder->conns, conn);

	take_time(forwarder->carry, now);
	if (flow != NULL)
		take(forwarder, flow, conn);
}

void
carry_sync(struct forwarder *forwarder, uint32_t budget, uint64_t now)
{
	struct carry *carry = forwarder->carry;

	take_time(carry, now);
	conn_tell(forwarder->conns, now);
	if (budget > carry->count)
		budget = carry->count;
	for (; budget > 0; budget--, carry->cursor++) {
		struct carry_flow *flow;

		/* Flows may have gone since the last slice. */
		if (carry->cursor >= carry->count)
			carry->cursor = 0;
		flow = flow_at(carry, carry->list[carry->cursor]);
		if (flow->count != 0)
			take(forwarder, flow, conn_at(forwarder->conns, flow->conn));
	}
}

void
carry_tick(struct forwarder *forwarder, uint64_t now)
{
	struct carry *carry = forwarder->carry;

	if (now < carry->due)
		return;
	carry_sync(forwarder, SLICE, now);
	carry->due = carry->count == 0 ? UINT64_MAX : now + SECONDS(1) / (carry->count / SLICE + 1);
}

uint64_t
carry_due(const struct carry *carry)
{
	return carry->due;
}

/* --- flows come and go ---------------------------------------------------------------------------------------------- */

/* The name goes first, so that nothing is counted behind our back. */
void
carry_remove(struct forwarder *forwarder, struct conn *conn)
{
	struct carry *carry = forwarder->carry;
	struct carry_flow *flow = flow_of(carry, forwarder->conns, conn);
	uint32_t last;

	if (flow == NULL)
		return;
	__atomic_store_n(&flow->name, 0, __ATOMIC_SEQ_CST);
	take_counts(forwarder, flow, conn);
	flow->seen = carry->now;
	last = carry->list[--carry->count];
	carry->list[flow->listed] = last;
	flow_at(carry, last)->listed = flow->listed;
	carry->places[conn_number(forwarder->conns, conn)] = 0;
}

static bool
is_free(const struct carry *carry, const struct carry_flow *flow)
{
	return flow->name == 0 && (flow->seen == 0 || carry->now - flow->seen >= REST);
}

/* The first free place, in the first bucket if there is one; -1: both are full. */
static int64_t
find_place(const struct carry *carry, const struct conn_key *key, const struct addr *vip)
{
	union carry_vip_name {
		uint8_t bytes[16];
		uint64_t longs[2];
	} client, address;
	const uint64_t ports = key->client_port | (uint64_t)key->vip_port << 16 |
	    (uint64_t)(key->protocol == PROTOCOL_UDP) << 32;
	uint32_t buckets[2];
	uint64_t hash;

	memcpy(client.bytes, key->client, sizeof(client.bytes));
	passage_client(vip, address.bytes);
	hash = carry_hash(carry->memory.control->seed, client.longs, address.longs, ports);
	buckets[0] = (uint32_t)hash & carry->memory.control->mask;
	buckets[1] = (uint32_t)(hash >> 32) & carry->memory.control->mask;
	for (size_t i = 0; i < 2; i++)
		for (uint32_t way = 0; way < CARRY_WAYS; way++)
			if (is_free(carry, &carry->memory.buckets[buckets[i]].ways[way]))
				return (int64_t)buckets[i] * CARRY_WAYS + way;
	return -1;
}

static struct carry_flow *
install(struct forwarder *forwarder, struct conn *conn, const struct fwd_vip *vip, uint64_t now)
{
	struct carry *carry = forwarder->carry;
	const int64_t place = find_place(carry, &conn->key, &vip->addr);
	struct carry_flow *flow;

	if (place == -1) {
		forwarder->stats.carry_full++;
		return NULL;
	}
	flow = flow_at(carry, (uint32_t)place);
	memcpy(flow->client, conn->key.client, sizeof(flow->client));
	flow->vip = vip->number;
	flow->count = 0;
	flow->resent = 0;
	flow->acknowledged = conn->acknowledged;
	flow->sent = conn->sent;
	flow->conn = conn_number(forwarder->conns, conn);
	flow->listed = carry->count;
	if (carry->count == 0)
		carry->due = now + SECONDS(1);
	carry->list[carry->count++] = (uint32_t)place;
	carry->places[flow->conn] = (uint32_t)place + 1;
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
carry_offer(struct forwarder *forwarder, struct conn *conn, const struct fwd_vip *vip, const struct packet *packet,
    bool forwarded, uint64_t now)
{
	struct carry *carry = forwarder->carry;
	struct carry_flow *flow = flow_of(carry, forwarder->conns, conn);

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
		carry_remove(forwarder, conn);
		return;
	}
	if (flow == NULL)
		flow = install(forwarder, conn, vip, now);
	if (flow == NULL)
		return;
	memcpy(flow->from, packet->ether_source.bytes, sizeof(flow->from));
	__atomic_store_n(&flow->name, conn->key.client_port | (uint64_t)conn->key.vip_port << 16 |
	    (uint64_t)conn->server.slot << CARRY_SLOT_SHIFT |
	    (uint64_t)carry->stamps[conn->server.slot] << CARRY_STAMP_SHIFT |
	    (conn->key.protocol == PROTOCOL_UDP ? CARRY_NAME_UDP : 0), __ATOMIC_RELEASE);
}

/* --- the forwarder's table as the kernel sees it --------------------------------------------------------------------- */

/* As the stage of flows decides what stays: see stays() there. */
static uint16_t
rule_of(const struct fwd_server *server)
{
	uint16_t rule = 0;

	if (!server->reachable)
		return 0;
	if (server->healthy)
		rule |= CARRY_RULE_UDP;
	if (server->healthy || server->service->settings.on_down != ON_DOWN_MOVE)
		rule |= CARRY_RULE_TCP;
	return rule;
}

/* Another owner of the slot, or all flows to be decided anew: another stamp, never 0. */
static void
renew_stamp(struct carry *carry, uint32_t slot, uint16_t generation, bool forget)
{
	if (carry->generations[slot] == generation && !forget)
		return;
	carry->generations[slot] = generation;
	carry->stamps[slot] = (uint16_t)(carry->stamps[slot] % CARRY_STAMP_MASK + 1);
}

static void
write_server(const struct forwarder *forwarder, const struct fwd_server *server, uint32_t slot, bool forget)
{
	struct carry *carry = forwarder->carry;
	struct carry_server *out = &carry->memory.servers[slot];
	struct carry_server fresh = { .rule = 0 };
	uint64_t word;

	if (server != NULL)
		renew_stamp(carry, slot, server->ref.generation, forget);
	if (server != NULL && rule_of(server) != 0 && carry->ifindex[server->iface] != 0) {
		memcpy(fresh.mac, server->mac.bytes, sizeof(fresh.mac));
		memcpy(fresh.source, forwarder->ifaces[server->iface].mac.bytes, sizeof(fresh.source));
		fresh.rule = rule_of(server) | carry->stamps[slot];
		fresh.ifindex = carry->ifindex[server->iface];
		fresh.mtu = forwarder->ifaces[server->iface].mtu;
	}
	if (memcmp(out, &fresh, sizeof(fresh)) == 0)
		return;
	memcpy(&word, &fresh, sizeof(word));
	if (memcmp((const uint8_t *)out + sizeof(word), (const uint8_t *)&fresh + sizeof(word),
	    sizeof(fresh) - sizeof(word)) != 0) {
		__atomic_store_n((uint64_t *)(void *)out, 0, __ATOMIC_SEQ_CST);
		memcpy((uint8_t *)out + sizeof(word), (uint8_t *)&fresh + sizeof(word), sizeof(fresh) - sizeof(word));
	}
	__atomic_store_n((uint64_t *)(void *)out, word, __ATOMIC_SEQ_CST);
}

static void
write_vip(const struct forwarder *forwarder, const struct fwd_vip *vip)
{
	const struct carry *carry = forwarder->carry;
	struct carry_vip *out = &carry->memory.vips[vip->number];
	struct carry_vip fresh = { .ifindex = 0 };

	passage_client(&vip->addr, fresh.addr);
	if (vip->iface != IFACE_NONE && carry->carries[vip->iface]) {
		memcpy(fresh.mac, forwarder->ifaces[vip->iface].mac.bytes, sizeof(fresh.mac));
		fresh.ifindex = carry->ifindex[vip->iface];
	}
	if (memcmp(out, &fresh, sizeof(fresh)) == 0)
		return;
	__atomic_store_n(&out->ifindex, 0, __ATOMIC_SEQ_CST);
	memcpy(out->addr, fresh.addr, sizeof(out->addr));
	memcpy(out->mac, fresh.mac, sizeof(out->mac));
	__atomic_store_n(&out->ifindex, fresh.ifindex, __ATOMIC_RELEASE);
}

static void
want(const struct carry *carry, uint8_t *wanted, const struct addr *addr)
{
	union {
		uint8_t bytes[16];
		uint64_t longs[2];
	} address;
	uint32_t bit;

	passage_client(addr, address.bytes);
	bit = carry_address_hash(carry->memory.control->seed, address.longs);
	wanted[bit / 8] |= (uint8_t)(1U << bit % 8);
}

void
carry_refresh(struct forwarder *forwarder, bool forget, const struct addr *wanted, size_t count)
{
	struct carry *carry = forwarder->carry;
	const struct fwdtab *table = forwarder->table;
	uint8_t fresh[CARRY_WANTED / 8] = { 0 };

	if (carry->slots < fwdtab_slots(table))
		carry->slots = (uint32_t)fwdtab_slots(table);
	for (uint32_t slot = 0; slot < carry->slots; slot++)
		write_server(forwarder, fwdtab_slot(table, slot), slot, forget);
	for (size_t i = 0; i < fwdtab_vips(table); i++) {
		write_vip(forwarder, fwdtab_vip_at(table, i));
		want(carry, fresh, &fwdtab_vip_at(table, i)->addr);
	}
	for (size_t i = 0; i < count; i++)
		if (addr_is_set(&wanted[i]))
			want(carry, fresh, &wanted[i]);
	/* Byte by byte: what stays wanted is so at all times. */
	for (size_t i = 0; i < sizeof(fresh); i++)
		__atomic_store_n(&carry->memory.control->wanted[i], fresh[i], __ATOMIC_RELAXED);
}
