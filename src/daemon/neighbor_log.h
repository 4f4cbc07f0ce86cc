/* SPDX-License-Identifier: ISC */
/* The log lines, and so the events, about real servers' MAC addresses. */
#ifndef DAEMON_NEIGHBOR_LOG_H
#define DAEMON_NEIGHBOR_LOG_H

#include "forward/neigh.h"
#include "model/model.h"

/* An event of forward/neigh.h that concerns `server`, which is on that interface. */
void neighbor_log(enum neigh_event event, enum neigh_reason reason, const struct server *server,
    const struct neigh *neigh, const struct mac *other, const char *interface);

#endif
