/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/events.h"

#include <stdlib.h>
#include <string.h>

struct events {
	struct event ring[EVENTS_MOST];
	size_t first; /* the oldest */
	size_t count;
	size_t bytes;
	uint64_t number; /* of the newest */
};

struct events *
events_new(void)
{
	return calloc(1, sizeof(struct events));
}

static void
events_drop_oldest(struct events *events)
{
	struct event *oldest = &events->ring[events->first];

	events->bytes -= strlen(oldest->line);
	free(oldest->line);
	memset(oldest, 0, sizeof(*oldest));
	events->first = (events->first + 1) % EVENTS_MOST;
	events->count--;
}

void
events_free(struct events *events)
{
	if (events == NULL)
		return;
	while (events->count > 0)
		events_drop_oldest(events);
	free(events);
}

void
events_add(struct events *events, uint64_t when, int level, const char *line)
{
	const size_t length = strlen(line);
	char *copy = strdup(line);

	events->number++;
	if (copy == NULL)
		return;
	while (events->count > 0 && (events->count == EVENTS_MOST || events->bytes + length > EVENTS_BYTES))
		events_drop_oldest(events);
	events->ring[(events->first + events->count) % EVENTS_MOST] =
	    (struct event) { events->number, when, level, copy };
	events->count++;
	events->bytes += length;
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
