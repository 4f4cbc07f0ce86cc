/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/rate.h"

#include <stdbool.h>

#include "base/duration.h"

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
		rate->smoothed = (uint64_t)((double)rate->smoothed + (fresh * PARTS - (double)rate->smoothed) * share + 0.5);
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
