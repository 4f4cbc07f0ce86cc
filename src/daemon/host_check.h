/* SPDX-License-Identifier: ISC */
/* The doctor's look at the director's own host: what keeps it from directing, and what is worth knowing. */
#ifndef DAEMON_HOST_CHECK_H
#define DAEMON_HOST_CHECK_H

#include <stddef.h>

#include "ctl/doctor.h"

struct stats_sources;

/* At most `most` findings; their number. */
size_t host_check(const struct stats_sources *from, struct host_finding *findings, size_t most);

#endif
