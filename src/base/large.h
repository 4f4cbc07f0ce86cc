/* SPDX-License-Identifier: ISC */
/*
 * Memory for large tables that are read at random. Most look-ups in them wait for the address of the page before they
 * wait for what is in it, unless pages are large.
 */
#ifndef BASE_LARGE_H
#define BASE_LARGE_H

#include <stddef.h>

#include "base/attr.h"

/*
 * Like calloc(): zeroed memory, of which only touched pages are backed. `memory` is set to the pointer to pass to
 * free(), even on failure. Returns NULL when out of memory.
 */
NODISCARD void *large_calloc(size_t count, size_t size, void **memory);

#endif
