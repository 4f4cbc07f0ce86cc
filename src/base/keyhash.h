/* SPDX-License-Identifier: ISC */
/*
 * SipHash (Aumasson, Bernstein 2012): a keyed hash, so that clients, which choose their own ports and addresses, cannot
 * choose a bucket or a server.
 */
#ifndef BASE_KEYHASH_H
#define BASE_KEYHASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SIPHASH_KEY 16 /* bytes */

struct siphash_key {
	uint8_t bytes[SIPHASH_KEY];
};

/* One compression and three finalisation rounds: for tables in memory. */
uint64_t siphash13(const struct siphash_key *key, const void *data, size_t length);
/* Two and four rounds: for choices that two directors must make alike. The paper's test vectors are for this one. */
uint64_t siphash24(const struct siphash_key *key, const void *data, size_t length);

/*
 * A keyed hash of 24 bytes, at a sixth of SipHash's cost, for tables searched for every frame. Multilinear hashing with
 * halved multiplications (Lemire, Kaser: "Strongly universal string hashing is fast", 2014, section 3).
 *
 * For any two different inputs and a table of B buckets (a power of two), the fraction of keys under which they collide
 * is 1/B: their sums differ by a multiple of some key word whose lowest set bit is below bit 32, so the high half of
 * the difference is uniform, and `start` makes the first sum uniform too. A client that does not know the key therefore
 * cannot fill a bucket, however many inputs it chooses. Unlike SipHash, the values reveal the key: use it for buckets
 * in memory only, never for a choice that is visible on the wire.
 */
#define KEYHASH_WORDS 6 /* of 32 bits */
#define KEYHASH_BYTES (KEYHASH_WORDS * 4)

struct keyhash_key {
	uint64_t start;
	uint64_t words[KEYHASH_WORDS];
};

/* Seven words that are indistinguishable from random without `secret`. */
struct keyhash_key keyhash_key(const struct siphash_key *secret);

static inline uint32_t
keyhash_word(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint64_t
keyhash_product(const struct keyhash_key *key, const uint8_t *bytes, unsigned i)
{
	return (key->words[i] + keyhash_word(bytes + 4 * i)) * (key->words[i + 1] + keyhash_word(bytes + 4 * i + 4));
}

/* All 32 bits are good. */
static inline uint32_t
keyhash_hash(const struct keyhash_key *key, const void *text)
{
	return (uint32_t)((key->start + keyhash_product(key, text, 0) + keyhash_product(key, text, 2) +
	    keyhash_product(key, text, 4)) >> 32);
}

#endif
