/* SPDX-License-Identifier: ISC */
/*
 * One examination by the doctor, from the first probe to the report: it runs VIP checks early, sends the probes of
 * doctor/examine.h, looks names up, and waits for all of it, for a bounded time, while forwarding goes on. One at a
 * time.
 */
#ifndef DAEMON_DOCTOR_RUN_H
#define DAEMON_DOCTOR_RUN_H

#include <stdbool.h>

#include "base/attr.h"
#include "ctl/control.h"
#include "ctl/report.h"
#include "ctl/selector.h"
#include "proto/frame.h"

struct burst;
struct doctor_run;
struct event_base;
struct interfaces;
struct stats_sources;

/* What an examination works with. */
struct doctor_run_parts {
	const struct stats_sources *sources;
	struct interfaces *interfaces;
	struct burst *burst;
	struct event_base *base;
};

/* Of the servers that are selected. `all`: report also what is well. NULL when memory is out. */
NODISCARD struct doctor_run *doctor_run_open(const struct doctor_run_parts *parts, const struct selection *selection,
    bool all);
/* Each frame that arrives. */
void doctor_run_hear(struct doctor_run *doctor_run, const struct frame *frame);
/* The next step, a few times a second. Is there nothing more to wait for? */
bool doctor_run_step(struct doctor_run *doctor_run);
/* Says whether all is well, in `*well`. -1 when memory is out. */
NODISCARD int doctor_run_report(struct doctor_run *doctor_run, struct writer *writer, const struct report_facts *facts,
    bool *well);
/* NULL is fine. */
void doctor_run_close(struct doctor_run *doctor_run);

#endif
