/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/large.h"

#include <stdint.h>
#include <stdlib.h>

#include "compat/large_pages.h"

#define LARGE_PAGE ((size_t)2 * 1024 * 1024) /* of x86-64, and of arm64 with pages of 4 KiB */

void *
large_calloc(size_t count, size_t size, void **memory)
{
	const size_t unit = size != 0 ? size : 1;
	void *start;

	*memory = NULL;
	if (count > (SIZE_MAX - LARGE_PAGE) / unit)
		return NULL;
	/* A table smaller than a page has no use for one. */
	*memory = calloc(1, count * unit < LARGE_PAGE ? count * unit : count * unit + LARGE_PAGE);
	if (*memory == NULL || count * unit < LARGE_PAGE)
		return *memory;
	start = (void *)(((uintptr_t)*memory + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1));
	ask_large_pages(start, count * unit);
	return start;
}
