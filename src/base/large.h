/* SPDX-License-Identifier: ISC */
/*
 * Memory for large tables that are read at random. Most look-ups in them wait for the address of the page before they wait
 * for what is in it, unless pages are large.
 */
#ifndef BASE_LARGE_H
#define BASE_LARGE_H

#include <stddef.h>

#include "base/attr.h"

/*
 * As calloc(): zeroes, of which only those that are touched take memory. `memory` is set to what free() takes, also when
 * there is none. NULL: no memory.
 */
NODISCARD void *large_calloc(size_t count, size_t size, void **memory);

#endif
