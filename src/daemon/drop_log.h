/* SPDX-License-Identifier: ISC */
/*
 * Dropped frames in the log: not a line each, since a line costs more than the frame, but for each reason one line when
 * it begins, and then at most one a minute with the count.
 */
#ifndef DAEMON_DROP_LOG_H
#define DAEMON_DROP_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/duration.h"
#include "ctl/report.h"
#include "daemon/director.h"
#include "flow/stats.h"

#define LOSSES_INTERVAL SECONDS(60)

/* The last state logged for one counter. */
struct loss {
	uint64_t logged; /* its value then */
	uint64_t when; /* 0: never */
};

struct drop_log {
	struct loss dropped[DROP_REASON_COUNT];
	struct loss captured[IFACES_MOST]; /* lost before the director saw them */
	struct loss not_sent[IFACES_MOST];
};

/* The counter is at `count` now: is a line due? Then `*fresh` is by how much it grew since the last one. */
bool loss_is_due(struct loss *loss, uint64_t count, uint64_t now, uint64_t *fresh);
/* About once a second. */
void drop_log_write(struct drop_log *losses, const struct report_facts *facts);

#endif
