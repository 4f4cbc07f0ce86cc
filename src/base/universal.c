/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/universal.h"

#include <stddef.h>

struct universal_key
universal_key(const struct siphash_key *secret)
{
	struct universal_key key;

	key.start = siphash24(secret, "", 0);
	for (uint8_t i = 0; i < UNIVERSAL_WORDS; i++)
		key.words[i] = siphash24(secret, &i, sizeof(i));
	return key;
}
