/* SPDX-License-Identifier: ISC */
/*
 * The last events: the log's lines of level notice and above, which are `name key=value ...` (base/log.h), so that
 * `dsrctl events` and the log show the same. Bounded in number and bytes; the oldest are dropped. They are lost when
 * the process ends. Pure.
 */
#ifndef CTL_EVENTS_H
#define CTL_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define EVENTS_MOST 4096
#define EVENTS_BYTES (1U << 20) /* of lines */

struct event {
	uint64_t number; /* from 1 on, without gaps */
	uint64_t when;   /* milliseconds since 1970 */
	int level;       /* syslog(3)'s */
	char *line;
};

struct events;

/* NULL when memory is out. */
NODISCARD struct events *events_new(void);
/* NULL is fine. */
void events_free(struct events *events);
/* Copies the line. Without memory for it its number is left out. */
void events_add(struct events *events, uint64_t when, int level, const char *line);
size_t events_count(const struct events *events);
/* From the oldest, 0, on. */
const struct event *events_at(const struct events *events, size_t index);

#define EVENT_VALUE 512
/* The event's name: the first word of its line. Returns `text`. */
const char *event_name(const struct event *event, char text[EVENT_VALUE]);
/* The value of `key`, without its quotes and backslashes, cut to fit; NULL: the line does not have it. */
const char *event_value(const struct event *event, const char *key, char text[EVENT_VALUE]);

#endif
