/* SPDX-License-Identifier: ISC */
/* `notify = PROGRAM`: runs the operator's program when the state of a server or a service has changed. */
#ifndef DAEMON_NOTIFY_PROGRAM_H
#define DAEMON_NOTIFY_PROGRAM_H

#include <stdint.h>

#include "base/attr.h"
#include "daemon/change.h"

struct children;
struct notify_program;

struct notify_program_stats {
	uint64_t started;
	uint64_t failed;  /* could not be started, exit status not 0, took too long */
	uint64_t dropped; /* more changes at once than the queue has room for */
};

/*
 * `program` runs where a service has none of its own, and is looked at when a state changes; empty: nothing is run.
 * NULL when memory is out.
 */
NODISCARD struct notify_program *notify_program_new(struct children *children, const char *program);
/* Programs that run continue, as long as `children` exists. */
void notify_program_free(struct notify_program *notify_program);
/* A change_subscriber: the context is the notify program. */
void notify_program_change(void *context, const struct state_change *change);
struct notify_program_stats notify_program_stats(const struct notify_program *notify_program);

#endif
