/* SPDX-License-Identifier: ISC */
/*
 * The director's look at itself and its host: collects the facts of doctor/problem.h, and logs problems that begin
 * and end. What the system reports (os_news_open()) is looked at when it happens, the rest every few seconds.
 */
#ifndef DAEMON_SELFCHECK_H
#define DAEMON_SELFCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "doctor/problem.h"

struct announcing;
struct checking;
struct director;
struct host_shield;
struct nic;
struct offloading;
struct peering;
struct selfcheck;
struct state;

/* What it looks at; all of it outlives the selfcheck. */
struct selfcheck_sources {
	const struct director *director;
	const struct nic *nics; /* by the director's interface numbers */
	const struct offloading *offloading;
	const struct host_shield *host_shield; /* or NULL */
	const struct state *state;
	const struct roles *roles;
	const struct checking *checking; /* or NULL */
	const char *config; /* the configuration file's name */
};

/* NULL when memory is out. */
NODISCARD struct selfcheck *selfcheck_new(const struct selfcheck_sources *from);
/* From now on it looks at peers, too. */
void selfcheck_set_peering(struct selfcheck *selfcheck, struct peering *peering);
/* The same about what is announced. */
void selfcheck_set_announcing(struct selfcheck *selfcheck, struct announcing *announcing);
/* NULL is fine. */
void selfcheck_free(struct selfcheck *selfcheck);
/* Which VIPs this host holds, and whether it forwards: after news, after a reload, and every few seconds. */
void selfcheck_host(struct selfcheck *selfcheck);
/* Brings the list up to date. */
void selfcheck_update(struct selfcheck *selfcheck, uint64_t now);
/* The event loop ticks: once a second, unless it was held up. */
void selfcheck_tick(struct selfcheck *selfcheck, uint64_t now);
/* The reload failed for that reason, or with NULL succeeded. */
void selfcheck_reload(struct selfcheck *selfcheck, const char *error);
/* What runs is older than what the file says. */
bool selfcheck_reload_failed(const struct selfcheck *selfcheck);
/* NULL before there is one. */
const struct problems *selfcheck_problems(const struct selfcheck *selfcheck);

#endif
