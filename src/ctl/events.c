/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/events.h"

#include <stdlib.h>
#include <string.h>

/*
 * The lines stand one behind the other in a ring of bytes, each in one piece. Memory of its own for each would hold
 * the heap apart: they live for long, between what lives for a request.
 */
struct events {
	struct event ring[EVENTS_MOST];
	size_t first; /* the oldest */
	size_t count;
	size_t end;   /* of the newest line */
	uint64_t number; /* of the newest */
	char lines[EVENTS_BYTES];
};

struct events *
events_new(void)
{
	return calloc(1, sizeof(struct events));
}

void
events_free(struct events *events)
{
	free(events);
}

static void
events_drop_oldest(struct events *events)
{
	events->first = (events->first + 1) % EVENTS_MOST;
	events->count--;
}

/* Does the oldest line stand in these bytes? All before it are free. */
static bool
events_is_in_the_way(const struct events *events, size_t from, size_t to)
{
	size_t at;

	if (events->count == 0)
		return false;
	at = (size_t)(events->ring[events->first].line - events->lines);
	return at >= from && at < to;
}

void
events_add(struct events *events, uint64_t when, int level, const char *line)
{
	const size_t size = strlen(line) + 1;

	events->number++;
	if (size > EVENTS_BYTES)
		return;
	if (events->count == EVENTS_MOST)
		events_drop_oldest(events);
	if (size > EVENTS_BYTES - events->end) {
		/* What stands in the rest is the oldest of all. */
		while (events_is_in_the_way(events, events->end, EVENTS_BYTES))
			events_drop_oldest(events);
		events->end = 0;
	}
	while (events_is_in_the_way(events, events->end, events->end + size))
		events_drop_oldest(events);
	memcpy(events->lines + events->end, line, size);
	events->ring[(events->first + events->count) % EVENTS_MOST] =
	    (struct event) { events->number, when, level, events->lines + events->end };
	events->count++;
	events->end += size;
}

size_t
events_count(const struct events *events)
{
	return events->count;
}

const struct event *
events_at(const struct events *events, size_t index)
{
	return &events->ring[(events->first + index) % EVENTS_MOST];
}

const char *
event_name(const struct event *event, char text[EVENT_VALUE])
{
	size_t length = strcspn(event->line, " ");

	if (length >= EVENT_VALUE)
		length = EVENT_VALUE - 1;
	memcpy(text, event->line, length);
	text[length] = '\0';
	return text;
}

/* Behind a value, quoted or not. */
static const char *
event_skip(const char *at)
{
	bool quoted = false;

	for (; *at != '\0' && (quoted || *at != ' '); at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '"')
			quoted = !quoted;
	}
	return at;
}

static const char *
event_copy(const char *at, char text[EVENT_VALUE])
{
	const char *end = event_skip(at);
	size_t used = 0;

	for (; at < end && used + 1 < EVENT_VALUE; at++) {
		if (*at == '"')
			continue;
		if (*at == '\\' && at + 1 < end)
			at++;
		text[used++] = *at;
	}
	text[used] = '\0';
	return text;
}

const char *
event_value(const struct event *event, const char *key, char text[EVENT_VALUE])
{
	const size_t length = strlen(key);
	const char *at = event->line + strcspn(event->line, " ");

	while (*at == ' ') {
		at++;
		if (strncmp(at, key, length) == 0 && at[length] == '=')
			return event_copy(at + length + 1, text);
		at = event_skip(at);
	}
	return NULL;
}

static void
history_begin(struct history *history, uint64_t dropped, uint64_t when)
{
	memset(&history->sum, 0, sizeof(history->sum));
	history->samples = 0;
	history->began = when;
	history->dropped = dropped;
}

static void
history_sample(struct history *history, const struct model *model)
{
	struct history_point *sum = &history->sum;

	sum->servers = sum->servers_up = 0;
	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		sum->connections += service->rates.connections.current;
		sum->packets += service->rates.packets.current;
		sum->in += service->rates.bytes.current;
		sum->out += service->rates.responses.current;
		for (size_t j = 0; j < service->server_count; j++)
			sum->servers_up += server_state(service->servers[j]) == SERVER_UP;
		sum->servers += (uint32_t)service->server_count;
	}
	history->samples++;
}

static void
history_end(struct history *history, uint64_t dropped, uint32_t flows, uint64_t when)
{
	struct history_point point = history->sum;

	point.when = when;
	point.connections /= history->samples;
	point.packets /= history->samples;
	point.in /= history->samples;
	point.out /= history->samples;
	point.dropped = dropped - history->dropped;
	point.flows = flows;
	if (history->count == HISTORY_POINTS) {
		history->first = (history->first + 1) % HISTORY_POINTS;
		history->count--;
	}
	history->points[(history->first + history->count++) % HISTORY_POINTS] = point;
}

void
history_tick(struct history *history, const struct model *model, uint64_t dropped, uint32_t flows, uint64_t when)
{
	if (history->began == 0 || when < history->began || when - history->began > 2 * HISTORY_STEP)
		history_begin(history, dropped, when);
	history_sample(history, model);
	if (when - history->began < HISTORY_STEP)
		return;
	history_end(history, dropped, flows, when);
	history_begin(history, dropped, when);
}

const struct history_point *
history_at(const struct history *history, size_t index)
{
	return &history->points[(history->first + index) % HISTORY_POINTS];
}
