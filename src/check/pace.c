/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/pace.h"

/*
 * Below `most`; from a linear congruential generator (Numerical Recipes, 2nd edition, chapter 7.1), whose high bits are
 * the better ones. It only has to spread checks. A duration of an hour has 32 bits, so the product fits.
 */
static uint64_t
pace_random(uint32_t *noise, uint64_t most)
{
	*noise = *noise * 1664525 + 1013904223;
	return most * (*noise >> 8) >> 24;
}

uint64_t
pace_next(uint32_t *noise, uint64_t interval, bool first)
{
	if (first)
		return interval / 2 + pace_random(noise, interval / 2 + 1);
	return interval - interval / 32 + pace_random(noise, interval / 32 * 2 + 1);
}
