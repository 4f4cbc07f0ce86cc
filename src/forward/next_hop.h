/* SPDX-License-Identifier: ISC */
/*
 * The MAC addresses of routers that clients' frames come from, learned from new flows: the source address is in none of
 * the interface's networks. No server's address is believed to be at one of them: the server's frames would go to the
 * router, which sends them back. A server that routes for others, such as a host of containers, is known as a server
 * before it sends the first of their frames, so it is not listed.
 */
#ifndef FORWARD_NEXT_HOP_H
#define FORWARD_NEXT_HOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/duration.h"

#define NEXT_HOPS 16                  /* MACs can be forged: the one silent for longest is replaced */
#define NEXT_HOP_LASTS SECONDS(600)   /* without a new flow */

struct next_hop {
	struct mac mac;
	uint16_t iface;
	uint64_t seen;
};

struct next_hops {
	struct next_hop list[NEXT_HOPS];
	size_t count;
	struct mac latest;     /* of the last new flow that was looked at, a router's or not: most come in rows */
	uint16_t latest_iface;
	uint64_t looked;       /* when */
};

/* Has `mac` been looked at a moment ago? Called for each new flow, so inline. */
static inline bool
next_hop_is_latest(const struct next_hops *hops, uint16_t iface, const struct mac *mac, uint64_t now)
{
	return mac_equal(&hops->latest, mac) && hops->latest_iface == iface && now - hops->looked < SECONDS(1);
}

/* A new flow came from `mac`; `routed`: its client is in none of the interface's networks, and `mac` is no server's. */
void next_hop_note(struct next_hops *hops, uint16_t iface, const struct mac *mac, bool routed, uint64_t now);
bool next_hop_has(const struct next_hops *hops, uint16_t iface, const struct mac *mac, uint64_t now);

#endif
