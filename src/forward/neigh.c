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
#define LOST_AFTER_RESOLVING 3
#define LOST_AFTER_KNOWN 6
/* With `follow`: two hosts that claim one address make the MAC flap; follow at most this often. */
#define HOLD SECONDS(1)
/* An address that was heard so recently is not suspected. */
#define HEARD SECONDS(1)
/* A conflict is reported again when another MAC takes part, but not more often than this, or when it lasts an hour. */
#define RENAME_GAP SECONDS(10)
#define REMIND_GAP SECONDS(3600)
/* Trials are looked at no more often, so that many are handled in one pass. */
#define GRAIN MILLISECONDS(5)

#define NONE UINT32_MAX

struct neigh_table {
	struct neigh *entries;
	size_t count;
	size_t room;       /* 0, or a power of two */
	uint32_t *buckets; /* as many as there is room for: the first entry, or NONE */
	uint64_t compared;
	uint64_t due;      /* of the earliest trial */
	uint64_t lost;     /* of neigh_losses() */
	bool unread;
	struct neigh_counts counts;
	neigh_watch *watch;
	void *context;
};

struct neigh_table *
neigh_table_new(neigh_watch *watch, void *context)
{
	struct neigh_table *table = calloc(1, sizeof(*table));

	if (table != NULL) {
		table->due = UINT64_MAX;
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
neigh_link(struct neigh_table *table, struct neigh *neigh)
{
	uint32_t *bucket = neigh_bucket_of(table, neigh->iface, &neigh->addr);

	neigh->next = *bucket;
	*bucket = (uint32_t)(neigh - table->entries);
}

static void
neigh_link_all(struct neigh_table *table)
{
	for (size_t i = 0; i < table->room; i++)
		table->buckets[i] = NONE;
	for (size_t i = 0; i < table->count; i++)
		neigh_link(table, &table->entries[i]);
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
	neigh_link_all(table);
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

static bool
neigh_is_stricter(enum neighbor_policy a, enum neighbor_policy b)
{
	static const uint8_t strictness[] = { [NEIGHBOR_FOLLOW] = 0, [NEIGHBOR_PROVE] = 1, [NEIGHBOR_PIN] = 2 };

	return strictness[a] > strictness[b];
}

int
neigh_want(struct neigh_table *table, uint16_t iface, const struct addr *addr, enum neighbor_policy policy,
    uint64_t now)
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
		neigh_link(table, neigh);
	}
	if (!neigh->wanted || neigh_is_stricter(policy, neigh->policy))
		neigh->policy = policy;
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
	neigh_link_all(table);
}

struct server **
neigh_servers(struct neigh_table *table, uint16_t iface, const struct addr *addr)
{
	return &neigh_find(table, iface, addr)->servers;
}

const struct neigh *
neigh_get(struct neigh_table *table, uint16_t iface, const struct addr *addr)
{
	return neigh_find(table, iface, addr);
}

const struct mac *
neigh_mac(struct neigh_table *table, uint16_t iface, const struct addr *addr)
{
	const struct neigh *neigh = neigh_find(table, iface, addr);

	return neigh != NULL && neigh->state == NEIGH_KNOWN ? &neigh->mac : NULL;
}

bool
neigh_has_mac(const struct neigh_table *table, uint16_t iface, const struct mac *mac)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->entries[i].iface == iface && mac_equal(&table->entries[i].before, mac))
			return true;
	return false;
}

/* --- conflicts --- */

/* Reports what is new about a conflict. A flood of claims is one conflict, also of many MACs. */
static void
neigh_report_conflict(struct neigh_table *table, struct neigh *neigh, uint64_t now)
{
	struct neigh_rival *rival = &neigh->rival;
	const bool renamed = !mac_equal(&rival->named, &rival->mac) || rival->named_reason != rival->reason;

	if (rival->reported != 0 && now - rival->reported < (renamed ? RENAME_GAP : REMIND_GAP))
		return;
	rival->reported = now;
	rival->named = rival->mac;
	rival->named_reason = rival->reason;
	table->watch(table->context, NEIGH_CONFLICT, rival->reason, neigh, &rival->named);
}

/* `mac` was refused. */
static void
neigh_refuse(struct neigh_table *table, struct neigh *neigh, const struct mac *mac, enum neigh_reason reason,
    uint64_t now)
{
	neigh->rival.mac = *mac;
	neigh->rival.reason = reason;
	neigh->rival.last = now;
	neigh->rival.claims++;
	table->counts.refused++;
	neigh_report_conflict(table, neigh, now);
}

static void
neigh_end_conflict(struct neigh_table *table, struct neigh *neigh)
{
	const struct neigh_rival rival = neigh->rival;

	neigh->rival = (struct neigh_rival) { .claims = 0 };
	if (rival.reported != 0)
		table->watch(table->context, NEIGH_CONFLICT_ENDED, rival.reason, neigh, &rival.mac);
}

/* --- learning --- */

static void
neigh_end_trial(struct neigh *neigh)
{
	neigh->trial = false;
	neigh->tried = 0;
	neigh->claimant = mac_zero;
}

/* The address is at `mac` from now on. */
static void
neigh_take(struct neigh_table *table, struct neigh *neigh, const struct mac *mac, enum neigh_reason reason,
    uint64_t now)
{
	const enum neigh_event event = neigh->state == NEIGH_KNOWN ? NEIGH_CHANGED : NEIGH_FOUND;
	const struct mac other = neigh->before;

	table->counts.changes += event == NEIGH_CHANGED;
	neigh_end_trial(neigh);
	/* It was about the MAC before; one that goes on is reported again. */
	neigh_end_conflict(table, neigh);
	neigh->state = NEIGH_KNOWN;
	neigh->mac = neigh->before = *mac;
	neigh->changed = neigh->heard = now;
	neigh->unanswered = 0;
	/* A MAC that was only claimed so far is asked at once whether it is there. */
	neigh->next_ask = event == NEIGH_CHANGED ? now : now + REFRESH;
	table->watch(table->context, event, reason, neigh, &other);
}

/* The known MAC is asked whether it still has the address; `claimant` is zero when none claims it. */
static void
neigh_try(struct neigh_table *table, struct neigh *neigh, const struct mac *claimant, uint64_t now)
{
	/* The latest claim counts: an earlier one may be that of a forger that has stopped. */
	if (!mac_is_zero(claimant))
		neigh->claimant = *claimant;
	if (neigh->trial)
		return;
	neigh->trial = true;
	neigh->tried = 0;
	neigh->next_try = neigh->trial_began != 0 && now - neigh->trial_began < NEIGH_TRIAL_GAP ?
	    neigh->trial_began + NEIGH_TRIAL_GAP : now;
	neigh->trial_began = neigh->next_try;
	if (neigh->next_try < table->due)
		table->due = neigh->next_try;
}

/* The known MAC was heard. */
static void
neigh_confirm(struct neigh_table *table, struct neigh *neigh, uint64_t now)
{
	const struct mac claimant = neigh->claimant;
	/* One that is to begin later asks nevertheless: its claimant may be right, and the old MAC just gone. */
	const bool ends = neigh->trial && neigh->tried > 0;

	neigh->heard = now;
	neigh->unanswered = 0;
	neigh->next_ask = now + REFRESH;
	if (!ends)
		return;
	neigh_end_trial(neigh);
	if (!mac_is_zero(&claimant))
		neigh_refuse(table, neigh, &claimant, NEIGH_ANSWERS, now);
}

/* Another MAC claims a known address. */
static void
neigh_dispute(struct neigh_table *table, struct neigh *neigh, const struct neigh_claim *claim, uint64_t now)
{
	switch (neigh->policy) {
	case NEIGHBOR_PIN:
		if (!claim->tentative)
			neigh_refuse(table, neigh, &claim->mac, NEIGH_PINNED, now);
		break;
	case NEIGHBOR_FOLLOW:
		if (!claim->weak && !claim->tentative && now - neigh->changed >= HOLD)
			neigh_take(table, neigh, &claim->mac, NEIGH_FOLLOWED, now);
		break;
	case NEIGHBOR_PROVE:
		/* The old one did not answer when it was asked alone; this one answers a broadcast. */
		if (!claim->tentative && !claim->weak && neigh->unanswered > UNICAST_TRIES)
			neigh_take(table, neigh, &claim->mac, NEIGH_SILENT, now);
		else
			/* A host that only wants the address gives it up when the known one answers. */
			neigh_try(table, neigh, claim->weak || claim->tentative ? &mac_zero : &claim->mac, now);
		break;
	}
}

/* An address without a MAC gets the first that is claimed; with `pin`, only the one it had. */
static void
neigh_resolve(struct neigh_table *table, struct neigh *neigh, const struct neigh_claim *claim, uint64_t now)
{
	if (claim->tentative)
		return;
	if (neigh->policy == NEIGHBOR_PIN && !mac_is_zero(&neigh->before) && !mac_equal(&neigh->before, &claim->mac))
		neigh_refuse(table, neigh, &claim->mac, NEIGH_PINNED, now);
	else
		neigh_take(table, neigh, &claim->mac, NEIGH_REASON_NONE, now);
}

void
neigh_learn(struct neigh_table *table, const struct neigh_claim *claim, uint64_t now)
{
	struct neigh *neigh = neigh_find(table, claim->iface, &claim->addr);

	if (neigh == NULL)
		return;
	if (claim->vlan != neigh->vlan) {
		table->counts.refused++;
		return;
	}
	if (neigh->state == NEIGH_KNOWN && mac_equal(&neigh->mac, &claim->mac)) {
		/*
		 * During a trial only from that MAC itself, as ARP requires anyway: others might keep a dead one
		 * alive.
		 */
		if (!neigh->trial || mac_equal(&claim->sender, &claim->mac))
			neigh_confirm(table, neigh, now);
	} else if (claim->refuse != NEIGH_REASON_NONE) {
		neigh_refuse(table, neigh, &claim->mac, claim->refuse, now);
	} else if (neigh->state == NEIGH_KNOWN) {
		neigh_dispute(table, neigh, claim, now);
	} else {
		neigh_resolve(table, neigh, claim, now);
	}
}

void
neigh_suspect(struct neigh_table *table, uint16_t iface, const struct addr *addr, uint64_t now)
{
	struct neigh *neigh = neigh_find(table, iface, addr);

	/* When it is asked already, there is no hurry any more: it answers, or is lost soon. */
	if (neigh != NULL && neigh->state == NEIGH_KNOWN && neigh->unanswered == 0 && now - neigh->heard >= HEARD)
		neigh_try(table, neigh, &mac_zero, now);
}

bool
neigh_set(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac, uint64_t now)
{
	struct neigh *neigh = neigh_find(table, iface, addr);

	if (neigh == NULL)
		return false;
	if (neigh->state != NEIGH_KNOWN || !mac_equal(&neigh->mac, mac))
		neigh_take(table, neigh, mac, NEIGH_GIVEN, now);
	neigh_end_conflict(table, neigh);
	return true;
}

void
neigh_restore(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac, uint64_t now)
{
	struct neigh *neigh = neigh_find(table, iface, addr);

	if (neigh == NULL || neigh->state == NEIGH_KNOWN)
		return;
	neigh->state = NEIGH_KNOWN;
	neigh->mac = neigh->before = *mac;
	neigh->changed = now > HOLD ? now - HOLD : 0; /* with `follow`, another MAC is accepted immediately */
	neigh->unanswered = 0;
	neigh->next_ask = now;
}

/* --- requests --- */

static bool
neigh_asked_enough(const struct neigh *neigh)
{
	switch (neigh->state) {
	case NEIGH_RESOLVING:
		return neigh->unanswered >= LOST_AFTER_RESOLVING;
	case NEIGH_KNOWN:
		return neigh->unanswered >= LOST_AFTER_KNOWN;
	case NEIGH_LOST:
		return false;
	}
	return false;
}

static void
neigh_give_up(struct neigh_table *table, struct neigh *neigh)
{
	const struct mac before = neigh->mac;

	neigh_end_trial(neigh);
	neigh->state = NEIGH_LOST;
	neigh->mac = mac_zero;
	table->watch(table->context, NEIGH_GONE, NEIGH_REASON_NONE, neigh, &before);
}

void
neigh_losses(struct neigh_table *table, uint64_t lost, bool unread)
{
	table->lost = lost;
	table->unread = unread;
}

/* Its answer may be among the frames that were lost since neigh->lost was set, or not read yet. */
static bool
neigh_may_have_missed(const struct neigh_table *table, const struct neigh *neigh)
{
	return table->unread || table->lost != neigh->lost;
}

/* The next request of a trial, or its end. */
static void
neigh_go_on_trying(struct neigh_table *table, struct neigh *neigh, uint64_t now, neigh_ask *ask, void *context)
{
	const struct mac claimant = neigh->claimant;

	if (neigh->tried >= NEIGH_TRIES && neigh_may_have_missed(table, neigh))
		neigh->tried = 0;
	if (neigh->tried < NEIGH_TRIES) {
		if (neigh->tried++ == 0)
			neigh->lost = table->lost;
		neigh->next_try = now + NEIGH_TRY_GAP;
		ask(context, neigh, &neigh->mac);
		return;
	}
	neigh_end_trial(neigh);
	if (!mac_is_zero(&claimant)) {
		neigh_take(table, neigh, &claimant, NEIGH_SILENT, now);
		return;
	}
	/* Asked alone it was silent: now everyone is asked. */
	if (neigh->unanswered < UNICAST_TRIES)
		neigh->unanswered = UNICAST_TRIES;
	neigh->next_ask = now;
}

static void
neigh_ask_on(struct neigh_table *table, struct neigh *neigh, uint64_t now, neigh_ask *ask, void *context)
{
	bool unicast;

	/* The last request counts for nothing then. */
	if (neigh->unanswered > 0 && neigh_may_have_missed(table, neigh))
		neigh->unanswered--;
	neigh->lost = table->lost;
	if (neigh_asked_enough(neigh))
		neigh_give_up(table, neigh);
	unicast = neigh->state == NEIGH_KNOWN && neigh->unanswered < UNICAST_TRIES;
	neigh->unanswered++;
	neigh->next_ask = now + (neigh->state == NEIGH_LOST ? RETRY_LOST : RETRY);
	ask(context, neigh, unicast ? &neigh->mac : &mac_broadcast);
}

void
neigh_tick(struct neigh_table *table, uint64_t now, neigh_ask *ask, void *context)
{
	table->due = UINT64_MAX;
	for (size_t i = 0; i < table->count; i++) {
		struct neigh *neigh = &table->entries[i];

		if (neigh->trial && now >= neigh->next_try)
			neigh_go_on_trying(table, neigh, now, ask, context);
		if (!neigh->trial && now >= neigh->next_ask)
			neigh_ask_on(table, neigh, now, ask, context);
		if (neigh->trial && neigh->next_try < table->due)
			table->due = neigh->next_try > now + GRAIN ? neigh->next_try : now + GRAIN;
		if (neigh->rival.last == 0)
			continue;
		if (now - neigh->rival.last >= NEIGH_QUIET)
			neigh_end_conflict(table, neigh);
		else
			neigh_report_conflict(table, neigh, now);
	}
}

uint64_t
neigh_due(const struct neigh_table *table)
{
	return table->due;
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

struct neigh_counts
neigh_counts(const struct neigh_table *table)
{
	return table->counts;
}

uint64_t
neigh_compared(const struct neigh_table *table)
{
	return table->compared;
}

static const struct {
	const char *name;
	const char *sentence;
} neigh_reasons[NEIGH_REASON_COUNT] = {
	[NEIGH_REASON_NONE] = { "none", "no other MAC was known" },
	[NEIGH_SILENT] = { "old-mac-silent", "the MAC before answers no request" },
	[NEIGH_FOLLOWED] = { "follow", "neighbor = follow: the last claim wins" },
	[NEIGH_GIVEN] = { "operator", "an operator set it" },
	[NEIGH_ANSWERS] = { "answers", "two machines claim the address, and the known one still answers" },
	[NEIGH_PINNED] = { "pinned", "neighbor = pin: the first MAC stays" },
	[NEIGH_NEXT_HOP] = { "next-hop", "the claimed MAC is a router's: frames of clients come from it" },
	[NEIGH_DIRECTOR] = { "director", "the claimed MAC is the director's own" },
};

const char *
neigh_reason_name(enum neigh_reason reason)
{
	return neigh_reasons[reason].name;
}

const char *
neigh_reason_sentence(enum neigh_reason reason)
{
	return neigh_reasons[reason].sentence;
}
