/* SPDX-License-Identifier: ISC */
/* How fast a counter grows: in the last second or so, and smoothed over some more. Pure; time in microseconds. */
#ifndef FLOW_RATE_H
#define FLOW_RATE_H

#include <stdint.h>

struct rate {
	uint64_t total;    /* at the last rate_tick() */
	uint64_t when;     /* the time of it; 0: none yet */
	uint64_t current;  /* a second, between the last two */
	uint64_t smoothed; /* thousandths a second: what is older than ten seconds counts for about a third */
};

/* `total` is the counter's value. A counter that went backwards restarts. Call about once a second, or at any time. */
void rate_tick(struct rate *rate, uint64_t total, uint64_t now);
/* Smoothed, a second, rounded. */
uint64_t rate_value(const struct rate *rate);

#endif
