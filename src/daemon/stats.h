/* SPDX-License-Identifier: ISC */
/* Collects what reports read from where it lives in a running director. */
#ifndef DAEMON_STATS_H
#define DAEMON_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/report.h"
#include "daemon/director.h"

struct announcing;
struct nic;
struct offloading;
struct peering;
struct privsep;
struct roles;
struct selfcheck;

/* All of it outlives what reads it. */
struct stats_sources {
	struct director *director;
	const struct nic *nics; /* by the director's interface numbers */
	struct offloading *offloading;
	const struct roles *roles;
	const struct selfcheck *selfcheck;
	struct peering *peering; /* NULL: no peers */
	struct announcing *announcing; /* NULL: dsrd only observes */
	const struct privsep *privsep; /* NULL: there is none */
	uint64_t started; /* by clock_us() */
	uint64_t loaded;  /* seconds since 1970, when the configuration that runs was read */
	uint64_t reloads;
	bool observe;
};

/* Counters are about to be read: collects the kernel's. */
void stats_sync(const struct stats_sources *sources);
/* `ifaces` is room that the facts point into; they are good until the event loop goes on. */
struct report_facts stats_gather(const struct stats_sources *sources, struct report_iface ifaces[IFACES_MOST]);

#endif
