/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/drop.h"

const char *
drop_reason_name(enum drop_reason reason)
{
	static const char *const names[DROP_REASON_COUNT] = {
#define X(id, name, sentence) [DROP_##id] = name,
		DROP_REASONS(X)
#undef X
	};

	return (unsigned)reason < DROP_REASON_COUNT ? names[reason] : "?";
}

const char *
drop_reason_sentence(enum drop_reason reason)
{
	static const char *const sentences[DROP_REASON_COUNT] = {
#define X(id, name, sentence) [DROP_##id] = sentence,
		DROP_REASONS(X)
#undef X
	};

	return (unsigned)reason < DROP_REASON_COUNT ? sentences[reason] : "?";
}
