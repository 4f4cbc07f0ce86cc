/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/keyhash.h"

#include <stddef.h>

#include "base/attr.h"
#include "base/sipround.h"

/* The paper reads all words little-endian. Compilers turn this into one load. */
static inline uint64_t
load64_little(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
	    (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

/* The last word: what is left of the bytes, and the length modulo 256 on top. */
static inline uint64_t
last_word(const uint8_t *p, size_t left, size_t length)
{
	uint64_t word = (uint64_t)length << 56;

	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

/* Inline, so that each caller's number of rounds is a constant and the loops unroll; gcc would share the function. */
static inline ALWAYS_INLINE uint64_t
siphash(const struct siphash_key *key, const uint8_t *p, size_t length, unsigned rounds, unsigned final_rounds)
{
	uint64_t k0 = load64_little(key->bytes);
	uint64_t k1 = load64_little(key->bytes + 8);
	struct sip_state s = sip_begin(k0, k1);
	size_t left = length;

	for (; left >= 8; left -= 8, p += 8)
		sip_compress(&s, load64_little(p), rounds);
	sip_compress(&s, last_word(p, left, length), rounds);
	return sip_end(&s, final_rounds);
}

uint64_t
siphash13(const struct siphash_key *key, const void *data, size_t length)
{
	return siphash(key, data, length, 1, 3);
}

uint64_t
siphash24(const struct siphash_key *key, const void *data, size_t length)
{
	return siphash(key, data, length, 2, 4);
}

struct keyhash_key
keyhash_key(const struct siphash_key *secret)
{
	struct keyhash_key key;

	key.start = siphash24(secret, "", 0);
	for (uint8_t i = 0; i < KEYHASH_WORDS; i++)
		key.words[i] = siphash24(secret, &i, sizeof(i));
	return key;
}
