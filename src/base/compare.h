/* SPDX-License-Identifier: ISC */
/* Comparisons for qsort() and the like: the result is below, at or above 0. */
#ifndef BASE_COMPARE_H
#define BASE_COMPARE_H

#include <stdint.h>
#include <string.h>

#include "base/addr.h"

static inline int
compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* IPv4 before IPv6, then by their bytes. */
static inline int
compare_addrs(const struct addr *a, const struct addr *b)
{
	const int result = compare_numbers(a->family, b->family);

	return result != 0 ? result : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

#endif
