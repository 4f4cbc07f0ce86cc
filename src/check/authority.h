/* SPDX-License-Identifier: ISC */
/*
 * The files of certificates that `ca` names. Another process reads them, because their file system may not answer.
 * What was read stays in use until the file can be read again and has other contents.
 */
#ifndef CHECK_AUTHORITY_H
#define CHECK_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct authorities;
struct children;

typedef void authority_ready(void *context);

/* A check that waits. Zero: it does not. */
struct authority_waiter {
	struct authority_waiter *next;
	struct authority_waiter **link;
	authority_ready *ready;
	void *context;
};

struct authority {
	uint64_t version;   /* counts the contents */
	const char *bytes;  /* NULL: the file was never read, for this `reason` */
	size_t length;
	const char *reason;
};

/* Without `children` it reads no file: authority_set() has the contents. */
NODISCARD struct authorities *authorities_new(struct children *children);
void authorities_free(struct authorities *authorities);
/*
 * Has the file read, unless it was within the last second. True: `waiter` waits, and its `ready` is called once when
 * the file was read, or could not be, after half a second at most; not after authority_forget().
 */
NODISCARD bool authority_await(struct authorities *authorities, const char *path, struct authority_waiter *waiter);
void authority_forget(struct authority_waiter *waiter);
static inline bool
authority_waits(const struct authority_waiter *waiter)
{
	return waiter->link != NULL;
}
/* What another process has read, copied. 0, or -1: out of memory. */
NODISCARD int authority_set(struct authorities *authorities, const char *path, uint64_t version, const char *bytes,
    size_t length);
/* What is known of it. */
struct authority authority_find(const struct authorities *authorities, const char *path);

#endif
