/* SPDX-License-Identifier: ISC */
/* What SIGUSR1, and the end, write to the log: every counter and every server, a line each. */
#ifndef DAEMON_DUMP_H
#define DAEMON_DUMP_H

struct dsrd;

void dump_to_log(const struct dsrd *dsrd);

#endif
