/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/stats.h"

#include <stdbool.h>

#include "base/duration.h"

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

#define SMOOTHED_OVER SECONDS(10)
#define PARTS 1000 /* of one, in `smoothed` */

void
rate_tick(struct rate *rate, uint64_t total, uint64_t now)
{
	const uint64_t elapsed = now - rate->when;
	const bool first = rate->when == 0 || total < rate->total;
	double fresh, share;

	if (!first && (now <= rate->when))
		return;
	if (!first) {
		fresh = (double)(total - rate->total) * (double)SECONDS(1) / (double)elapsed;
		/* exp(-elapsed/over), as far as it matters: steps may be longer than the whole. */
		share = (double)elapsed / (double)(elapsed + SMOOTHED_OVER);
		rate->current = (uint64_t)(fresh + 0.5);
		rate->smoothed = (uint64_t)((double)rate->smoothed + (fresh * PARTS - (double)rate->smoothed) * share +
		    0.5);
	} else {
		rate->current = 0;
		rate->smoothed = 0;
	}
	rate->total = total;
	rate->when = now;
}

uint64_t
rate_value(const struct rate *rate)
{
	return (rate->smoothed + PARTS / 2) / PARTS;
}
