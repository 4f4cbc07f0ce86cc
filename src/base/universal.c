/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/universal.h"

#include <stddef.h>

struct keyhash_key
keyhash_key(const struct siphash_key *secret)
{
	struct keyhash_key key;

	key.start = siphash24(secret, "", 0);
	for (uint8_t i = 0; i < KEYHASH_WORDS; i++)
		key.words[i] = siphash24(secret, &i, sizeof(i));
	return key;
}
