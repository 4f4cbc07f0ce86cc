/* SPDX-License-Identifier: ISC */
/*
 * Shares by source, for resources that an attacker could exhaust: a keyed hash, so that no one can choose which sources
 * share. IPv6 sources count by their /64, since one host can use any of its addresses (RFC 7421 section 2).
 */
#ifndef FLOW_SOURCE_H
#define FLOW_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/keyhash.h"

#define SOURCE_IPV6_BYTES 8

/* `client` as in struct conn_key: IPv4 as ::ffff:a.b.c.d. */
static inline uint64_t
source_hash(const struct siphash_key *key, const uint8_t client[16])
{
	static const uint8_t mapped[SOURCE_IPV6_BYTES] = { 0 };
	const size_t length = memcmp(client, mapped, sizeof(mapped)) == 0 ? 16 : SOURCE_IPV6_BYTES;

	return siphash13(key, client, length);
}

/* Does it hold an IPv4 address? */
static inline bool
source_is_ipv4(const uint8_t client[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(client, mapped, sizeof(mapped)) == 0;
}

/* Its network: what is behind the first `bits`, up to 128, becomes zero. */
void source_mask(uint8_t client[16], unsigned bits);

/* How many pings of one source are answered, and what else has a share a second. Pure; time in microseconds. */

/* A second and source; Linux answers a thousand in all (icmp_msgs_per_sec, net/ipv4/icmp.c), a person sends one. */
#define PINGS_MOST 100
#define PING_SOURCES 1024 /* sources that meet in one of these share it */

struct ping_limit {
	struct siphash_key key;
	uint64_t began; /* this second */
	uint8_t counts[PING_SOURCES];
};

void ping_limit_init(struct ping_limit *limit, const struct siphash_key *key);
/* May a ping of `client` be answered now? */
bool ping_limit_take(struct ping_limit *limit, const uint8_t client[16], uint64_t now);
/* The same, where the whole address counts, as of a VIP. */
bool ping_limit_take_whole(struct ping_limit *limit, const uint8_t address[16], uint64_t now);

#endif
