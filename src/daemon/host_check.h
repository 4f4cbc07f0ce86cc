/* SPDX-License-Identifier: ISC */
/* The doctor's findings about the director's own host: its problems, and what is worth knowing. */
#ifndef DAEMON_HOST_CHECK_H
#define DAEMON_HOST_CHECK_H

#include <stddef.h>

#include "doctor/problem.h"
#include "os/os.h"

struct stats_sources;

/* At most `most` findings; their number. */
size_t host_check(const struct stats_sources *from, struct problem *findings, size_t most);
/* What os_drops_strays() answered, as a finding; DIAGNOSIS_COUNT: there is nothing to report. */
enum diagnosis host_check_judge_strays(enum os_answer drops);

#endif
