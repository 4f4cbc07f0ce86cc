/* SPDX-License-Identifier: ISC */
/* Log lines about states: of servers, of ports that a server does not serve, and of services' quorums. */
#ifndef DAEMON_STATE_LOG_H
#define DAEMON_STATE_LOG_H

#include <stdbool.h>

#include "daemon/change.h"
#include "model/model.h"

/* A change_subscriber without a context. Changes by a reload are not logged here: it has lines of its own. */
void state_log_change(void *context, const struct state_change *change);
/* Logs which ports of an UP server get no traffic, when that has changed. Returns whether it has. */
bool state_log_ports(struct server *server);
/* For services whose quorum was lost or reached since the last call. */
void state_log_quorums(const struct model *model);

#endif
