/* SPDX-License-Identifier: ISC */
/* The doctor's look at the director's own host: what keeps it from directing, and what is worth knowing. */
#ifndef DAEMON_HOST_CHECK_H
#define DAEMON_HOST_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "ctl/doctor.h"
#include "os/os.h"

struct stats_sources;

/* At most `most` findings; their number. */
size_t host_check(const struct stats_sources *from, struct host_finding *findings, size_t most);
/* What os_drops_strays() answered, with the command that it gave. False: there is nothing to report. */
NODISCARD bool host_check_judge_strays(enum os_answer drops, const char *fix, struct host_finding *finding);

#endif
