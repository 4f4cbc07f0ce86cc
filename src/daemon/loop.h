/* SPDX-License-Identifier: ISC */
/* The event loop: the only place of the daemon that knows libevent. It calls back; it decides nothing. */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "base/attr.h"

struct event_base;
struct loop;

struct loop_calls {
	/* Frames may wait at the watched thing of that number. */
	void (*readable)(void *context, size_t number);
	/* Once a second. */
	void (*tick)(void *context);
	/* Once, after loop_wake(). */
	void (*woken)(void *context);
	/* HUP, TERM, INT or USR1. */
	void (*signalled)(void *context, int number);
};

/*
 * NULL when libevent cannot. `most`: how many things can be watched. Create it after the last fork(). While it exists
 * the log does not wait for its reader: see log_async().
 */
NODISCARD struct loop *loop_new(const struct loop_calls *calls, void *context, size_t most);
void loop_free(struct loop *loop);
struct event_base *loop_base(struct loop *loop);

/*
 * Watch `descriptor`, or with -1 nothing; and call in intervals of `wait` when that is not NULL. One of the two is
 * needed. 0 or -1.
 */
NODISCARD int loop_watch(struct loop *loop, size_t number, int descriptor, const struct timeval *wait);
void loop_unwatch(struct loop *loop, size_t number);

/* Calls `woken` once, `delay` microseconds from now; this replaces an earlier request. */
void loop_wake(struct loop *loop, uint64_t delay);

/* Until loop_stop(). 0, or -1 when libevent failed. */
NODISCARD int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* libevent's version. */
const char *loop_library(void);

#endif
