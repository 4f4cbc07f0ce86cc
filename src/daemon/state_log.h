/* SPDX-License-Identifier: ISC */
/* Log lines about states: of servers, of ports that a server does not serve, and of services' quorums. */
#ifndef DAEMON_STATE_LOG_H
#define DAEMON_STATE_LOG_H

#include "daemon/change.h"

/* A change_subscriber without a context. Changes by a reload are not logged here: it has lines of its own. */
void state_log_change(void *context, const struct state_change *change);

#endif
