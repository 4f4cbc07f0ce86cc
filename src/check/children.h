/* SPDX-License-Identifier: ISC */
/*
 * Programs run by the daemon: check scripts and `notify`. Each leads its own process group, inherits no descriptor but
 * /dev/null and perhaps a pipe, is killed with its whole group after its timeout, and is reaped without blocking.
 */
#ifndef CHECK_CHILDREN_H
#define CHECK_CHILDREN_H

#include <stdbool.h>
#include <sys/time.h>

#include "base/attr.h"

struct child;
struct children;
struct event_base;

#define CHILD_LINE 128 /* of its output, with the end */

struct child_end {
	bool timed_out;   /* the group was killed; `status` is meaningless */
	int status;       /* of waitpid() */
	const char *line; /* the first line on standard output, if that was wanted, after text_clean(); may be empty */
};

typedef void child_ended(void *context, const struct child_end *end);

struct child_order {
	const char *const *argv;        /* NULL at the end; argv[0] is an absolute path */
	const char *const *environment; /* NULL at the end; nothing else is in it but PATH */
	struct timeval timeout;
	bool wants_line;
	child_ended *ended; /* called once, but never after child_forget(); NULL: not needed */
	void *context;
};

/* `base` must outlive it, and must be the one that handles this process's signals. NULL when memory is out. */
NODISCARD struct children *children_new(struct event_base *base);
/* Kills what runs. */
void children_free(struct children *children);
/* NULL with errno set. Everything in the order is copied. */
NODISCARD struct child *child_start(struct children *children, const struct child_order *order);
/* Its end does not matter any more, and is to come soon. */
void child_forget(struct child *child);

#endif
