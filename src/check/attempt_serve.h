/* SPDX-License-Identifier: ISC */
/* The checker: what the process of attempts.h does. */
#ifndef CHECK_ATTEMPT_SERVE_H
#define CHECK_ATTEMPT_SERVE_H

#include <stdbool.h>

#include "base/attr.h"
#include "check/launcher.h"

struct attempt_host {
	/* Gives up all that it must not have, with `order`; the `outcome` goes to the director. */
	launcher_become *become;
	const void *order;
	/* The next system call that was refused, by name. False: there is none. */
	bool (*refused)(char *name, size_t size);
};

/*
 * Serves the director at the other end of the socket until that is gone. The process has been forked for it, and has no
 * other descriptor. It does not return.
 */
void attempt_serve(int fd, const struct attempt_host *host) __attribute__((noreturn));

#endif
