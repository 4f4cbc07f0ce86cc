/* SPDX-License-Identifier: ISC */
/*
 * The director's end of the checker: a process that has no packet socket, no map and no right, and makes single
 * attempts of checks that parse what networks send. When to check, and what a result means, the director decides; so
 * the checker holds nothing that could be lost. One that ends, does not answer in time or breaks the form is replaced;
 * its attempts have no result, and servers keep their state.
 */
#ifndef CHECK_ATTEMPTS_H
#define CHECK_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "check/attempt_message.h"
#include "check/launcher.h"
#include "check/runner.h"

struct attempt;
struct attempts;
struct authority;
struct event_base;

struct attempts_loss {
	const char *why;
	size_t under_way;                 /* attempts without a result */
	const struct check_target *alone; /* of the attempt, if there was one only: it may be the reason */
};

struct attempts_calls {
	/* A new process: it ends the one before, if that still runs. 0, or -1 with errno. */
	launcher_opener *open;
	/* What its `become` said: LAUNCHER_OUTCOME bytes, of any value. */
	void (*confined)(void *context, const void *outcome);
	void (*refused)(void *context, const char *call);
	void (*lost)(void *context, const struct attempts_loss *loss);
};

/* `report` as check_answer() has it. */
typedef void attempt_done(void *context, const struct check_report *report);

/* NULL when memory is out. The first process may be missing: attempts_state() tells. */
NODISCARD struct attempts *attempts_new(struct event_base *base, const struct attempts_calls *calls, void *context);
/* Nothing is called back any more. NULL is fine. */
void attempts_free(struct attempts *attempts);
/*
 * Its result comes once, unless attempt_forget() is called before; `target` stays until then. NULL: there is no process
 * now, or no memory.
 */
NODISCARD struct attempt *attempt_begin(struct attempts *attempts, const struct check_target *target,
    attempt_done *done, void *context);
void attempt_forget(struct attempts *attempts, struct attempt *attempt);
/* What attempts from now on know of a file. 0, or -1: no memory. */
NODISCARD int attempts_trust(struct attempts *attempts, const char *path, const struct authority *authority);
/* An attempt should have ended long ago: the process is given up. */
void attempts_overdue(struct attempts *attempts);

struct attempts_state {
	pid_t pid;             /* 0: there is no process */
	bool works;            /* it has confined itself */
	uint64_t lacking;      /* since when there is none that does; clock_us() */
	unsigned lost;         /* within ATTEMPTS_MEMORY */
};
#define ATTEMPTS_MEMORY MINUTES(10)
#define ATTEMPTS_LOST 16 /* `lost` counts no further */
struct attempts_state attempts_state(const struct attempts *attempts);

#endif
