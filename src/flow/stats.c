/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/stats.h"

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

void
forward_stats_each(const struct forward_stats *stats,
    void (*each)(void *context, const char *name, const char *text, uint64_t value), void *context)
{
#define X(name, text) each(context, #name, text, stats->name);
	FORWARD_COUNTERS(X)
#undef X
}

uint64_t
forward_stats_dropped(const struct forward_stats *stats)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < DROP_REASON_COUNT; i++)
		sum += stats->dropped[i];
	return sum;
}
