/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "flow/flood.h"

/* So few flows a second are none, whatever was lost. */
#define FLOOD_LEAST 1000

static bool
flood_begins(const struct flood *flood, const struct flood_counts *now)
{
	const uint64_t begun = now->begun - flood->last.begun, frames = now->frames - flood->last.frames;

	return now->lost > flood->last.lost && begun >= FLOOD_LEAST && begun >= frames / 2;
}

bool
flood_tick(struct flood *flood, const struct flood_counts *counts)
{
	const uint64_t begun = counts->begun - flood->last.begun + (counts->selected - flood->last.selected);
	const bool before = flood->on;

	if (!flood->sampled) {
		flood->sampled = true;
	} else if (!flood->on) {
		flood->on = flood_begins(flood, counts);
		flood->rate = begun;
		flood->calm = 0;
	} else {
		flood->calm = begun < flood->rate / 2 ? flood->calm + 1 : 0;
		flood->on = flood->calm < FLOOD_CALM;
	}
	flood->last = *counts;
	return flood->on != before;
}
