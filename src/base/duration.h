/* SPDX-License-Identifier: ISC */
/*
 * Time is one unsigned 64-bit number of microseconds throughout: the monotonic clock in the daemon, the savefile's
 * timestamps offline, an arbitrary value in tests. The pure layers never read a clock: `now` is an argument.
 */
#ifndef BASE_DURATION_H
#define BASE_DURATION_H

#include <stdint.h>

#define MILLISECONDS(n) ((uint64_t)(n) * 1000)
#define SECONDS(n) ((uint64_t)(n) * 1000000)
#define MINUTES(n) SECONDS((uint64_t)(n) * 60)

#endif
