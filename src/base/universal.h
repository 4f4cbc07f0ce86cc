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

#define UNIVERSAL_WORDS 6 /* of 32 bits */
#define UNIVERSAL_BYTES (UNIVERSAL_WORDS * 4)

struct universal_key {
	uint64_t start;
	uint64_t words[UNIVERSAL_WORDS];
};

/* Seven words that look random to whoever does not know `secret`. */
struct universal_key universal_key(const struct siphash_key *secret);

static inline uint32_t
universal_word(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static inline uint64_t
universal_product(const struct universal_key *key, const uint8_t *bytes, unsigned i)
{
	return (key->words[i] + universal_word(bytes + 4 * i)) * (key->words[i + 1] + universal_word(bytes + 4 * i + 4));
}

/* All 32 bits are good. */
static inline uint32_t
universal_hash(const struct universal_key *key, const void *text)
{
	return (uint32_t)((key->start + universal_product(key, text, 0) + universal_product(key, text, 2) +
	    universal_product(key, text, 4)) >> 32);
}

#endif
