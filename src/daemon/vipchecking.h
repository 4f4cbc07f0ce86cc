/* SPDX-License-Identifier: ISC */
/* The director's VIP probe and watch: what they find goes to the log, to the servers' state, and back to the network. */
#ifndef DAEMON_VIPCHECKING_H
#define DAEMON_VIPCHECKING_H

#include <stdint.h>

#include "base/attr.h"
#include "daemon/director.h"

/* Once, after forwarder_init(). */
void probing_init(struct director *director);
/* After each change of the model. -1 when memory is out. */
NODISCARD int probing_sync(struct director *director, uint64_t now);
/* Asks what is due; when to call it next is forward_vipcheck_due(). */
void probing_run(struct director *director, uint64_t now);
/* Once a second: asks who else has the VIPs, tells what was found, reacts. */
void probing_tick(struct director *director, uint64_t now);
/* The first server that has this MAC, or NULL. */
const struct server *probing_owner(const struct director *director, const struct mac *mac);

#endif
