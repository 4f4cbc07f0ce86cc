/* SPDX-License-Identifier: ISC */
/* The monotonic clock. For programs and I/O: the pure layers get the time as an argument (tests/lint/layers.sh). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Microseconds since an arbitrary moment before this process started. */
uint64_t clock_us(void);

#endif
