/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/report.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/text.h"

#define TIME_TEXT 32

/* --- which --- */

static bool
event_take_event(const char *value, uint64_t now UNUSED, struct event_filter *filter)
{
	return *value != '\0' && strlen(value) < sizeof(filter->event) &&
	    snprintf(filter->event, sizeof(filter->event), "%s", value) > 0;
}

static bool
event_take_level(const char *value, uint64_t now UNUSED, struct event_filter *filter)
{
	for (int level = LOG_ERR; level <= LOG_NOTICE; level++) {
		if (strcmp(value, log_level_name(level)) != 0)
			continue;
		filter->level = level;
		return true;
	}
	return false;
}

static bool
event_take_since(const char *value, uint64_t now, struct event_filter *filter)
{
	uint64_t ago;

	if (text_duration(value, &ago) == -1)
		return false;
	filter->since = now > ago / 1000 ? now - ago / 1000 : 0;
	return true;
}

static bool
event_take_after(const char *value, uint64_t now UNUSED, struct event_filter *filter)
{
	return text_number(value, 0, UINT64_MAX, &filter->after) == 0;
}

static bool
event_take_limit(const char *value, uint64_t now UNUSED, struct event_filter *filter)
{
	return text_number(value, 1, EVENTS_MOST, &filter->limit) == 0;
}

static const struct event_term {
	const char *name;
	bool (*parse)(const char *value, uint64_t now, struct event_filter *filter);
	const char *takes;
	const char *choices;
} event_terms[] = {
	{ "event", event_take_event, "an event's name or a pattern, such as server-state or 'interface-*'",
	    "server-state admin reload" },
	{ "level", event_take_level, "error, warning or notice: this and worse", "error warning notice" },
	{ "since", event_take_since, "a duration, such as 30m", "10m 1h 1d" },
	{ "after", event_take_after, "an event's number", "" },
	{ "limit", event_take_limit, "a number from 1 to 4096", "" },
};

const char *
event_filter_term(size_t index, const char **choices)
{
	if (index >= ARRAY_LEN(event_terms))
		return NULL;
	*choices = event_terms[index].choices;
	return event_terms[index].name;
}

static int
event_take_word(const char *word, uint64_t now, struct event_filter *filter, char error[EVENT_FILTER_ERROR])
{
	const size_t length = strcspn(word, "=");

	if (word[length] == '\0') {
		if (filter->count == SELECTORS_MOST) {
			(void)snprintf(error, EVENT_FILTER_ERROR, "more than %d names at a time", SELECTORS_MOST);
			return -1;
		}
		return selector_parse(word, &filter->selectors[filter->count++], error);
	}
	for (size_t i = 0; i < ARRAY_LEN(event_terms); i++) {
		const struct event_term *term = &event_terms[i];

		if (strlen(term->name) != length || strncmp(term->name, word, length) != 0)
			continue;
		if (term->parse(word + length + 1, now, filter))
			return 0;
		(void)snprintf(error, EVENT_FILTER_ERROR, "`%.100s`: %s= takes %s", word, term->name, term->takes);
		return -1;
	}
	(void)snprintf(error, EVENT_FILTER_ERROR, "`%.100s` is not a filter: use event= level= since= after= limit=, "
	    "or names "
	    "or addresses of services and servers", word);
	return -1;
}

int
event_filter_parse(const char *const words[], size_t count, uint64_t now, struct event_filter *filter,
    char error[EVENT_FILTER_ERROR])
{
	memset(filter, 0, sizeof(*filter));
	filter->limit = EVENT_LIMIT;
	filter->level = LOG_NOTICE;
	for (size_t i = 0; i < count; i++)
		if (event_take_word(words[i], now, filter, error) == -1)
			return -1;
	return 0;
}

/* The subject of an event; texts are empty where it has none. */
struct event_subject {
	char service[EVENT_VALUE];
	char server[EVENT_VALUE]; /* "service/server" */
	struct addr addr;         /* of the server, or another that the event names */
};

static struct event_subject
event_subject(const struct event *event, const struct model *model)
{
	struct event_subject subject = { "", "", { .family = 0 } };
	char text[EVENT_VALUE];
	const struct server *server;

	if (event_value(event, "server", subject.server) != NULL && strchr(subject.server, '/') != NULL) {
		(void)snprintf(subject.service, sizeof(subject.service), "%.*s", (int)strcspn(subject.server, "/"),
		    subject.server);
		server = model_find(model, subject.server);
		if (server != NULL)
			subject.addr = server->settings.addr;
	} else if (event_value(event, "service", subject.service) == NULL) {
		subject.service[0] = '\0';
	}
	if (!addr_is_set(&subject.addr) &&
	    (event_value(event, "address", text) != NULL || event_value(event, "vip", text) != NULL) &&
	    addr_parse(text, &subject.addr) == -1)
		memset(&subject.addr, 0, sizeof(subject.addr));
	return subject;
}

static bool
event_is_selected(const struct event *event, const struct event_filter *filter, const struct model *model)
{
	struct event_subject subject;
	const char *server;
	char name[EVENT_VALUE];

	if (event->number <= filter->after || event->when < filter->since || event->level > filter->level)
		return false;
	if (filter->event[0] != '\0' && fnmatch(filter->event, event_name(event, name), 0) != 0)
		return false;
	if (filter->count == 0)
		return true;
	subject = event_subject(event, model);
	server = strchr(subject.server, '/');
	for (size_t i = 0; i < filter->count; i++)
		if (selector_matches(&filter->selectors[i], subject.service[0] == '\0' ? NULL : subject.service,
		    server == NULL ? NULL : server + 1, addr_is_set(&subject.addr) ? &subject.addr : NULL))
			return true;
	return false;
}

/* --- rows --- */

/* RFC 3339, in UTC, as the log has it. */
static const char *
event_time(uint64_t seconds, char text[TIME_TEXT])
{
	const time_t when = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return "-";
	return text;
}

static void
event_text_cell(struct writer *writer, const struct event *event, const char *key)
{
	char text[EVENT_VALUE];

	writer_cell(writer, event_value(event, key, text));
}

static void
event_row(struct writer *writer, const struct event *event, const struct model *model)
{
	static const char *const keys[] = { "action", "from", "to", "reason", "by", "result" };
	const struct event_subject subject = event_subject(event, model);
	char when[TIME_TEXT], name[EVENT_VALUE];

	writer_row(writer);
	writer_cell_number(writer, event->number);
	writer_cell(writer, event_time(event->when / 1000, when));
	writer_cell_number(writer, event->when);
	writer_cell_mood(writer, log_level_name(event->level), event->level <= LOG_ERR ? MOOD_BAD :
	    event->level == LOG_WARNING ? MOOD_WARN : MOOD_PLAIN);
	writer_cell(writer, event_name(event, name));
	writer_cell(writer, subject.service[0] == '\0' ? NULL : subject.service);
	writer_cell(writer, strchr(subject.server, '/') == NULL ? NULL : subject.server);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		event_text_cell(writer, event, keys[i]);
	writer_cell(writer, event->line);
}

void
report_events(struct writer *writer, const struct events *events, const struct event_filter *filter,
    const struct model *model)
{
	static const struct column columns[] = { { "number", NULL, true }, { "time", "TIME", false },
		{ "unix_milliseconds", NULL, true }, { "level", "LEVEL", false }, { "event", NULL, false },
		{ "service", NULL, false }, { "server", NULL, false }, { "action", NULL, false },
		    { "from", NULL, false },
		{ "to", NULL, false }, { "reason", NULL, false }, { "by", NULL, false }, { "result", NULL, false },
		{ "line", "EVENT", false } };
	const size_t count = events_count(events);
	size_t first = count;
	uint64_t selected = 0;

	while (first > 0 && selected < filter->limit)
		selected += event_is_selected(events_at(events, --first), filter, model);
	writer_table(writer, "events", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = first; i < count; i++)
		if (event_is_selected(events_at(events, i), filter, model))
			event_row(writer, events_at(events, i), model);
	writer_table_end(writer);
	writer_number(writer, "last_number", NULL, count > 0 ? events_at(events, count - 1)->number : 0);
}

void
report_rates(struct writer *writer, const struct history *history)
{
	static const struct column columns[] = { { "time", "TIME", false }, { "unix_seconds", NULL, true },
		{ "connections_per_second", "CONN/S", true }, { "packets_per_second", "PACKETS/S", true },
		{ "in", "IN", true }, { "in_bytes_per_second", NULL, true }, { "out", "OUT", true },
		{ "out_bytes_per_second", NULL, true }, { "dropped", "DROPPED", true }, { "flows", "FLOWS", true },
		{ "servers_up", "UP", true }, { "servers", "SERVERS", true } };

	writer_number(writer, "rate_seconds", NULL, HISTORY_STEP);
	writer_table(writer, "rates", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < history->count; i++) {
		const struct history_point *point = history_at(history, i);
		char when[TIME_TEXT], in[AMOUNT_TEXT], out[AMOUNT_TEXT];

		writer_row(writer);
		writer_cell(writer, event_time(point->when, when));
		writer_cell_number(writer, point->when);
		writer_cell_number(writer, point->connections);
		writer_cell_number(writer, point->packets);
		writer_cell(writer, text_format_speed(point->in, in));
		writer_cell_number(writer, point->in);
		writer_cell(writer, text_format_speed(point->out, out));
		writer_cell_number(writer, point->out);
		writer_cell_number(writer, point->dropped);
		writer_cell_number(writer, point->flows);
		writer_cell_number(writer, point->servers_up);
		writer_cell_number(writer, point->servers);
	}
	writer_table_end(writer);
}
