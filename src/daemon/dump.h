/* SPDX-License-Identifier: ISC */
/* What SIGUSR1 and a stop write to the log: a line for every counter and every server. */
#ifndef DAEMON_DUMP_H
#define DAEMON_DUMP_H

struct notify_program;
struct stats_sources;

/* The kernel's counters are as of the last stats_sync(). */
void dump_to_log(const struct stats_sources *sources, const struct notify_program *notify_program);

#endif
