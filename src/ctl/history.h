/* SPDX-License-Identifier: ISC */
/* What passed in the last hour, all services together: a point every ten seconds. Pure. */
#ifndef CTL_HISTORY_H
#define CTL_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "model/model.h"

#define HISTORY_STEP 10 /* seconds of a point */
#define HISTORY_POINTS 360

struct history_point {
	uint64_t when;        /* seconds since 1970, of its end */
	uint64_t connections; /* a second, on average; so the next three */
	uint64_t packets;
	uint64_t in;          /* bytes from clients */
	uint64_t out;         /* bytes to clients, as these acknowledge them */
	uint64_t dropped;     /* frames, in all of it */
	uint32_t flows;       /* at its end; so below */
	uint32_t servers;
	uint32_t servers_up;
};

/* All zero: empty. */
struct history {
	struct history_point points[HISTORY_POINTS];
	size_t first;             /* the oldest */
	size_t count;
	struct history_point sum; /* of the point that is not complete */
	uint32_t samples;
	uint64_t began;           /* that point, seconds since 1970; 0: none yet */
	uint64_t dropped;         /* the counter when it began */
};

/*
 * About once a second. `when`: seconds since 1970; if the clock was set, a new point begins. `dropped`: frames since
 * startup.
 */
void history_tick(struct history *history, const struct model *model, uint64_t dropped, uint32_t flows, uint64_t when);
/* From the oldest, 0, on. */
const struct history_point *history_at(const struct history *history, size_t index);

#endif
