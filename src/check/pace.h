/* SPDX-License-Identifier: ISC */
/* When the next check of a server starts; pure. */
#ifndef CHECK_PACE_H
#define CHECK_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Microseconds from the start of one check to that of the next: the interval plus or minus a thirty-second, and the
 * interval itself on average. `first`: from half an interval to a whole one, so that checks which started together
 * spread out. `noise` is the state of the generator and is updated.
 */
uint64_t pace_next(uint32_t *noise, uint64_t interval, bool first);

#endif
