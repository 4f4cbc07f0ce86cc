/* SPDX-License-Identifier: ISC */
/*
 * SipHash (Aumasson, Bernstein 2012): a keyed hash, so that clients, which choose their own ports and addresses, cannot
 * choose a bucket or a server.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16 /* bytes */

struct siphash_key {
	uint8_t bytes[SIPHASH_KEY];
};

/* One compression and three finalisation rounds: for tables in memory. */
uint64_t siphash13(const struct siphash_key *key, const void *data, size_t length);
/* Two and four rounds: for choices that two directors must make alike. The paper's test vectors are for this one. */
uint64_t siphash24(const struct siphash_key *key, const void *data, size_t length);

#endif
