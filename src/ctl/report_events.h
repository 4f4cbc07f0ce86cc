/* SPDX-License-Identifier: ISC */
/* What happened, and what passed in the last hour. */
#ifndef CTL_REPORT_EVENTS_H
#define CTL_REPORT_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "ctl/events.h"
#include "ctl/history.h"
#include "ctl/selector.h"
#include "ctl/writer.h"

#define EVENT_FILTER_ERROR SELECTOR_ERROR
#define EVENT_LIMIT 100 /* events that are listed, unless another number is given */

/* All of it must hold; the names and addresses are alternatives. */
struct event_filter {
	struct selector selectors[SELECTORS_MOST];
	size_t count;
	char event[EVENT_VALUE]; /* empty: any name; else a pattern */
	int level;               /* this one or worse */
	uint64_t since;          /* milliseconds since 1970 */
	uint64_t after;          /* numbers above this one */
	uint64_t limit;          /* the newest so many */
};

/* `now`: milliseconds since 1970. 0, or -1 with a sentence. */
NODISCARD int event_filter_parse(const char *const words[], size_t count, uint64_t now, struct event_filter *filter,
    char error[EVENT_FILTER_ERROR]);
/* The name before a "=", NULL behind the last, and what may follow it, as filter_term() has them. */
const char *event_filter_term(size_t index, const char **choices);
/* The newest last. The model has the servers' addresses. */
void report_events(struct writer *writer, const struct events *events, const struct event_filter *filter,
    const struct model *model);
void report_rates(struct writer *writer, const struct history *history);

#endif
