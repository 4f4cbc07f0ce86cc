/* SPDX-License-Identifier: ISC */
/*
 * Which servers of a configuration that does not run yet would answer: TCP connections to the ports that are new, all
 * at once and for a second at most, and the state of servers that the director has already. Never blocks.
 */
#ifndef DAEMON_PLAN_PROBE_H
#define DAEMON_PLAN_PROBE_H

#include <stdbool.h>

#include "base/attr.h"
#include "model/model.h"
#include "model/settings.h"

#define PLAN_TARGETS 256 /* connections at once: more are not tried */
#define PLAN_PORTS 16    /* of one `listen`: of a longer range the first port stands for all */

struct attempts;
struct event_base;
struct plan_probe;

/* `server` is NULL when it is about a port of the service. */
typedef void plan_warning(void *context, const char *service, const char *server, const char *message);

/* Begins to connect: by `attempts`, or in this process where that is NULL. NULL when memory is out. */
NODISCARD struct plan_probe *plan_probe_open(const struct settings *settings, const struct model *running,
    struct event_base *base, struct attempts *attempts, uint64_t now);
/* True: there is nothing more to wait for. */
bool plan_probe_step(const struct plan_probe *probe, uint64_t now);
/* Warns of ports that no server answers on, and of servers that would be down. */
void plan_probe_report(const struct plan_probe *probe, plan_warning *warning, void *context);
/* NULL is fine. */
void plan_probe_close(struct plan_probe *probe);

#endif
