/* SPDX-License-Identifier: ISC */
/*
 * How many new connections a second a service and each of its clients may begin: token buckets. A bucket holds the
 * connections of one second, so that after a quiet second as many may begin at once; one that is all zero is full.
 *
 * A client is a network of the prefix length that is configured. The clients of all services share a table of fixed
 * size, without further memory: a keyed hash chooses a set of LIMIT_WAYS buckets, of which a new client takes the one
 * that was used least recently. Each attempt costs one hash and LIMIT_WAYS comparisons, whatever an attacker sends. A
 * client that lost its bucket to others begins with a full one; what gets in together is bounded by the service's
 * bucket, which is asked first: a service that is at its limit changes nothing in the table.
 *
 * Pure: time is an argument, in microseconds. When it goes backwards, a bucket keeps what it has, and refills from the
 * new time on.
 */
#ifndef FLOW_LIMIT_H
#define FLOW_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/keyhash.h"

#define LIMIT_MOST 10000000U /* a second: more than one director forwards packets */
#define LIMIT_PREFIX4 32     /* by default: each IPv4 address is a client, ... */
#define LIMIT_PREFIX6 64     /* ... and each /64 of IPv6, of which a host can use any address (RFC 7421 section 2) */
#define LIMIT_WAYS 4
#define LIMIT_SETS 8192      /* 32768 clients at a time, in 768 KiB */

struct limit {
	uint32_t service; /* new connections a second, of the whole service; 0: no limit, neither for clients */
	uint32_t client;  /* of each client; 0: no limit */
	uint8_t prefix4;  /* bits of an IPv4 address that make a client */
	uint8_t prefix6;  /* of an IPv6 address */
};

struct limit_bucket {
	uint64_t spent; /* millionths of a connection that have not been refilled */
	uint64_t when;  /* of that */
};

/* Has it a connection left? */
bool limit_bucket_has(const struct limit_bucket *bucket, uint32_t rate, uint64_t now);
/* Takes one, if there is one. */
bool limit_bucket_take(struct limit_bucket *bucket, uint32_t rate, uint64_t now);

struct limit_table;

/* NULL when memory is out. The key is random: no one can choose which clients share a set. */
NODISCARD struct limit_table *limit_table_new(const struct siphash_key *key);
/* NULL is fine. */
void limit_table_free(struct limit_table *table);

/* Who asks: a service by its number, its bucket, and a client as in struct conn_key, IPv4 as ::ffff:a.b.c.d. */
struct limit_asker {
	const struct limit *limit;
	struct limit_bucket *bucket;
	uint16_t service;
	const uint8_t *client; /* 16 bytes */
};

/* May the client begin a connection now? If so, it is taken from both buckets; otherwise from neither. */
bool limit_take(struct limit_table *table, const struct limit_asker *asker, uint64_t now);
/* The answer that limit_take() would give. */
bool limit_has(const struct limit_table *table, const struct limit_asker *asker, uint64_t now);

#endif
