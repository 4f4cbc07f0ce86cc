/* SPDX-License-Identifier: ISC */
/* Which interfaces the director works on: found, opened, watched for change, reopened, closed. */
#ifndef DAEMON_INTERFACES_H
#define DAEMON_INTERFACES_H

#include "base/attr.h"
#include "daemon/dsrd.h"
#include "daemon/options.h"
#include "model/settings.h"

/*
 * Finds the interfaces that `settings` need, by name or by a server's address, and opens those that are not open. The
 * reason of a failure is in the log; what was opened before it stays open.
 */
NODISCARD enum exit_status interfaces_prepare(struct dsrd *dsrd, const struct settings *settings);
/* Nobody but dsrd may hold a VIP or probe address: EXIT_BAD_CONFIG, logged, when this host's kernel does. */
NODISCARD enum exit_status interfaces_check_vips(const struct settings *settings);
/*
 * From the first listener to the last one the captures receive everything that is sent to this host, for an examination. What
 * the kernel carries it goes on offloading. Each interfaces_listen() needs its interfaces_unlisten().
 */
void interfaces_listen(struct dsrd *dsrd);
void interfaces_unlisten(struct dsrd *dsrd);
/* After the model has changed: closes what nobody needs, gives the kernel new filters. */
void interfaces_settle(struct dsrd *dsrd);
/* Looks whether MACs, MTUs and addresses are what they were, and opens again what was lost. */
void interfaces_rescan(struct dsrd *dsrd, uint64_t now);
/* An interface stopped giving frames: close it, rescan will try again. */
void interfaces_lose(struct dsrd *dsrd, size_t index, const char *reason);
/* Root is given up: what is open, and what will be, cannot be told anything new, where the system has a way for that. */
void interfaces_lock(struct dsrd *dsrd);
void interfaces_close(struct dsrd *dsrd);

#endif
