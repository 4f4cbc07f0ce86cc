/* SPDX-License-Identifier: ISC */
/* Collects what reports read from where it lives in a running director. */
#ifndef DAEMON_FACTS_H
#define DAEMON_FACTS_H

#include "ctl/report.h"
#include "daemon/director.h"

struct dsrd;

/* `ifaces` is room that the facts point into; they are good until the event loop goes on. */
struct report_facts stats_gather(const struct dsrd *dsrd, struct report_iface ifaces[IFACES_MOST]);

#endif
