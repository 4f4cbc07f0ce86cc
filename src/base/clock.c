/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/clock.h"

#include <time.h>

#include "base/duration.h"

uint64_t
clock_us(void)
{
	struct timespec now = { 0, 0 };

	/* POSIX: fails only for a clock that there is not. */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return SECONDS((uint64_t)now.tv_sec) + (uint64_t)now.tv_nsec / 1000;
}
