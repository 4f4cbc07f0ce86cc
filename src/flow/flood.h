/* SPDX-License-Identifier: ISC */
/*
 * Do flows begin faster than they can be looked at one by one? Then SYNs and datagrams of unknown flows go by hash, which
 * the kernel can do alone. Pure; fed once a second with counters that only grow.
 */
#ifndef FLOW_FLOOD_H
#define FLOW_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#define FLOOD_CALM 5 /* seconds of less than half the rate, before it has ended */

struct flood_counts {
	uint64_t frames;   /* that the director has looked at */
	uint64_t begun;    /* flows that began with one of them */
	uint64_t selected; /* frames whose server the kernel selected */
	uint64_t lost;     /* frames that found no room on their way to the director */
};

/* All zero at first. */
struct flood {
	bool on;
	bool sampled;
	unsigned calm;
	uint64_t rate; /* flows a second that the director began when it was too slow */
	struct flood_counts last;
};

/*
 * It begins in a second in which frames were lost, and at least half of those that were looked at began flows. It ends
 * when fewer than half as many flows began, in each of FLOOD_CALM seconds. Returns whether `on` has changed.
 */
bool flood_tick(struct flood *flood, const struct flood_counts *counts);

#endif
