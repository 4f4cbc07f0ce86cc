/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/keyhash.h"

#include <stddef.h>

#include "base/attr.h"

/* The four words of state, named as in the paper (section 2). */
struct state {
	uint64_t v0, v1, v2, v3;
};

/* The paper reads all words little-endian. Compilers turn this into one load. */
static inline uint64_t
load64_little(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
	    (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint64_t
siphash_rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* SipRound, figure 2.1 of the paper. */
static inline void
sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
	s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
	s->v0 = siphash_rotate(s->v0, 32) + s->v3;
	s->v2 += s->v1;
	s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
	s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
	s->v2 = siphash_rotate(s->v2, 32);
}

static inline void
siphash_compress(struct state *s, uint64_t word, unsigned rounds)
{
	s->v3 ^= word;
	for (unsigned i = 0; i < rounds; i++)
		sip_round(s);
	s->v0 ^= word;
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
	/* "somepseudorandomlygeneratedbytes", section 2.1 of the paper. */
	struct state s = {
		.v0 = k0 ^ 0x736f6d6570736575, .v1 = k1 ^ 0x646f72616e646f6d,
		.v2 = k0 ^ 0x6c7967656e657261, .v3 = k1 ^ 0x7465646279746573
	};
	size_t left = length;

	for (; left >= 8; left -= 8, p += 8)
		siphash_compress(&s, load64_little(p), rounds);
	siphash_compress(&s, last_word(p, left, length), rounds);
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < final_rounds; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
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
