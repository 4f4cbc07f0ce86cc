/* SPDX-License-Identifier: ISC */
/*
 * The director's look at itself and its host: collects the facts of doctor/problem.h, and logs problems that begin and end.
 * What the system reports (os_news_open()) is looked at when it happens, the rest every few seconds.
 */
#ifndef DAEMON_SELFCHECK_H
#define DAEMON_SELFCHECK_H

#include <stdint.h>

#include "base/attr.h"
#include "doctor/problem.h"

struct dsrd;
struct selfcheck;

/* NULL when memory is out. */
NODISCARD struct selfcheck *selfcheck_new(void);
/* NULL is fine. */
void selfcheck_free(struct selfcheck *selfcheck);
/* Which VIPs this host holds, and whether it forwards: after news, after a reload, and every few seconds. */
void selfcheck_host(struct dsrd *dsrd);
/* Brings the list up to date. */
void selfcheck_update(struct dsrd *dsrd, uint64_t now);
/* The event loop ticks: once a second, unless it was held up. */
void selfcheck_tick(struct dsrd *dsrd, uint64_t now);
/* The reload failed for that reason, or with NULL succeeded. */
void selfcheck_reload(struct dsrd *dsrd, const char *error);
/* NULL before there is one. */
const struct problems *selfcheck_problems(const struct selfcheck *selfcheck);

#endif
