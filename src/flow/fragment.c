/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/fragment.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "flow/source.h"

/* Datagrams in flight at one time. Linux allows itself 4 MB of fragments (net/ipv4/ip_fragment.c): much the same. */
#define ENTRIES 4096
#define BUCKETS 4096
/* Held frames, each with room for a jumbo frame. */
#define HELD 256
/*
 * Of these, what one source may have. A datagram of 64 KiB has 44 fragments of 1500 bytes; a forger that owns one
 * source takes a quarter. The counters stand in a table by keyed hash: two sources that meet in one share it.
 */
#define HELD_SHARE 64
#define SHARES 1024
#define HELD_BYTES (9216 + ETHER_HEADER + 4)
/*
 * Silence after which a datagram is forgotten. Its fragments come within milliseconds of each other. A sender may use
 * its number again within seconds (RFC 4963), and if the new datagram's fragments are out of order, the old one's
 * server would get them: so much less than the 30 s for which receivers wait (net/ipv4/ip_fragment.c).
 */
#define LIFETIME SECONDS(5)
/* Fragments overtake each other by milliseconds: after this time a first fragment will not come any more. */
#define HOLD_LIFETIME SECONDS(2)
/*
 * So long a held frame is safe from those that come later: forged ones of many sources do not keep the places for
 * seconds.
 */
#define HOLD_GRACE MILLISECONDS(20)
#define NIL UINT16_MAX

struct held {
	uint8_t bytes[HELD_BYTES];
	uint32_t length;
	uint16_t iface;
	uint16_t next; /* of the same datagram, or free */
	uint16_t share;
	uint16_t owner; /* its datagram's entry */
	uint64_t since;
	bool last;     /* the last fragment of its datagram */
};

/* Entries form a ring: the oldest is overwritten next, so no search is needed. */
struct entry {
	struct fragment_key key;
	struct server_ref server;
	bool used;
	bool settled;
	bool ended;    /* the last fragment has passed: the number may come again with another datagram */
	uint64_t until;
	uint16_t held; /* first, in the order they came */
	uint16_t next; /* in the bucket */
};

struct fragment_table {
	struct siphash_key key;
	struct entry entries[ENTRIES];
	uint16_t buckets[BUCKETS];
	uint16_t newest;   /* the place in the ring that is taken next */
	uint16_t free_held;
	uint8_t shares[SHARES]; /* held frames of the sources that meet there */
	struct held *held;
	uint64_t expired;
	uint32_t used;
	fragment_settled *settled; /* may be NULL */
	void *context;
};

struct fragment_table *
fragment_table_new(const struct siphash_key *key)
{
	struct fragment_table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->held = calloc(HELD, sizeof(*table->held));
	if (table->held == NULL) {
		free(table);
		return NULL;
	}
	table->key = *key;
	memset(table->buckets, 0xff, sizeof(table->buckets));
	for (uint16_t i = 0; i < HELD; i++)
		table->held[i].next = i + 1 < HELD ? (uint16_t)(i + 1) : NIL;
	return table;
}

void
fragment_table_free(struct fragment_table *table)
{
	if (table == NULL)
		return;
	free(table->held);
	free(table);
}

static uint16_t *
fragment_bucket_of(struct fragment_table *table, const struct fragment_key *key)
{
	return &table->buckets[siphash13(&table->key, key, sizeof(*key)) % BUCKETS];
}

static void
free_held(struct fragment_table *table, uint16_t index)
{
	table->shares[table->held[index].share]--;
	table->held[index].next = table->free_held;
	table->free_held = index;
}

static void
fragment_forget(struct fragment_table *table, struct entry *entry)
{
	const uint16_t index = (uint16_t)(entry - table->entries);
	uint16_t *link = fragment_bucket_of(table, &entry->key);

	while (*link != index)
		link = &table->entries[*link].next;
	*link = entry->next;
	while (entry->held != NIL) {
		const uint16_t held = entry->held;

		entry->held = table->held[held].next;
		free_held(table, held);
		table->expired++;
	}
	entry->used = false;
	table->used--;
}

static struct entry *
find(struct fragment_table *table, const struct fragment_key *key, uint64_t now)
{
	for (uint16_t i = *fragment_bucket_of(table, key); i != NIL; i = table->entries[i].next) {
		struct entry *entry = &table->entries[i];

		if (memcmp(&entry->key, key, sizeof(*key)) != 0)
			continue;
		if (now < entry->until)
			return entry;
		fragment_forget(table, entry);
		return NULL;
	}
	return NULL;
}

/* Takes the next slot of the ring, evicting its entry. */
static struct entry *
fragment_add(struct fragment_table *table, const struct fragment_key *key)
{
	struct entry *entry = &table->entries[table->newest];
	uint16_t *bucket = fragment_bucket_of(table, key);

	if (entry->used)
		fragment_forget(table, entry);
	table->newest = (uint16_t)((table->newest + 1) % ENTRIES);
	*entry = (struct entry) { .key = *key, .used = true, .held = NIL, .next = *bucket };
	*bucket = (uint16_t)(entry - table->entries);
	table->used++;
	return entry;
}

bool
fragment_find(struct fragment_table *table, const struct fragment_key *key, bool last, struct server_ref *server,
    uint64_t now)
{
	struct entry *entry = find(table, key, now);

	if (entry == NULL || !entry->settled)
		return false;
	entry->until = now + LIFETIME;
	entry->ended |= last;
	*server = entry->server;
	return true;
}

/*
 * All places are taken: the datagram of the frame that was held longest gives back its own. False: it had no grace
 * yet.
 */
static bool
fragment_make_room(struct fragment_table *table, uint64_t now)
{
	const struct held *oldest = &table->held[0];

	for (uint16_t i = 1; i < HELD; i++)
		if (table->held[i].since < oldest->since)
			oldest = &table->held[i];
	if (now < oldest->since + HOLD_GRACE)
		return false;
	fragment_forget(table, &table->entries[oldest->owner]);
	return true;
}

bool
fragment_hold(struct fragment_table *table, const struct fragment_key *key, const struct frame *frame, bool last,
    uint64_t now)
{
	const uint16_t share = (uint16_t)(source_hash(&table->key, key->client) % SHARES);
	struct entry *entry;
	struct held *held;
	uint16_t index, *link;

	if (frame->length > HELD_BYTES || table->shares[share] == HELD_SHARE ||
	    (table->free_held == NIL && !fragment_make_room(table, now)))
		return false;
	entry = find(table, key, now);
	if (entry == NULL) {
		entry = fragment_add(table, key);
		entry->until = now + HOLD_LIFETIME;
	}
	/* Only now: find() and fragment_add() may have given places back. */
	index = table->free_held;
	held = &table->held[index];
	table->free_held = held->next;
	table->shares[share]++;
	memcpy(held->bytes, frame->bytes, frame->length);
	held->length = frame->length;
	held->iface = frame->iface;
	held->next = NIL;
	held->share = share;
	held->owner = (uint16_t)(entry - table->entries);
	held->since = now;
	held->last = last;
	for (link = &entry->held; *link != NIL; link = &table->held[*link].next)
		continue;
	*link = index;
	return true;
}

void
fragment_settle(struct fragment_table *table, const struct fragment_key *key, struct server_ref server,
    void (*release)(void *context, struct frame *frame), void *context, uint64_t now)
{
	struct entry *entry = find(table, key, now);

	if (entry != NULL && entry->settled && !entry->ended)
		return;
	if (entry == NULL)
		entry = fragment_add(table, key);
	entry->settled = true;
	entry->ended = false;
	entry->server = server;
	entry->until = now + LIFETIME;
	if (table->settled != NULL)
		table->settled(table->context, key, server, now);
	while (entry->held != NIL) {
		const uint16_t index = entry->held;
		struct held *held = &table->held[index];
		struct frame frame = frame_of(held->bytes, held->length, held->iface);

		entry->held = held->next;
		entry->ended |= held->last;
		release(context, &frame);
		free_held(table, index);
	}
}

void
fragment_table_on_settle(struct fragment_table *table, fragment_settled *settled, void *context)
{
	table->settled = settled;
	table->context = context;
}

uint64_t
fragment_expire(struct fragment_table *table, uint64_t now)
{
	uint64_t expired;

	for (size_t i = 0; i < ENTRIES && table->used > 0; i++)
		if (table->entries[i].used && now >= table->entries[i].until)
			fragment_forget(table, &table->entries[i]);
	expired = table->expired;
	table->expired = 0;
	return expired;
}
