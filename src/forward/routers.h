/* SPDX-License-Identifier: ISC */
/*
 * The hosts that clients' frames come from: routers, and clients on the link. A director that takes over sends them its
 * announcements once more by unicast, which gets past switches that limit or lose broadcasts.
 *
 * The most frequent ones, by the counters of Misra and Gries ("Finding repeated elements", 1982): a host that sends
 * more than one in ROUTERS_MOST + 1 of what is noted is in the list.
 */
#ifndef FORWARD_ROUTERS_H
#define FORWARD_ROUTERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

#define ROUTERS_MOST 8

struct router {
	struct mac mac;
	uint16_t iface;
	uint32_t count; /* 0: the place is free */
};

/* All zero: none is known. */
struct routers {
	struct router list[ROUTERS_MOST];
};

/* A flow begins that comes from `mac`, or `mac` asked for a VIP. */
void routers_note(struct routers *routers, uint16_t iface, const struct mac *mac);

#endif
