/* SPDX-License-Identifier: ISC */
/*
 * What is heard of other directors: claims of a group's VIPs by ARP or neighbor discovery. A director that takes over
 * announces each VIP several times in a second (forward/responder.h); one that is active announces it once in a
 * while, and answers requests. So two announcements of one VIP within a second say that someone has just become
 * active.
 */
#ifndef ROLE_CLAIM_H
#define ROLE_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/duration.h"

/* The second round of a takeover comes 100 ms after the first, or after those of all other VIPs. */
#define CLAIM_BURST MILLISECONDS(1200)

/* All zero: nothing was heard. */
struct role_claim {
	struct mac mac;
	uint16_t iface;
	uint64_t last;      /* 0: never */
	uint64_t took_over; /* when it last announced one VIP twice in a row; 0: never */
	struct addr vip;    /* the one whose second announcement is waited for */
	uint64_t anchored;
};

void role_claim_note(struct role_claim *claim, uint16_t iface, const struct mac *mac, const struct addr *vip,
    bool announces, uint64_t now);

#endif
