/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/matcher.h"

#include <string.h>

void
matcher_begin(struct matcher *matcher, const struct check_bytes *wanted)
{
	const uint8_t *bytes = wanted->bytes;
	uint8_t matched = 0;

	memset(matcher, 0, sizeof(*matcher));
	matcher->wanted = wanted;
	matcher->found = wanted->length == 0;
	for (uint8_t at = 1; at < wanted->length; at++) {
		while (matched > 0 && bytes[at] != bytes[matched])
			matched = matcher->back[matched - 1];
		if (bytes[at] == bytes[matched])
			matched++;
		matcher->back[at] = matched;
	}
}

bool
matcher_feed(struct matcher *matcher, const uint8_t *bytes, size_t length)
{
	const struct check_bytes *wanted = matcher->wanted;

	for (size_t i = 0; i < length && !matcher->found; i++) {
		while (matcher->matched > 0 && bytes[i] != wanted->bytes[matcher->matched])
			matcher->matched = matcher->back[matcher->matched - 1];
		if (bytes[i] == wanted->bytes[matcher->matched])
			matcher->matched++;
		matcher->found = matcher->matched == wanted->length;
	}
	return matcher->found;
}
