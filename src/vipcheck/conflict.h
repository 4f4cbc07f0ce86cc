/* SPDX-License-Identifier: ISC */
/*
 * VIP conflicts: other hosts that claim a VIP. Only the director may: a real server that answers for the VIP, announces
 * it, or uses it as the sender of its ARP requests attracts clients, past the director, at unpredictable times. So the
 * director probes its own VIPs, without revealing that it has them, and records other hosts' claims.
 *
 * A conflict is (kind, MAC, VIP). It stays readable until its entry is needed for another.
 */
#ifndef VIPCHECK_CONFLICT_H
#define VIPCHECK_CONFLICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/duration.h"
#include "base/iface.h"
#include "model/model.h"
#include "proto/arp.h"
#include "proto/craft.h"
#include "proto/frame.h"
#include "proto/ndp.h"

#define CONFLICTS 64                 /* MAC addresses can be forged: the oldest conflict is replaced */
#define CONFLICT_QUIET SECONDS(60)   /* so long silent, and it counts as over */
#define CONFLICT_UNANSWERED 3        /* a host that leaves so many probes in a row unanswered has stopped */

enum conflict_kind {
	CONFLICT_ANSWERS = 0,    /* ARP replies and solicited advertisements */
	CONFLICT_ANNOUNCES,      /* gratuitous, or a probe for duplicates */
	CONFLICT_REQUESTS_AS,    /* requests with the VIP as sender, which others learn from too */
	CONFLICT_SENDS_BACK,     /* sends the VIP's packets back to the director */
	CONFLICT_KIND_COUNT
};

struct conflict {
	enum conflict_kind kind;
	struct addr vip;
	struct mac mac;
	uint16_t iface;
	uint64_t first;
	uint64_t last;
	uint64_t count;
	uint64_t logged;   /* when it was last logged; 0: never */
	uint64_t answered; /* when the VIP was last announced because of it */
	uint64_t probed;   /* when the VIP was last probed, since the claim was seen */
	unsigned unanswered;
	bool ended;        /* conflict_end_news() has returned it */
};

struct conflict_table {
	struct conflict list[CONFLICTS];
	size_t count;
	uint64_t total;    /* claims seen */
	uint64_t next_ask;
	size_t next_vip;
	unsigned rounds;
	uint64_t next_follow_up;
};

/* Asks once who answers for the VIP, without revealing that this director has it. The number of frames. */
size_t conflict_ask(const struct vip *vip, struct craft *craft, const struct iface *ifaces, const struct frame_tx *tx);
/* Probes all VIPs again, as at startup. */
void conflict_begin(struct conflict_table *conflicts, uint64_t now);
/*
 * Probes VIPs when due, and every other second those that another host answers for, to notice the end: call it about
 * once a second. Returns the number of frames.
 */
size_t conflict_tick(struct conflict_table *conflicts, const struct model *model, struct craft *craft,
    const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now);

/* A claim by another host; `mac` is not one of ours. `sender` or `target` is a VIP on that interface. */
void conflict_receive_arp(struct conflict_table *conflicts, uint16_t iface, const struct arp *arp, bool to_all,
    uint64_t now);
void conflict_receive_ndp(struct conflict_table *conflicts, uint16_t iface, const struct ndp *ndp,
    const struct mac *mac, uint64_t now);
void conflict_receive_bounce(struct conflict_table *conflicts, uint16_t iface, const struct addr *vip,
    const struct mac *mac, uint64_t now);

/*
 * The next conflict to be logged: new, or still going on an hour after it was last logged. Each once. `known`: is it a
 * server's MAC? A new one that is not is held back for a moment, until servers' MACs are known.
 */
struct conflict *conflict_news(struct conflict_table *conflicts,
    bool (*known)(const void *context, const struct conflict *conflict),
    const void *context, uint64_t now);
bool conflict_has_ended(const struct conflict *conflict, uint64_t now);
/* The next conflict that has ended. Each once. */
struct conflict *conflict_end_news(struct conflict_table *conflicts, uint64_t now);
/* Was it logged since it began? */
bool conflict_was_logged(const struct conflict *conflict);
/*
 * Did it teach other hosts a wrong MAC for the VIP? Then the VIP is announced when it ends, whatever `vip-conflict`
 * says.
 */
bool conflict_misled(const struct conflict *conflict);
/*
 * Is the VIP to be announced because of it, now? As its services' `vip-conflict` says, and not more often than RFC
 * 5227 section 2.4 lets a host defend itself: it counts as done.
 */
bool conflict_reacts(struct conflict *conflict, const struct model *model, uint64_t now);
/* Does a conflict keep the server from traffic (`vip-conflict = remove`)? */
bool conflict_removes(const struct conflict_table *conflicts, const struct server *server, uint64_t now);

const char *conflict_kind_name(enum conflict_kind kind); /* "answers": for programs */
const char *conflict_kind_sentence(enum conflict_kind kind);

#endif
