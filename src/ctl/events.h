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
#include "model/model.h"

#define EVENTS_MOST 4096
#define EVENTS_BYTES (1U << 20) /* of lines, with their zeros */

struct event {
	uint64_t number; /* from 1 on, without gaps */
	uint64_t when;   /* milliseconds since 1970 */
	int level;       /* syslog(3)'s */
	const char *line;
};

struct events;

/* Takes all its memory at once, and uses it as lines come. NULL when memory is out. */
NODISCARD struct events *events_new(void);
/* NULL is fine. */
void events_free(struct events *events);
/* Copies the line, and forgets the oldest ones for it. */
void events_add(struct events *events, uint64_t when, int level, const char *line);
size_t events_count(const struct events *events);
/* From the oldest, 0, on. */
const struct event *events_at(const struct events *events, size_t index);

#define EVENT_VALUE 512
/* The event's name: the first word of its line. Returns `text`. */
const char *event_name(const struct event *event, char text[EVENT_VALUE]);
/* The value of `key`, without its quotes and backslashes, cut to fit; NULL: the line does not have it. */
const char *event_value(const struct event *event, const char *key, char text[EVENT_VALUE]);

/* What passed in the last hour, all services together: a point every ten seconds. Pure. */
#define HISTORY_STEP 10 /* seconds of a point */
#define HISTORY_POINTS 360

struct history_point {
	uint64_t when;        /* seconds since 1970, of its end */
	uint64_t connections; /* a second, on average; so the next three */
	uint64_t packets;
	uint64_t in;          /* bytes from clients */
	uint64_t out;         /* bytes to clients, as these acknowledge them */
	uint64_t dropped;     /* frames, in all of it */
	uint32_t flows;       /* at its end; so below */
	uint32_t servers;
	uint32_t servers_up;
};

/* All zero: empty. */
struct history {
	struct history_point points[HISTORY_POINTS];
	size_t first;             /* the oldest */
	size_t count;
	struct history_point sum; /* of the point that is not complete */
	uint32_t samples;
	uint64_t began;           /* that point, seconds since 1970; 0: none yet */
	uint64_t dropped;         /* the counter when it began */
};

/*
 * About once a second. `when`: seconds since 1970; if the clock was set, a new point begins. `dropped`: frames since
 * startup.
 */
void history_tick(struct history *history, const struct model *model, uint64_t dropped, uint32_t flows, uint64_t when);
/* From the oldest, 0, on. */
const struct history_point *history_at(const struct history *history, size_t index);

#endif
