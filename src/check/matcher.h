/* SPDX-License-Identifier: ISC */
/* Looks for bytes in a stream that comes piece by piece, without keeping any of it (Knuth, Morris and Pratt 1977). */
#ifndef CHECK_MATCHER_H
#define CHECK_MATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/settings.h"

struct matcher {
	const struct check_bytes *wanted;
	uint8_t back[CHECK_TEXT]; /* how many bytes still match when the one after that many does not */
	uint8_t matched;
	bool found;
};

/* `wanted` must outlive the matcher. With NULL or zero bytes it matches immediately. */
void matcher_begin(struct matcher *matcher, const struct check_bytes *wanted);
/* Returns `found`, which stays true. */
bool matcher_feed(struct matcher *matcher, const uint8_t *bytes, size_t length);

#endif
