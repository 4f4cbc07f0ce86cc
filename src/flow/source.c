/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/source.h"

#include <string.h>

#include "base/duration.h"

void
source_mask(uint8_t client[16], unsigned bits)
{
	for (unsigned i = 0; i < 16; i++, bits = bits > 8 ? bits - 8 : 0)
		if (bits < 8)
			client[i] &= (uint8_t)(0xff00 >> bits);
}

void
ping_limit_init(struct ping_limit *limit, const struct siphash_key *key)
{
	memset(limit, 0, sizeof(*limit));
	limit->key = *key;
}

static bool
source_take(struct ping_limit *limit, uint64_t hash, uint64_t now)
{
	uint8_t *count = &limit->counts[hash % PING_SOURCES];

	if (now - limit->began >= SECONDS(1)) {
		memset(limit->counts, 0, sizeof(limit->counts));
		limit->began = now;
	}
	if (*count == PINGS_MOST)
		return false;
	(*count)++;
	return true;
}

bool
ping_limit_take(struct ping_limit *limit, const uint8_t client[16], uint64_t now)
{
	return source_take(limit, source_hash(&limit->key, client), now);
}

bool
ping_limit_take_whole(struct ping_limit *limit, const uint8_t address[16], uint64_t now)
{
	return source_take(limit, siphash13(&limit->key, address, 16), now);
}
