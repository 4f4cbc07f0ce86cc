/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_LARGE_PAGES_H
#define COMPAT_LARGE_PAGES_H

#include <sys/types.h>

#include <stddef.h>
#include <sys/mman.h>

/* Linux gives large pages to who asks (Documentation/admin-guide/mm/transhuge.rst); others do it unasked, or not. */
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
