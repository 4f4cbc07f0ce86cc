/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_LARGE_PAGES_H
#define COMPAT_LARGE_PAGES_H

#include <sys/types.h>

#include <stddef.h>
#include <sys/mman.h>

/* Linux uses large pages on request (Documentation/admin-guide/mm/transhuge.rst); others decide for themselves. */
static inline void
ask_large_pages(void *start, size_t bytes)
{
#ifdef MADV_HUGEPAGE
	(void)madvise(start, bytes, MADV_HUGEPAGE);
#else
	(void)start;
	(void)bytes;
#endif
}

#endif
