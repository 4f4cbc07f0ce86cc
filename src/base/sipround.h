/* SPDX-License-Identifier: ISC */
/*
 * SipHash-2-4 of words (Aumasson, Bernstein 2012), in a form that the kernel's program can be compiled from too: no
 * library, no loop whose end is not a constant. base/keyhash.h has it for bytes.
 */
#ifndef BASE_SIPROUND_H
#define BASE_SIPROUND_H

#include <stdint.h>

/* The four words of state, named as in the paper (section 2). */
struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static inline __attribute__((always_inline)) uint64_t
sip_rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* "somepseudorandomlygeneratedbytes", section 2.1 of the paper. */
static inline __attribute__((always_inline)) struct sip_state
sip_begin(uint64_t k0, uint64_t k1)
{
	const struct sip_state state = { .v0 = k0 ^ 0x736f6d6570736575, .v1 = k1 ^ 0x646f72616e646f6d,
		.v2 = k0 ^ 0x6c7967656e657261, .v3 = k1 ^ 0x7465646279746573 };

	return state;
}

/* SipRound, figure 2.1 of the paper. */
static inline __attribute__((always_inline)) void
sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = sip_rotate(s->v1, 13) ^ s->v0;
	s->v3 = sip_rotate(s->v3, 16) ^ s->v2;
	s->v0 = sip_rotate(s->v0, 32) + s->v3;
	s->v2 += s->v1;
	s->v1 = sip_rotate(s->v1, 17) ^ s->v2;
	s->v3 = sip_rotate(s->v3, 21) ^ s->v0;
	s->v2 = sip_rotate(s->v2, 32);
}

static inline __attribute__((always_inline)) void
sip_compress(struct sip_state *s, uint64_t word, unsigned rounds)
{
	s->v3 ^= word;
	for (unsigned i = 0; i < rounds; i++)
		sip_round(s);
	s->v0 ^= word;
}

static inline __attribute__((always_inline)) uint64_t
sip_end(struct sip_state *s, unsigned rounds)
{
	s->v2 ^= 0xff;
	for (unsigned i = 0; i < rounds; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
