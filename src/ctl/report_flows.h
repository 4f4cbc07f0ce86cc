/* SPDX-License-Identifier: ISC */
/* What is in the flow table: `dsrctl show connections`, `show drain`. */
#ifndef CTL_REPORT_FLOWS_H
#define CTL_REPORT_FLOWS_H

#include "base/attr.h"
#include "ctl/filter.h"
#include "ctl/report.h"

/* Of all flows of a server, in microseconds. */
struct flow_span {
	uint64_t oldest; /* the age of the oldest */
	uint64_t left;   /* in what time the last is forgotten if nothing more is seen of any */
};

/*
 * A scan of the table, a slice at a time. Keeps copies of the first matching flows, and the range of each server's:
 * they show the time when the scan passed.
 */
struct flow_walk {
	struct filter filter;
	uint32_t at;        /* of conn_walk() */
	struct conn *kept;  /* at most filter.limit */
	size_t kept_count;
	uint64_t matched;   /* flows, of which ... */
	uint64_t active;
	struct flow_span *spans; /* by slot; slots may come while it walks */
	size_t slot_count;
};

/* NULL when memory is out. */
NODISCARD struct flow_walk *flow_walk_new(const struct filter *filter, const struct model *model);
void flow_walk_free(struct flow_walk *walk);
/* Some more flows. True when all were seen. */
bool flow_walk_step(struct flow_walk *walk, const struct report_facts *facts);

void report_connections(struct writer *writer, const struct report_facts *facts, const struct flow_walk *walk);
/*
 * For the selected servers, or without a selection all that are drained. True when none of them has an active
 * connection, with `facts->all`: any flow.
 */
bool report_drain(struct writer *writer, const struct report_facts *facts, const struct flow_walk *walk);

#endif
