/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "forward/neigh.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

/*
 * The kernel's own figures for comparison: net/core/neighbour.c, base_reachable_time 30 s, retrans_time 1 s, 3 + 3
 * probes.
 */
#define REFRESH SECONDS(30)
#define RETRY MILLISECONDS(900) /* a second: a tick may come a little early, and must not be missed */
#define RETRY_LOST SECONDS(5)
#define UNICAST_TRIES 3
/*
 * Unanswered requests until an address counts as lost: never known, and known (the first three went to its MAC alone).
 */
#define LOST_AFTER_ASKING 3
#define LOST_AFTER_KNOWN 6
/* Two hosts that quarrel over one address make the MAC flap; follow at most this often. */
#define HOLD SECONDS(1)

#define NONE UINT32_MAX

struct neigh_table {
	struct neigh *entries;
	size_t count;
	size_t room;       /* 0, or a power of two */
	uint32_t *buckets; /* as many as there is room for: the first entry, or NONE */
	uint64_t compared;
	neigh_watch *watch;
	void *context;
};

struct neigh_table *
neigh_table_new(neigh_watch *watch, void *context)
{
	struct neigh_table *table = calloc(1, sizeof(*table));

	if (table != NULL) {
		table->watch = watch;
		table->context = context;
	}
	return table;
}

void
neigh_table_free(struct neigh_table *table)
{
	if (table == NULL)
		return;
	free(table->entries);
	free(table->buckets);
	free(table);
}

/* Only the operator chooses which addresses are in the table, so a multiplication will do (Knuth, TAOCP 6.4). */
static uint32_t *
neigh_bucket_of(const struct neigh_table *table, uint16_t iface, const struct addr *addr)
{
	uint64_t words[2], sum;

	memcpy(words, addr->bytes, sizeof(words));
	sum = (words[0] ^ (words[1] << 32 | words[1] >> 32) ^ iface) * UINT64_C(0x9e3779b97f4a7c15);
	return &table->buckets[(sum ^ sum >> 32) & (table->room - 1)];
}

static void
link_entry(struct neigh_table *table, struct neigh *neigh)
{
	uint32_t *bucket = neigh_bucket_of(table, neigh->iface, &neigh->addr);

	neigh->next = *bucket;
	*bucket = (uint32_t)(neigh - table->entries);
}

static void
link_all(struct neigh_table *table)
{
	for (size_t i = 0; i < table->room; i++)
		table->buckets[i] = NONE;
	for (size_t i = 0; i < table->count; i++)
		link_entry(table, &table->entries[i]);
}

static struct neigh *
neigh_find(struct neigh_table *table, uint16_t iface, const struct addr *addr)
{
	if (table->room == 0)
		return NULL;
	for (uint32_t i = *neigh_bucket_of(table, iface, addr); i != NONE; i = table->entries[i].next) {
		table->compared++;
		if (table->entries[i].iface == iface && addr_equal(&table->entries[i].addr, addr))
			return &table->entries[i];
	}
	return NULL;
}

/* Twice the room. Nothing has changed when it fails. */
static int
neigh_grow(struct neigh_table *table)
{
	const size_t room = table->room == 0 ? 16 : table->room * 2;
	struct neigh *entries = realloc(table->entries, room * sizeof(*entries));
	uint32_t *buckets;

	if (entries == NULL)
		return -1;
	table->entries = entries;
	buckets = realloc(table->buckets, room * sizeof(*buckets));
	if (buckets == NULL)
		return -1;
	table->buckets = buckets;
	table->room = room;
	link_all(table);
	return 0;
}

void
neigh_begin(struct neigh_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		table->entries[i].wanted = false;
		table->entries[i].servers = NULL;
	}
}

int
neigh_want(struct neigh_table *table, uint16_t iface, const struct addr *addr, uint64_t now)
{
	struct neigh *neigh = neigh_find(table, iface, addr);

	if (neigh == NULL) {
		if (table->count == table->room && neigh_grow(table) == -1)
			return -1;
		neigh = &table->entries[table->count++];
		memset(neigh, 0, sizeof(*neigh));
		neigh->addr = *addr;
		neigh->iface = iface;
		neigh->next_ask = now;
		link_entry(table, neigh);
	}
	neigh->wanted = true;
	return 0;
}

void
neigh_end(struct neigh_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->count; i++)
		if (table->entries[i].wanted)
			table->entries[kept++] = table->entries[i];
	table->count = kept;
	link_all(table);
}

struct server **
neigh_servers(struct neigh_table *table, uint16_t iface, const struct addr *addr)
{
	return &neigh_find(table, iface, addr)->servers;
}

const struct mac *
neigh_mac(struct neigh_table *table, uint16_t iface, const struct addr *addr)
{
	const struct neigh *neigh = neigh_find(table, iface, addr);

	return neigh != NULL && neigh->state == NEIGH_KNOWN ? &neigh->mac : NULL;
}

static void
neigh_confirm(struct neigh *neigh, uint64_t now)
{
	neigh->unanswered = 0;
	neigh->next_ask = now + REFRESH;
}

void
neigh_learn(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac, uint64_t now)
{
	struct neigh *neigh = neigh_find(table, iface, addr);
	const struct mac before = neigh != NULL ? neigh->mac : mac_zero;
	enum neigh_event event = NEIGH_FOUND;

	if (neigh == NULL)
		return;
	if (neigh->state == NEIGH_KNOWN) {
		if (mac_equal(&neigh->mac, mac)) {
			neigh_confirm(neigh, now);
			return;
		}
		if (now - neigh->changed < HOLD)
			return;
		event = NEIGH_CHANGED;
	}
	neigh->state = NEIGH_KNOWN;
	neigh->mac = *mac;
	neigh->changed = now;
	neigh_confirm(neigh, now);
	table->watch(table->context, event, neigh, &before);
}

void
neigh_restore(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac, uint64_t now)
{
	struct neigh *neigh = neigh_find(table, iface, addr);

	if (neigh == NULL || neigh->state == NEIGH_KNOWN)
		return;
	neigh->state = NEIGH_KNOWN;
	neigh->mac = *mac;
	neigh->changed = now > HOLD ? now - HOLD : 0; /* another MAC is accepted immediately */
	neigh->unanswered = 0;
	neigh->next_ask = now;
}

static bool
asked_enough(const struct neigh *neigh)
{
	switch (neigh->state) {
	case NEIGH_RESOLVING:
		return neigh->unanswered >= LOST_AFTER_ASKING;
	case NEIGH_KNOWN:
		return neigh->unanswered >= LOST_AFTER_KNOWN;
	case NEIGH_LOST:
		return false;
	}
	return false;
}

static void
give_up(struct neigh_table *table, struct neigh *neigh)
{
	const struct mac before = neigh->mac;

	neigh->state = NEIGH_LOST;
	neigh->mac = mac_zero;
	table->watch(table->context, NEIGH_GONE, neigh, &before);
}

void
neigh_tick(struct neigh_table *table, uint64_t now, neigh_ask *ask, void *context)
{
	for (size_t i = 0; i < table->count; i++) {
		struct neigh *neigh = &table->entries[i];
		bool unicast;

		if (now < neigh->next_ask)
			continue;
		if (asked_enough(neigh))
			give_up(table, neigh);
		unicast = neigh->state == NEIGH_KNOWN && neigh->unanswered < UNICAST_TRIES;
		neigh->unanswered++;
		neigh->next_ask = now + (neigh->state == NEIGH_LOST ? RETRY_LOST : RETRY);
		ask(context, neigh, unicast ? &neigh->mac : &mac_broadcast);
	}
}

size_t
neigh_count(const struct neigh_table *table)
{
	return table->count;
}

const struct neigh *
neigh_at(const struct neigh_table *table, size_t index)
{
	return &table->entries[index];
}

uint64_t
neigh_compared(const struct neigh_table *table)
{
	return table->compared;
}
