/* SPDX-License-Identifier: ISC */
/* The processes that this director consists of. */
#ifndef DAEMON_PROCESSES_H
#define DAEMON_PROCESSES_H

#include <stddef.h>

#include "ctl/report.h"
#include "os/sandbox.h"

struct announcing;
struct checking;
struct children;
struct privsep;

/* All of it outlives what reads it. */
struct processes {
	const struct os_sandbox *director;
	const struct privsep *privsep; /* NULL: there is none */
	const struct children *children;
	const struct checking *checking; /* NULL: the director makes the checks */
	const struct announcing *announcing; /* NULL: dsrd only observes */
};

#define PROCESSES_MOST 6

/* Their number. */
size_t processes_gather(const struct processes *processes, struct report_process list[PROCESSES_MOST]);

#endif
