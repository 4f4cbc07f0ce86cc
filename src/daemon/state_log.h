/* SPDX-License-Identifier: ISC */
/* What the log says of states: of servers, of the ports that one of them refuses, and of services' quorums. */
#ifndef DAEMON_STATE_LOG_H
#define DAEMON_STATE_LOG_H

#include <stdbool.h>

#include "daemon/change.h"
#include "model/model.h"

/* A change_subscriber without a context. Changes by a reload are not logged here: it has lines of its own. */
void state_log_change(void *context, const struct state_change *change);
/* Ports that went out of a server that is up, or came back. Is it another set than the log had last? */
bool state_log_ports(struct server *server);
/* For services whose quorum was lost or reached since the last call. */
void state_log_quorums(const struct model *model);

#endif
