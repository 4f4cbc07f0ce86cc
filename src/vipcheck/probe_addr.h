/* SPDX-License-Identifier: ISC */
/*
 * The probe addresses: at most one of each family, from which the VIP probe asks (vipcheck/vipcheck.h). They are ours as VIPs are,
 * held by no kernel and answered for by the director; but nobody has given them to us for certain, so each is first asked
 * for the way a host asks for its own new address (RFC 5227 section 2.1, RFC 4862 section 5.4), and given up while
 * somebody else has it.
 */
#ifndef VIPCHECK_PROBE_ADDR_H
#define VIPCHECK_PROBE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/iface.h"
#include "model/settings.h"
#include "proto/arp.h"
#include "proto/craft.h"
#include "proto/frame.h"
#include "proto/ndp.h"

enum claim_state {
	CLAIM_NONE = 0, /* not configured, or on no interface of ours */
	CLAIM_ASKING,   /* is it somebody's? */
	CLAIM_OURS,
	CLAIM_TAKEN     /* `holder` has it; asked for again later */
};

struct claim {
	struct addr addr;
	uint16_t iface;
	enum claim_state state;
	unsigned asked;     /* questions sent */
	uint64_t due;       /* when the next thing happens */
	struct mac holder;
	bool untold;        /* `state` changed since claims_news() was last asked */
};

struct claims {
	struct claim list[PROBE_ADDRESSES];
};

/* Which addresses, and where. What stays where it was keeps its state. */
void claims_set(struct claims *claims, const struct addr addrs[PROBE_ADDRESSES], const struct iface *ifaces, size_t count,
    uint64_t now);
/* Asks for what is not ours yet. */
void claims_tick(struct claims *claims, struct craft *craft, const struct iface *ifaces, const struct emitter *emitter,
    uint64_t now);
/* When claims_tick() has something to do next; UINT64_MAX: never. */
uint64_t claims_due(const struct claims *claims);
/* The address to ask from on that interface, or NULL. */
const struct addr *claims_source(const struct claims *claims, uint16_t iface, enum addr_family family);
/* Is an answer to come, so that it is worth waiting for claims_source()? */
bool claims_pending(const struct claims *claims, uint16_t iface, enum addr_family family);
/* Is it one of ours, so that it must be answered for? */
bool claims_answers(const struct claims *claims, uint16_t iface, const struct addr *addr);
/* Takes note of ARP or neighbour discovery of others. `mac` is not ours. */
void claims_hear_arp(struct claims *claims, uint16_t iface, const struct arp *arp, uint64_t now);
void claims_hear_ndp(struct claims *claims, uint16_t iface, const struct ndp *ndp, const struct mac *from, uint64_t now);
/* A claim whose state has changed, each change once; NULL when there is none. */
const struct claim *claims_news(struct claims *claims);

#endif
