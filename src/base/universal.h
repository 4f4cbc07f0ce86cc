/* SPDX-License-Identifier: ISC */
/*
 * A keyed hash of 24 bytes, a sixth of SipHash's work, for tables that every frame asks. Multilinear hashing with halved
 * multiplications (Lemire, Kaser: "Strongly universal string hashing is fast", 2014, section 3).
 *
 * Whatever two different texts a client chooses, in a table of B buckets (a power of two) they meet in one bucket under one
 * key of B: their sums differ by a multiple of some key word that has its lowest bit below bit 32, so the high half of the
 * difference takes all values alike, and `start` makes the first sum itself anything. So who does not know the key fills no
 * bucket, however many texts he chooses. Unlike SipHash it hides its key from nobody who sees values: it is for buckets in
 * memory alone, never for a choice that shows on the wire.
 */
#ifndef BASE_UNIVERSAL_H
#define BASE_UNIVERSAL_H

#include <stdint.h>
#include <string.h>

#include "base/siphash.h"

#define KEYHASH_WORDS 6 /* of 32 bits */
#define KEYHASH_BYTES (KEYHASH_WORDS * 4)

struct keyhash_key {
	uint64_t start;
	uint64_t words[KEYHASH_WORDS];
};

/* Seven words that look random to whoever does not know `secret`. */
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
