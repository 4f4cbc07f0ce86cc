/* SPDX-License-Identifier: ISC */
/*
 * The MAC addresses of real servers, resolved by the director itself, ahead of need: a server without a MAC is not a
 * candidate, so no frame ever waits for one. Known addresses are verified before they expire, by unicast as RFC 1122
 * section 2.3.2.1 advises.
 *
 * ARP and neighbor discovery have no authentication, so a claim that a known address has another MAC is not believed
 * but verified: the MAC known so far gets NEIGH_TRIES unicast requests, NEIGH_TRY_GAP apart. If it answers, it keeps
 * the address, and the two claims are a conflict. If it stays silent, the new MAC replaces it. A virtual machine that
 * moves keeps its MAC and needs none of this; a replaced card, or an address that moves to another machine, takes
 * NEIGH_TRIES * NEIGH_TRY_GAP from the first claim, and up to NEIGH_TRIAL_GAP more if another claim came just before.
 *
 * Silence proves nothing while the director loses frames, or has not read those that came (neigh_losses()): then a trial
 * begins again, and no request counts as unanswered. So no flood makes a claim believed, or a server's MAC forgotten.
 *
 * What a claim proves, by `neighbor` of dsrd.conf:
 *
 *	prove   as above
 *	pin     nothing: the first MAC stays until neigh_set() gives another one
 *	follow  everything: the last claim wins
 */
#ifndef FORWARD_NEIGH_H
#define FORWARD_NEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "model/settings.h"

/*
 * A second of silence in all: more than the pause of a virtual machine that moves, which QEMU limits to 300 ms by
 * default (qapi/migration.json, downtime-limit).
 */
#define NEIGH_TRIES 4
#define NEIGH_TRY_GAP MILLISECONDS(250)
/* From the beginning of one trial to that of the next: a flood of claims costs two requests a second. */
#define NEIGH_TRIAL_GAP MILLISECONDS(500)
/* A claimant that has been silent for so long has given up: the conflict has ended. */
#define NEIGH_QUIET SECONDS(60)

enum neigh_state {
	NEIGH_RESOLVING = 0, /* no answer yet */
	NEIGH_KNOWN,
	NEIGH_LOST           /* was known, or the requests were not answered; requests continue */
};

/* Why a claim was believed, or was not. */
enum neigh_reason {
	NEIGH_REASON_NONE = 0,
	NEIGH_SILENT,   /* believed: the MAC before does not answer */
	NEIGH_FOLLOWED, /* believed: neighbor = follow */
	NEIGH_GIVEN,    /* believed: an operator said so */
	NEIGH_ANSWERS,  /* refused: the MAC known so far answers */
	NEIGH_PINNED,   /* refused: neighbor = pin */
	NEIGH_NEXT_HOP, /* refused: a router has that MAC: clients' frames come from it */
	NEIGH_DIRECTOR, /* refused: it is the director's own */
	NEIGH_REASON_COUNT
};

struct server;

/* Another MAC that claims the address, and was refused. */
struct neigh_rival {
	struct mac mac;   /* zero: there is none */
	enum neigh_reason reason;
	uint64_t last;    /* of its claims */
	uint64_t claims;
	uint64_t reported;    /* when NEIGH_CONFLICT was last reported; 0: not yet */
	struct mac named; /* these two: as reported then */
	enum neigh_reason named_reason;
};

struct neigh {
	struct addr addr;
	uint16_t iface;
	uint16_t vlan;       /* of the requests, so of the answers that are believed; 0: untagged */
	enum neigh_state state;
	enum neighbor_policy policy; /* the strictest of those of the servers at this address */
	struct mac mac;      /* zero unless KNOWN */
	struct mac before;   /* the last one that was known; zero: none was */
	uint32_t unanswered; /* requests since the last answer */
	uint64_t next_ask;
	uint64_t changed;    /* when the MAC was last learned or replaced */
	uint64_t heard;      /* the last claim of `mac` */

	/* A trial of `mac`, which is asked whether it still has the address. */
	bool trial;
	uint8_t tried;        /* requests so far */
	uint64_t next_try;
	uint64_t trial_began;
	struct mac claimant;  /* who replaces it; zero: it only seems silent */
	uint64_t lost;        /* neigh_losses() when the trial, or the last request, began */
	struct neigh_rival rival;

	uint32_t next;       /* of those that hash alike */
	struct server *servers; /* the caller's list of those at this address; neigh_begin() empties it */
	bool wanted;
};

enum neigh_event {
	NEIGH_FOUND,         /* has a MAC now; `other` is the one before, or zero */
	NEIGH_CHANGED,       /* has another MAC now, for `reason`; `other` is the old one */
	NEIGH_GONE,          /* does not answer; `other` is the MAC it had, or zero */
	NEIGH_CONFLICT,      /* `other` claims it too, and was refused for `reason` */
	NEIGH_CONFLICT_ENDED /* `other` no longer does */
};

/* Says that an address has a MAC. */
struct neigh_claim {
	struct addr addr;
	struct mac mac;
	struct mac sender;        /* of the frame */
	uint16_t iface;
	uint16_t vlan;            /* of the frame; 0: untagged, or a tag with priority alone (IEEE 802.1Q) */
	/* an advertisement without Override: replaces no known MAC (RFC 4861 section 7.2.5) */
	bool weak;
	bool tentative;           /* it wants the address, and has it if no other host does (RFC 4862, RFC 5227) */
	enum neigh_reason refuse; /* why that MAC is no server's, or NONE */
};

struct neigh_table;

typedef void neigh_watch(void *context, enum neigh_event event, enum neigh_reason reason, const struct neigh *neigh,
    const struct mac *other);
/* `destination` is the neighbor's MAC, or broadcast. */
typedef void neigh_ask(void *context, const struct neigh *neigh, const struct mac *destination);

NODISCARD struct neigh_table *neigh_table_new(neigh_watch *watch, void *context);
void neigh_table_free(struct neigh_table *table);

/*
 * Replaces the set of addresses: begin, want each, end. An address that stays keeps its MAC, and has the strictest
 * policy of those it is wanted with. -1: out of memory.
 */
void neigh_begin(struct neigh_table *table);
NODISCARD int neigh_want(struct neigh_table *table, uint16_t iface, const struct addr *addr,
    enum neighbor_policy policy,
    uint64_t now);
void neigh_end(struct neigh_table *table);

/* The list of a wanted address. Valid until the set changes. */
struct server **neigh_servers(struct neigh_table *table, uint16_t iface, const struct addr *addr);

/* NULL: not wanted. Valid until the set changes. */
const struct neigh *neigh_get(struct neigh_table *table, uint16_t iface, const struct addr *addr);
/* NULL while unknown. */
const struct mac *neigh_mac(struct neigh_table *table, uint16_t iface, const struct addr *addr);
/* Has, or had, a wanted address that MAC? */
bool neigh_has_mac(const struct neigh_table *table, uint16_t iface, const struct mac *mac);
/* Judges a claim. One about an address that is not wanted does nothing. */
void neigh_learn(struct neigh_table *table, const struct neigh_claim *claim, uint64_t now);
/*
 * The address seems silent, since a check failed: a trial without claimant begins, unless it was heard within a
 * second.
 */
void neigh_suspect(struct neigh_table *table, uint16_t iface, const struct addr *addr, uint64_t now);
/* An operator's word: the address has that MAC, which is verified later like any other. False: it is not wanted. */
bool neigh_set(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac, uint64_t now);
/*
 * An address that is wanted was at `mac` a moment ago, according to another process: it is known, and verified
 * immediately. No event. Does nothing when it is not wanted, or known already.
 */
void neigh_restore(struct neigh_table *table, uint16_t iface, const struct addr *addr, const struct mac *mac,
    uint64_t now);
/* Before neigh_tick(): frames that the director has lost so far; and may there be some that it has not read? */
void neigh_losses(struct neigh_table *table, uint64_t lost, bool unread);
/* Sends the requests that are due. Call it about once a second, and when neigh_due() is reached. */
void neigh_tick(struct neigh_table *table, uint64_t now, neigh_ask *ask, void *context);
/* When a trial goes on; UINT64_MAX: there is none. */
uint64_t neigh_due(const struct neigh_table *table);
struct neigh_counts {
	uint64_t changes; /* a known address has another MAC */
	/* claims that were not believed; those during a trial count as one, if the known MAC answers */
	uint64_t refused;
};
struct neigh_counts neigh_counts(const struct neigh_table *table);
/* Entries that were looked at so far: the work that searches made. */
uint64_t neigh_compared(const struct neigh_table *table);
size_t neigh_count(const struct neigh_table *table);
const struct neigh *neigh_at(const struct neigh_table *table, size_t index);
/* "old-mac-silent", "pinned": for programs. */
const char *neigh_reason_name(enum neigh_reason reason);
const char *neigh_reason_sentence(enum neigh_reason reason);

#endif
