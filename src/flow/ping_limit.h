/* SPDX-License-Identifier: ISC */
/* How many pings of one source are answered. Pure; time in microseconds. */
#ifndef FLOW_PING_LIMIT_H
#define FLOW_PING_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/keyhash.h"

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

#endif
